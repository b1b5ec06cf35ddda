/**
 * Subgraphs that answer from a hash of what they are asked, so that two executors that ask the same are told the same:
 * in any order, one by one or merged, as often as they like. Faults are drawn from the same hash.
 */
import { buildSubgraphSchema } from '@apollo/subgraph';
import {
  execute,
  getNamedType,
  getNullableType,
  GraphQLError,
  isEnumType,
  isInterfaceType,
  isListType,
  isLeafType,
  isNonNullType,
  isObjectType,
  isUnionType,
  parse,
} from 'graphql';
import type {
  ExecutionResult,
  GraphQLFieldResolver,
  GraphQLNamedType,
  GraphQLOutputType,
  GraphQLSchema,
} from 'graphql';
import { happens, hash } from './random.ts';

/** Probabilities, each for one occasion. */
export interface Faults {
  readonly seed: number;
  /** A resolver throws, with a code or without. */
  readonly resolverError: number;
  /** A field is null though the schema forbids it, without an error. */
  readonly wrongNull: number;
  /** A leaf is of another type, an enum of no known value. */
  readonly wrongLeaf: number;
  readonly missingEntity: number;
  /** The call throws, answers no data, or the wrong number of entities. */
  readonly failedCall: number;
  /** The answer comes some turns of the event loop later. */
  readonly lateAnswer: number;
}

export interface SimulatedCall {
  readonly query: string;
  readonly variables: Record<string, unknown>;
}

export type Simulator = (call: SimulatedCall) => Promise<ExecutionResult>;

/** An object as resolvers pass it on: its type, which of that type's few objects, and what a representation brought. */
interface Thing {
  readonly __typename: string;
  readonly number: number;
  readonly given: Readonly<Record<string, unknown>>;
}

const population = 4;

/** The schema of a simulated subgraph: values come from the simulator, so no field resolves itself. */
export function buildSimulatedSchema(sdl: string): GraphQLSchema {
  const schema = buildSubgraphSchema([{ typeDefs: parse(sdl) }]);
  const entityType = schema.getType('_Entity');
  if (entityType && isUnionType(entityType)) entityType.resolveType = undefined;
  const query = schema.getQueryType()?.getFields();
  for (const field of Object.values(query ?? {})) field.resolve = undefined;
  return schema;
}

