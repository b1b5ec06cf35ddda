/** Keeps a subgraph that is not ours to what it was asked: the rest of its answers would be merged over ours. */
import { Kind, parse, type ExecutionResult, type FieldNode, type SelectionSetNode } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { SubgraphRequest, SubgraphService } from '#schema/subgraph-protocol.ts';

interface Asked {
  readonly selections: SelectionSetNode;
  readonly fragments: ReadonlyMap<string, SelectionSetNode>;
}

type Json = Record<string, unknown>;

/** Queries come out of plans, so there are few different ones. */
const maxKnownQueries = 1_000;

/**
 * The same service, whose answers hold nothing but the fields of each request's own query. `isAbstract` tells interfaces
 * and unions of its schema from object types: what is asked of one object type is not taken for another.
 */
export function keepAskedFields<Service extends SubgraphService>(
  service: Service,
  isAbstract: (type: string) => boolean,
): Service {
  const known = new LRUCache<string, Asked>({ max: maxKnownQueries });

  const read = (query: string): Asked => {
    let asked = known.get(query);
    if (!asked) known.set(query, (asked = readQuery(query)));
    return asked;
  };

  const prune = (request: SubgraphRequest, result: ExecutionResult): ExecutionResult => {
    if (!isObject(result.data))
      return result.data === null || result.data === undefined ? result : noData(result);
    const { selections, fragments } = read(request.query);

    /** The answer's members that `set` asks of an object of this type; null: unknown, so any. */
    const pick = (source: Json, sets: readonly SelectionSetNode[], type: string | null): Json => {
      const picked: Json = {};
      for (const [key, fields] of fieldsOf(sets, type)) {
        if (!Object.hasOwn(source, key)) continue;
        const value = source[key];
        const below = fields.flatMap((field) => field.selectionSet ?? []);
        const [first] = fields;
        if (below.length === 0) picked[key] = value;
        else if (first?.name.value === '_entities') picked[key] = pickEntities(value, below, first);
        else picked[key] = pickAll(value, below);
      }
      return picked;
    };

    const pickAll = (value: unknown, below: readonly SelectionSetNode[]): unknown => {
      if (Array.isArray(value)) return value.map((item) => pickAll(item, below));
      if (!isObject(value)) return null;
      const type = Object.hasOwn(value, '__typename') ? value['__typename'] : null;
      return pick(value, below, typeof type === 'string' ? type : null);
    };

    /** What an entity is was said by us, in its representation. */
    const pickEntities = (value: unknown, below: readonly SelectionSetNode[], field: FieldNode): unknown => {
      if (!Array.isArray(value)) return null;
      const representations = readVariable(field, request.variables);
      return value.map((entity, index) => {
        const type = (representations[index] as { __typename?: unknown } | undefined)?.__typename;
        return isObject(entity) ? pick(entity, below, typeof type === 'string' ? type : null) : null;
      });
    };

    const fieldsOf = (sets: readonly SelectionSetNode[], type: string | null): Map<string, FieldNode[]> => {
      const fields = new Map<string, FieldNode[]>();
      const collect = (set: SelectionSetNode): void => {
        for (const selection of set.selections) {
          if (selection.kind === Kind.FIELD) {
            const key = (selection.alias ?? selection.name).value;
            const same = fields.get(key);
            if (same) same.push(selection);
            else fields.set(key, [selection]);
          } else if (selection.kind === Kind.FRAGMENT_SPREAD) {
            const fragment = fragments.get(selection.name.value);
            if (fragment) collect(fragment);
          } else {
            const condition = selection.typeCondition?.name.value ?? null;
            if (condition === null || type === null || condition === type || isAbstract(condition))
              collect(selection.selectionSet);
          }
        }
      };
      for (const set of sets) collect(set);
      return fields;
    };

    return { ...result, data: pick(result.data, [selections], null) };
  };

  return {
    ...service,
    execute: async (request) => prune(request, await service.execute(request)),
    async subscribe(request) {
      const events = await service.subscribe(request);
      if (!(Symbol.asyncIterator in events)) return prune(request, events);
      const mapped: AsyncIterableIterator<ExecutionResult> = {
        async next() {
          const step = await events.next();
          return step.done ? step : { done: false, value: prune(request, step.value) };
        },
        async return() {
          await events.return?.();
          return { done: true, value: undefined };
        },
        [Symbol.asyncIterator]: () => mapped,
      };
      return mapped;
    },
  };
}

function readQuery(query: string): Asked {
  const fragments = new Map<string, SelectionSetNode>();
  let selections: SelectionSetNode | undefined;
  for (const definition of parse(query, { noLocation: true }).definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION)
      fragments.set(definition.name.value, {
        kind: Kind.SELECTION_SET,
        selections: [
          {
            kind: Kind.INLINE_FRAGMENT,
            typeCondition: definition.typeCondition,
            selectionSet: definition.selectionSet,
          },
        ],
      });
    else if (definition.kind === Kind.OPERATION_DEFINITION) selections = definition.selectionSet;
  }
  if (!selections) throw new Error('A plan asks its subgraphs for operations');
  return { selections, fragments };
}

function readVariable(field: FieldNode, variables: SubgraphRequest['variables']): readonly unknown[] {
  const argument = field.arguments?.find(({ name }) => name.value === 'representations')?.value;
  const value = argument?.kind === Kind.VARIABLE ? variables?.[argument.name.value] : undefined;
  return Array.isArray(value) ? value : [];
}

function noData(result: ExecutionResult): ExecutionResult {
  return { ...result, data: null };
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
