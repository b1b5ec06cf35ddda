/** What is measured, as a client writes it. */
export interface Operation {
  readonly name: string;
  readonly query: string;
  readonly variables?: () => Record<string, unknown>;
  readonly isWrite?: boolean;
}

const person = 'id name score joined status companyId version createdAt';
const page = (args: string): string =>
  `{ people(first: 50${args}) { nodes { ${person} } pageInfo { endCursor } } }`;

const chosen = ', filter: { status: { eq: OPEN }, score: { gte: 500 } }';

export const operations: readonly Operation[] = [
  { name: 'list of 50', query: page('') },
  {
    name: 'filtered and sorted',
    query: page(`${chosen}, orderBy: [{ joined: DESC_NULLS_LAST }]`),
  },
  // Records without a value come first, and no index knows which they are.
  { name: 'the same, nulls first', query: page(`${chosen}, orderBy: [{ joined: DESC }]`) },
  {
    name: 'filtered by a prefix',
    query: page(', filter: { name: { startsWith: "ada 1", mode: INSENSITIVE } }, orderBy: [{ name: ASC }]'),
  },
  {
    name: 'filtered by a relation',
    query: page(', filter: { company: { name: { eq: "Company 7" } } }, orderBy: [{ score: DESC }]'),
  },
  {
    name: 'by a relation that most match',
    query: page(', filter: { company: { name: { startsWith: "Company" } } }, orderBy: [{ score: DESC }]'),
  },
  {
    name: 'counted by a relation',
    query: '{ people(filter: { company: { name: { eq: "Company 7" } } }) { totalCount } }',
  },
  {
    name: 'by some that point here',
    query:
      '{ companies(first: 50, filter: { people: { some: { name: { eq: "Ada 5005" } } } }) { nodes { id name } } }',
  },
  {
    name: 'by none that point here',
    query:
      '{ companies(first: 50, filter: { people: { none: { score: { eq: 7 } } } }) { nodes { id name } } }',
  },
  { name: 'search', query: page(', search: "zebrafish"') },
  { name: 'search of a part', query: page(', search: "ebrafis 42"') },
  {
    name: 'aggregate by status',
    query:
      '{ peopleAggregate(groupBy: [{ status: true }]) { group { status } count sum { score } avg { score } max { joined } } }',
  },
  {
    name: 'three levels',
    query:
      '{ regions(first: 10) { nodes { name companies(first: 5) { nodes { name people(first: 5) { nodes { name score } } } } } } }',
  },
  {
    name: 'create a thousand',
    query: 'mutation ($inputs: [CreatePersonInput!]!) { createPeople(inputs: $inputs) { id } }',
    variables: () => ({
      inputs: Array.from({ length: 1_000 }, (_, n) => ({
        name: `New person ${n}`,
        score: n,
        joined: '2026-11-21',
        status: n % 2 === 0 ? 'OPEN' : 'DONE',
        note: `Words about the new person ${n}`,
      })),
    }),
    isWrite: true,
  },
  // The first time creates them; from then on each is found by its code and changed.
  {
    name: 'upsert a thousand',
    query: 'mutation ($inputs: [CreatePersonInput!]!) { upsertPeople(on: CODE, inputs: $inputs) { id } }',
    variables: () => ({
      inputs: Array.from({ length: 1_000 }, (_, n) => ({
        name: `Known person ${n}`,
        code: `known-${n}`,
        score: Math.floor(Math.random() * 1_000),
        joined: '2026-11-21',
      })),
    }),
    isWrite: true,
  },
];
