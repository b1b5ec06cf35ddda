import fc from 'fast-check';
import { expect, it } from 'vitest';
import { slugCandidates, slugFromName, slugProblem } from '#subgraphs/tenants/slug.ts';

it.each([
  ['Acme', 'acme'],
  ['  Müller & Söhne GmbH ', 'muller-sohne-gmbh'],
  ['3M', '3m'],
  ['x', 'tenant-x'],
  ['www', 'tenant-www'],
  ['株式会社', 'tenant'],
  ['--', 'tenant'],
  ["Robert'); DROP TABLE", 'robert-drop-table'],
])('%j becomes %s', (name, slug) => {
  expect(slugFromName(name)).toBe(slug);
});

it('makes a good slug of any name, with a number too', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 300 }),
      fc.integer({ min: 2, max: 999 }),
      (name, number) => {
        const base = slugFromName(name);
        expect(slugProblem(base)).toBeNull();
        for (const slug of slugCandidates(base, number, 2)) expect(slugProblem(slug)).toBeNull();
      },
    ),
  );
});

it.each([
  'a',
  'A-b',
  'a_b',
  '-a',
  'a-',
  'a--b',
  'a b',
  'ä-b',
  'x'.repeat(51),
  'graphql',
  '018f0000-0000-7000-8000-000000000000',
])('refuses %s', (slug) => {
  expect(slugProblem(slug)).not.toBeNull();
});
