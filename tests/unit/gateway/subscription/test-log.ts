/** A log in memory behind the seam of subscriptions, as slow and uneven as a test wants it. */
import { type ExecutionResult, GraphQLError } from 'graphql';
import type { LiveSubscription, PreparedOperation } from '#gateway/execution/executor.ts';
import type { KnownOperation, SubscriptionRequest } from '#gateway/execution/operation-runner.ts';
import type { SharingRules } from '#gateway/graph/subgraph-sdl.ts';
import { tenantScope } from '#gateway/graph/scope.ts';
import { decodeLogCursor, encodeLogCursor } from '#schema/events.ts';
import type { Claims } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';

export interface TestLog {
  readonly head: number;
  /** Subscriptions that are open at the log. */
  readonly open: ReadonlySet<SubscriptionRequest>;
  /** How often an event was completed. */
  completed: number;
  append(count?: number): void;
  /** Ends every open one with this error as its last result. */
  fail(code: 'SUBGRAPH_UNAVAILABLE'): void;
  subscribe(request: SubscriptionRequest): Promise<LiveSubscription | ExecutionResult>;
}

/** `pause` is waited for before each answer. */
export function createTestLog(pause: () => Promise<void> = async () => {}): TestLog {
  const open = new Set<SubscriptionRequest>();
  const wakes = new Set<() => void>();
  const wakeAll = (): void => {
    for (const wake of [...wakes]) wake();
  };
  let failure: DomainError | null = null;
  const log: TestLog = {
    head: 0,
    open,
    completed: 0,
    append(count = 1) {
      (log as { head: number }).head += count;
      wakeAll();
    },
    fail(code) {
      failure = new DomainError(code, 'The log is gone', { details: { cursor: 'replaced' } });
      wakeAll();
      failure = null;
    },
    async subscribe(request) {
      const asked = request.after ?? (request.variables['after'] as string | undefined);
      await pause();
      let at = asked === undefined ? log.head : decodeLogCursor(asked);
      let isLive = at === log.head;
      let isTold = false;
      let isEnded = false;
      let ownFailure: DomainError | null = null;
      open.add(request);
      const place = { cursor: encodeLogCursor(at), isLive };
      const mark = (): IteratorResult<ExecutionResult> => {
        Object.assign(place, { cursor: encodeLogCursor(at), isLive });
        return { value: {}, done: false };
      };
      const end = { value: undefined, done: true } as const;
      const live: LiveSubscription = {
        place,
        async next() {
          await pause();
          if (!isTold) {
            isTold = true;
            return mark();
          }
          while (at === log.head && !isEnded && !ownFailure) {
            if (!isLive) {
              isLive = true;
              return mark();
            }
            const woken = Promise.withResolvers<void>();
            const wake = (): void => {
              ownFailure ??= failure;
              woken.resolve();
            };
            wakes.add(wake);
            await woken.promise;
            wakes.delete(wake);
            await pause();
          }
          if (isEnded) return end;
          if (ownFailure && at === log.head) {
            isEnded = true;
            open.delete(request);
            const { message, extensions } = ownFailure;
            const errors = [new GraphQLError(message, { extensions })];
            return { value: { data: null, errors }, done: false };
          }
          at += 1;
          log.completed += 1;
          Object.assign(place, { cursor: encodeLogCursor(at), isLive });
          return { value: { data: { changed: { seq: at, by: request.claims.actorId } } }, done: false };
        },
        async return() {
          isEnded = true;
          open.delete(request);
          wakeAll();
          return end;
        },
        continueWith: () => null,
        [Symbol.asyncIterator]() {
          return this;
        },
      };
      return live;
    },
  };
  return log;
}

export function known(
  claims: Partial<Claims> = {},
  rules: Partial<SharingRules> = {},
  definitionsVersion = 1,
): KnownOperation {
  const all: Claims = {
    tenantId: 'acme',
    actorKind: 'USER',
    actorId: 'ada',
    role: 'USER',
    authVersion: 1,
    sessionId: 's',
    ...claims,
  };
  const operation = {
    summary: { kind: 'subscription', operationName: null, rootFields: ['changed'] },
    stream: { source: 'log', subgraphs: new Set(['log']), resumeVariable: 'after' },
  } as unknown as PreparedOperation;
  return {
    caller: { claims: all, scope: tenantScope('acme'), proof: { kind: 'NONE' } },
    operation,
    active: {
      hash: 'h',
      definitionsVersion,
      sharing: {
        subgraphs: new Set(['log']),
        perUserRoles: new Set(),
        perUserSubscriptions: new Set(),
        ...rules,
      },
    },
  };
}
