/**
 * Works out, ahead of any request, which fields an answer holds at each place and for each type of object. Fragments are
 * merged and possible types resolved here, so that nothing at run time asks a schema.
 */
import {
  getNullableType,
  isAbstractType,
  isEnumType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  isSpecifiedScalarType,
  isUnionType,
} from 'graphql';
import type {
  FieldNode,
  GraphQLCompositeType,
  GraphQLNamedType,
  GraphQLOutputType,
  GraphQLSchema,
  SelectionSetNode,
} from 'graphql';
import { DomainError } from '#schema/errors.ts';
import type { BuiltInLeaf, FieldShape, Shape, ShapeVariant, ValueShape } from '../recipe.ts';
import { conjunctionKey, disjunctionOf, selectionsBelow } from './selections.ts';
import type { ConditionalSelections, Occurrence, SelectionCollector } from './selections.ts';

/** Places times selections; a federated operation has tens. Beyond it the operation is refused. */
const maxShapes = 5_000;

export interface ShapeTable {
  readonly shapes: Shape[];
  /** The shape of an object of this type under these selections; equal questions get one index. */
  indexOf(type: GraphQLCompositeType, sets: readonly ConditionalSelections[]): number;
}

export function createShapeTable(
  schema: GraphQLSchema,
  collector: SelectionCollector,
  denied: ReadonlySet<FieldNode> = new Set(),
): ShapeTable {
  const shapes: Shape[] = [];
  const known = new Map<string, number>();
  const setIds = new Map<SelectionSetNode, number>();

  const keyOf = (type: GraphQLNamedType, sets: readonly ConditionalSelections[]) => {
    const parts = sets.map(({ selections, when }) => {
      let id = setIds.get(selections);
      if (id === undefined) setIds.set(selections, (id = setIds.size));
      return `${id}:${conjunctionKey(when)}`;
    });
    return `${type.name}|${parts.join(',')}`;
  };

  const indexOf = (type: GraphQLCompositeType, sets: readonly ConditionalSelections[]): number => {
    const key = keyOf(type, sets);
    const existing = known.get(key);
    if (existing !== undefined) return existing;
    if (shapes.length >= maxShapes) {
      throw new DomainError(
        'QUERY_TOO_COMPLEX',
        'The operation combines too many fragments on interfaces and unions',
      );
    }
    const index = shapes.length;
    known.set(key, index);
    // Held before its fields are known: places below may ask for more shapes.
    shapes.push({ type: type.name, isAbstract: isAbstractType(type), variants: [], untyped: [] });
    shapes[index] = {
      type: type.name,
      isAbstract: isAbstractType(type),
      variants: grouped(possibleTypesOf(schema, type).map((possible) => variantOf(possible, sets))),
      untyped: isAbstractType(type) ? untypedNames(schema, type).map((named) => variantOf(named, sets)) : [],
    };
    return index;
  };

  const variantOf = (type: GraphQLCompositeType, sets: readonly ConditionalSelections[]): ShapeVariant => {
    const fields: FieldShape[] = [];
    for (const [key, occurrences] of collector.collect(sets, type)) {
      const field = fieldOf(type, key, occurrences);
      if (field) fields.push(field);
    }
    return { typenames: [type.name], fields };
  };

  const fieldOf = (type: GraphQLCompositeType, key: string, occurrences: Occurrence[]): FieldShape | null => {
    const name = occurrences[0]?.node.name.value ?? key;
    const when = disjunctionOf(occurrences);
    if (name === '__typename') return { key, name, when, value: 'typename' };
    if (name === '__schema' || name === '__type') return { key, name, when, value: 'introspection' };
    const definition = isUnionType(type) ? undefined : type.getFields()[name];
    if (!definition) return null;
    const value = valueOf(definition.type, occurrences);
    const isDenied = denied.size > 0 && occurrences.every(({ node }) => denied.has(node));
    return isDenied ? { key, name, when, value, isDenied: true } : { key, name, when, value };
  };

  const valueOf = (type: GraphQLOutputType, occurrences: Occurrence[]): ValueShape => {
    const nonNull = isNonNullType(type);
    const nullable = getNullableType(type);
    if (isListType(nullable)) return { kind: 'list', nonNull, of: valueOf(nullable.ofType, occurrences) };
    if (isObjectType(nullable) || isAbstractType(nullable)) {
      return { kind: 'object', nonNull, shape: indexOf(nullable, selectionsBelow(occurrences)) };
    }
    if (isEnumType(nullable)) {
      return { kind: 'enum', nonNull, values: nullable.getValues().map((value) => value.name) };
    }
    const leaf = isSpecifiedScalarType(nullable) ? (nullable.name as BuiltInLeaf) : 'Custom';
    return { kind: 'leaf', nonNull, leaf };
  };

  return { shapes, indexOf };
}

function possibleTypesOf(schema: GraphQLSchema, type: GraphQLCompositeType): readonly GraphQLCompositeType[] {
  return isAbstractType(type) ? schema.getPossibleTypes(type) : [type];
}

/** The abstract types whose name an object at a place of `type` may carry: the place's own first, then interfaces that share objects with it. */
function untypedNames(schema: GraphQLSchema, type: GraphQLCompositeType): GraphQLCompositeType[] {
  if (!isAbstractType(type)) return [];
  const names: GraphQLCompositeType[] = [type];
  const possible = new Set(schema.getPossibleTypes(type).map((object) => object.name));
  for (const other of Object.values(schema.getTypeMap())) {
    if (other === type || !isInterfaceType(other)) continue;
    if (schema.getPossibleTypes(other).some((object) => possible.has(object.name))) names.push(other);
  }
  return names;
}

/** Types that answer the same fields share a variant. */
function grouped(variants: readonly ShapeVariant[]): ShapeVariant[] {
  const byFields = new Map<string, { typenames: string[]; fields: readonly FieldShape[] }>();
  for (const variant of variants) {
    const key = JSON.stringify(variant.fields);
    const group = byFields.get(key);
    if (group) group.typenames.push(...variant.typenames);
    else byFields.set(key, { typenames: [...variant.typenames], fields: variant.fields });
  }
  return [...byFields.values()];
}
