/** A filter refers to itself three times and to others: compiled, its variables are still read by one walk. */
import { buildSchema } from 'graphql';
import { expect, it } from 'vitest';
import { createPreparedDocuments, isPrepared } from '#subgraphs/server/documents.ts';

const names = Array.from({ length: 20 }, (_, index) => `field${index}`);
const schema = buildSchema(`
  input Comparison { eq: String ne: String in: [String!] lt: String not: Comparison }
  input Filter { and: [Filter!] or: [Filter!] not: Filter other: Filter ${names.map((name) => `${name}: Comparison`).join(' ')} }
  type Query { count(filter: Filter, limit: Int = 3): Int }
`);
schema.getQueryType()!.getFields()['count']!.resolve = (_root, args) => JSON.stringify(args).length;

it('answers the same, and the same errors, as often as it is asked', async () => {
  const prepared = createPreparedDocuments().get(
    schema,
    'query ($filter: Filter) { count(filter: $filter) }',
    undefined,
  );
  if (!isPrepared(prepared)) throw new Error('not prepared');
  const filter = { and: [{ not: { field3: { eq: 'x' } } }], field1: { in: 'single' } };
  const length = JSON.stringify({
    filter: { and: [{ not: { field3: { eq: 'x' } } }], field1: { in: ['single'] } },
    limit: 3,
  }).length;
  for (let round = 0; round < 6; round += 1) {
    expect(await prepared.execute({}, { filter })).toEqual({ data: { count: length } });
    expect(await prepared.execute({}, {})).toEqual({ data: { count: JSON.stringify({ limit: 3 }).length } });
    const refused = await prepared.execute({}, { filter: { field1: { eq: 7 } } });
    expect(refused.data).toBeUndefined();
    expect(refused.errors?.[0]?.message).toContain('"filter.field1.eq"');
  }
});
