/** SDL + resolvers + rules → the schema that a subgraph executes. */
import {
  defaultFieldResolver,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLSchema,
  isObjectType,
} from 'graphql';
import { DomainError } from '#schema/errors.ts';
import { hasTenant } from './base-rules.ts';
import { buildFederationSchema, type Resolvers } from './federation-schema.ts';
import { type ShieldRules, shield } from './shield.ts';

export type { Resolvers };

/** Fields that federation adds to Query: the first describes the schema, the second has a guard of its own. */
const federationFields = new Set(['_service', '_entities']);

type FieldMiddleware = (
  resolve: GraphQLFieldResolver<unknown, unknown>,
  ...call: Parameters<GraphQLFieldResolver<unknown, unknown>>
) => unknown;

/** Combined rules (`and`, `or` …) come with a list of fragments beside the function. */
type GeneratedMiddleware = FieldMiddleware | { readonly resolve: FieldMiddleware };

function wrapField(field: GraphQLField<unknown, unknown>, middleware: FieldMiddleware): void {
  const resolve = field.resolve ?? defaultFieldResolver;
  field.resolve = (source, args, context, info) => middleware(resolve, source, args, context, info);
}

/**
 * Shield's middleware only where a rule was written: shield itself would wrap every field of the schema, at half the
 * throughput. `Query: { '*': … }` leaves `_service` and `_entities` alone.
 */
function applyRules(schema: GraphQLSchema, rules: ShieldRules): void {
  const generated = shield(rules as Parameters<typeof shield>[0], {
    allowExternalErrors: true,
    fallbackError: new DomainError('FORBIDDEN', 'Not allowed'),
  }).generate(schema) as Record<string, Record<string, GeneratedMiddleware>>;
  for (const [typeName, fieldRules] of Object.entries(rules)) {
    const type = schema.getType(typeName);
    if (!isObjectType(type)) throw new Error(`Rules for ${typeName}, which is no object type of the schema`);
    for (const field of Object.values(type.getFields())) {
      const named = Object.hasOwn(fieldRules, field.name);
      if (!named && (!Object.hasOwn(fieldRules, '*') || federationFields.has(field.name))) continue;
      const made = generated[typeName]?.[field.name];
      if (!made) throw new Error(`graphql-shield made nothing of the rule for ${typeName}.${field.name}`);
      wrapField(field, typeof made === 'function' ? made : made.resolve);
    }
  }
}

/**
 * Waits for every reference and puts the failed ones into the list as errors, so that each fails at its own path. The list
 * then holds plain values, which compiled execution needs.
 */
function settleEntities(schema: GraphQLSchema): void {
  const entities = schema.getQueryType()?.getFields()._entities;
  if (!entities) return;
  wrapField(entities, async (resolve, source, args, context, info) => {
    const references = (await resolve(source, args, context, info)) as unknown[];
    const settled = await Promise.allSettled(references);
    return settled.map((outcome) => {
      if (outcome.status === 'fulfilled') return outcome.value;
      return outcome.reason instanceof Error ? outcome.reason : new Error(String(outcome.reason));
    });
  });
}

/**
 * Builds a federation subgraph's executable schema. `rules` are by type and field; root rules do not hold for entities read
 * through `_entities`, so those have a rule of their own: `Query: { _entities: … }`, and `hasTenant` where none is given.
 * Field rules (`User: { email: … }`) hold on either way.
 *
 * Fields without a resolver must hold plain values, no promises and no functions: compiled execution reads them as they are.
 * Throws where the SDL is bad or a rule names a type or field that is not there.
 */
export function buildExecutableSubgraph(
  sdl: string,
  resolvers: Resolvers,
  rules: ShieldRules = {},
): GraphQLSchema {
  const schema = buildFederationSchema(sdl, resolvers);
  settleEntities(schema);
  const guarded: ShieldRules =
    schema.getQueryType()?.getFields()._entities && !rules.Query?._entities
      ? { ...rules, Query: { ...rules.Query, _entities: hasTenant } }
      : rules;
  if (Object.keys(guarded).length > 0) applyRules(schema, guarded);
  return schema;
}
