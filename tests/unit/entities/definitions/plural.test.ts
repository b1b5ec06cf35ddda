import { expect, it } from 'vitest';
import { pluralOf } from '#subgraphs/entities/definitions/plural.ts';

it.each([
  ['contact', 'contacts'],
  ['company', 'companies'],
  ['day', 'days'],
  ['address', 'addresses'],
  ['box', 'boxes'],
  ['branch', 'branches'],
  ['person', 'people'],
  ['salesPerson', 'salesPeople'],
  ['Child', 'Children'],
  ['taskAnalysis', 'taskAnalyses'],
  ['URL', 'URLS'],
  ['item_2', 'item_2s'],
  ['x', 'xes'],
  ['toString', 'toStrings'],
])('%s → %s', (name, plural) => {
  expect(pluralOf(name)).toBe(plural);
});
