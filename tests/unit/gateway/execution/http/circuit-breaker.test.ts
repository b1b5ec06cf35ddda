import { expect, test } from 'vitest';
import { createCircuitBreaker } from '#gateway/execution/http/circuit-breaker.ts';

function opened() {
  const clock = { ms: 0 };
  const breaker = createCircuitBreaker({ failuresToOpen: 3, openMs: 100, now: () => clock.ms });
  for (let failure = 0; failure < 3; failure++) {
    expect(breaker.admit()).toBe(true);
    breaker.failed();
  }
  return { breaker, clock };
}

test('opens after failures in a row, and only in a row', () => {
  const breaker = createCircuitBreaker({ failuresToOpen: 2 });
  for (let round = 0; round < 5; round++) {
    breaker.failed();
    breaker.succeeded();
  }
  expect(breaker.admit()).toBe(true);
  breaker.failed();
  breaker.failed();
  expect(breaker.admit()).toBe(false);
});

test('lets one request try again after a while; success closes it', () => {
  const { breaker, clock } = opened();
  expect(breaker.admit()).toBe(false);
  clock.ms = 100;
  expect(breaker.admit()).toBe(true);
  expect(breaker.admit()).toBe(false);
  breaker.succeeded();
  expect([breaker.admit(), breaker.admit()]).toEqual([true, true]);
});

test('stays open where the trial fails, and a trial that was given up lets another one try', () => {
  const { breaker, clock } = opened();
  clock.ms = 100;
  expect(breaker.admit()).toBe(true);
  breaker.failed();
  clock.ms = 199;
  expect(breaker.admit()).toBe(false);
  clock.ms = 200;
  expect(breaker.admit()).toBe(true);
  breaker.abandoned();
  expect(breaker.admit()).toBe(true);
});