export function createSimulator(name: string, schema: GraphQLSchema, faults: Faults): Simulator {
  return async (call) => {
    const representations = call.variables.representations as unknown[] | undefined;
    const distinct =
      representations && [...new Set(representations.map((value) => JSON.stringify(value)))].toSorted();
    // Not the other variables: whether defaults are sent along is each executor's own choice.
    const identity = [faults.seed, name, call.query, distinct];
    if (happens(faults.lateAnswer, 'late', identity)) await turns(1 + (hash(identity) % 4));
    const failed = happens(faults.failedCall, 'failed', identity) ? hash('kind', identity) % 4 : -1;
    if (failed === 0) throw new Error(`${name} is down`);
    if (failed === 1)
      return { data: null, errors: [new GraphQLError('refused', { extensions: { code: 'FORBIDDEN' } })] };
    const result = await execute({
      schema,
      document: parse(call.query),
      variableValues: call.variables,
      fieldResolver: createResolver(schema, faults),
      typeResolver: (value: Thing) => value.__typename,
    });
    // As it would be parsed from the network.
    const answer = JSON.parse(JSON.stringify(result)) as {
      data?: Record<string, unknown> | null;
      errors?: unknown[];
    };
    const entities = answer.data?._entities;
    if (Array.isArray(entities)) {
      if (failed === 2) entities.pop();
      for (const [index, entity] of entities.entries()) {
        const key = JSON.stringify(representations?.[index]);
        entities[index] = happens(faults.missingEntity, 'missing', faults.seed, name, key)
          ? null
          : spoil(entity, [faults.seed, name, call.query, key], faults);
      }
    } else if (answer.data) {
      spoil(answer.data, [faults.seed, name, call.query], faults);
    }
    if (failed === 3) answer.errors = [...(answer.errors ?? []), { message: 'a warning' }];
    return answer as ExecutionResult;
  };
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function createResolver(schema: GraphQLSchema, faults: Faults): GraphQLFieldResolver<unknown, unknown> {
  return (source, args: Record<string, unknown>, _context, info) => {
    if (info.fieldName === '_entities') {
      return (args.representations as Record<string, unknown>[]).map((given) => thingOf(schema, given));
    }
    const parent = source as Thing | undefined;
    const isEntity = parent !== undefined && 'given' in parent;
    const place = [
      isEntity ? parent.__typename : info.parentType.name,
      isEntity ? parent.number : 0,
      info.fieldName,
      args,
    ];
    if (happens(faults.resolverError, 'throws', faults.seed, place)) {
      const code = hash('code', place) % 2 === 0 ? { code: 'CONFLICT' } : {};
      throw new GraphQLError(`${info.fieldName} failed`, { extensions: code });
    }
    if (isEntity) {
      if (info.fieldName === 'id')
        return `${info.parentType.name === 'Book' || info.parentType.name === 'Film' ? 'Media' : parent.__typename}-${parent.number}`;
      if (info.fieldName === 'sku') return `sku-${parent.number}`;
      if (info.fieldName === 'org') return { __typename: 'Org', number: parent.number, given: {} };
      if (info.fieldName === 'code') return `org-${parent.number}`;
      const required = /^(\w+?)(Req|Needs|Deep)$/.exec(info.fieldName)?.[1];
      if (required) return valueOf(schema, info.returnType, [place, parent.given[required]], 0);
    }
    return valueOf(schema, info.returnType, place, 0);
  };
}

/** The object that a representation names, by whichever key it brings; null for one that is none. */
function thingOf(schema: GraphQLSchema, given: Record<string, unknown>): Thing | null {
  const org = given.org as { code?: string } | null | undefined;
  const number = Number(/-(\d+)$/.exec((given.id ?? given.sku ?? org?.code ?? '') as string)?.[1]);
  if (Number.isNaN(number)) return null;
  return { __typename: concreteName(schema, String(given.__typename), number), number, given };
}

/** Interfaces over entities are decided by the object's number, so that every subgraph agrees. */
function concreteName(schema: GraphQLSchema, typename: string, number: number): string {
  const type = schema.getType(typename);
  if (type && isInterfaceType(type))
    return schema.getPossibleTypes(type)[number % schema.getPossibleTypes(type).length]?.name ?? typename;
  return typename;
}

function valueOf(
  schema: GraphQLSchema,
  type: GraphQLOutputType,
  place: readonly unknown[],
  depth: number,
): unknown {
  if (!isNonNullType(type) && happens(0.12, 'null', place, depth)) return null;
  const nullable = getNullableType(type);
  if (isListType(nullable)) {
    const size = hash('size', place, depth) % 4;
    return Array.from({ length: size }, (_, index) =>
      valueOf(schema, nullable.ofType, [...place, index], depth + 1),
    );
  }
  const named = getNamedType(nullable);
  return isLeafType(named) ? leafOf(named, place) : objectOf(schema, named, place);
}

function objectOf(schema: GraphQLSchema, type: GraphQLNamedType, place: readonly unknown[]): Thing {
  const number = hash('object', place) % population;
  if (isUnionType(type)) {
    // By name, as subgraphs list members in their own order.
    const names = type
      .getTypes()
      .map((member) => member.name)
      .toSorted();
    return { __typename: names[hash('member', place) % names.length] as string, number, given: {} };
  }
  if (isObjectType(type) && !schema.getType(type.name)) throw new Error(`Unknown type ${type.name}`);
  return { __typename: concreteName(schema, type.name, number), number, given: {} };
}

function leafOf(type: GraphQLNamedType, place: readonly unknown[]): unknown {
  const number = hash('leaf', place);
  if (isEnumType(type)) return type.getValues()[number % type.getValues().length]?.name;
  switch (type.name) {
    case 'Int':
      return number % 1000;
    case 'Float':
      return (number % 1000) / 4;
    case 'Boolean':
      return number % 2 === 0;
    case 'Json':
      return number % 3 === 0 ? { a: [number % 7, null], b: { c: 'd' } } : `json ${number % 100}`;
    default:
      return `${type.name} ${number % 1000}`;
  }
}

/** Breaks leaves and nulls objects here and there; `__typename` and keys are left alone so that hops go on. */
function spoil(value: unknown, place: readonly unknown[], faults: Faults): unknown {
  if (Array.isArray(value)) {
    for (const [index, element] of value.entries()) value[index] = spoil(element, [...place, index], faults);
    return value;
  }
  if (value === null || value === undefined) return value;
  if (happens(faults.wrongNull, 'spoil null', place)) return null;
  if (typeof value !== 'object') {
    if (!happens(faults.wrongLeaf, 'spoil leaf', place)) return value;
    return typeof value === 'string' ? true : 'rubbish';
  }
  const object = value as Record<string, unknown>;
  for (const key of Object.keys(object)) {
    // `kind` is what generated operations call `__typename`.
    if (key === '__typename' || key === 'kind' || key === 'id') continue;
    object[key] = spoil(object[key], [...place, key], faults);
  }
  return object;
}
