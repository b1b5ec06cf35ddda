import { buildSchema } from 'graphql';
import { expect, it } from 'vitest';
import { pickRootFields } from '#subgraphs/tenants/public-sdl.ts';

const sdl = `
schema { query: Query mutation: Mutation }
"""The root"""
type Query { open(filter: Filter): [Open!]! hidden: Hidden }
type Mutation { change: Hidden }
"""Kept with its words"""
type Open implements Named { name: String kind: Kind any: Either }
interface Named { name: String }
union Either = Open | Left
type Left { at: Moment }
scalar Moment
enum Kind { A B }
input Filter { deeper: Deeper }
input Deeper { kind: Kind = A }
type Hidden { secret: Secret }
type Secret { text: String }
`;

it('keeps what the fields reach, arguments and all, and nothing else', () => {
  const picked = pickRootFields(sdl, { Query: ['open'] });
  for (const name of [
    'Open',
    'Named',
    'Either',
    'Left',
    'Moment',
    'Kind',
    'Filter',
    'Deeper',
    'Kept with its words',
  ]) {
    expect(picked).toContain(name);
  }
  for (const name of ['hidden', 'Hidden', 'Secret', 'change', 'type Mutation'])
    expect(picked).not.toContain(name);
  expect(
    Object.keys(
      buildSchema(picked.replace(/schema \{[^}]*\}/, ''))
        .getQueryType()
        ?.getFields() ?? {},
    ),
  ).toEqual(['open']);
});
