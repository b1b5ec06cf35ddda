import { buildSubgraphSchema } from '@apollo/subgraph';
import { type GraphQLSchema, isSpecifiedScalarType, parse, printType } from 'graphql';
import { describe, expect, it } from 'vitest';
import { buildFederationSchema } from '#subgraphs/server/federation-schema.ts';
import { readStaticSdl, sharedSdl } from '#subgraphs/server/static-sdl.ts';
import { buildEntitiesSdl } from '#subgraphs/entities/schema-builder/sdl.ts';
import { buildRealtimeSdl } from '#subgraphs/realtime/schema-builder/sdl.ts';
import { benchModel } from '#tests/bench/shapes/tenant.ts';

const header =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"])';
const model = benchModel(1, 4, 15);
const subgraphs: readonly (readonly [string, string])[] = [
  ['a tenant’s entities', buildEntitiesSdl(model)],
  ['a tenant’s changes', buildRealtimeSdl(model)],
  ['tenants', `${sharedSdl}\n${readStaticSdl('tenants')}`],
  [
    'types that are extended only',
    `${header} extend type Query { a: A } extend type A @key(fields: "id") { id: ID! } extend type A { b: Int }`,
  ],
  ['no entity', `${header} type Query { a: Int }`],
];

/** By name, in print; without what federation needs to describe itself. */
function typesOf(schema: GraphQLSchema): Record<string, string> {
  const own = Object.values(schema.getTypeMap()).filter(
    (type) => !isSpecifiedScalarType(type) && !/^(__|federation__|link__|_Service$)/.test(type.name),
  );
  const linesOf = (text: string): string[] => text.split('\n').map((line) => line.trim());
  return Object.fromEntries(own.map((type) => [type.name, linesOf(printType(type)).toSorted().join('\n')]));
}

describe('a subgraph’s schema', () => {
  it.each(subgraphs)('is the one that Apollo builds: %s', (_what, sdl) => {
    const expected = typesOf(buildSubgraphSchema({ typeDefs: parse(sdl) }));
    expect(typesOf(buildFederationSchema(sdl, {}))).toEqual(expected);
  });

  it('refuses SDL that does not parse, and types that are not there', () => {
    expect(() => buildFederationSchema('type Query {', {})).toThrow('Syntax Error');
    expect(() => buildFederationSchema('type Query { a: Missing }', {})).toThrow('Missing');
  });
});
