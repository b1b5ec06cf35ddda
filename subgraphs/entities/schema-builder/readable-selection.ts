/**
 * What an operation selects of entities' types, held to permissions before the field that it hangs on is resolved: no
 * statement runs, and nothing is written, for an answer that the caller may not have.
 */
import {
  type FieldNode,
  getArgumentValues,
  getDirectiveValues,
  type GraphQLField,
  getNamedType,
  GraphQLIncludeDirective,
  type GraphQLNamedType,
  type GraphQLResolveInfo,
  GraphQLSkipDirective,
  isInterfaceType,
  isObjectType,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { DomainError } from '#schema/errors.ts';
import type { EntityDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import { parseFilter } from '#subgraphs/model/filter/validate.ts';
import { restrictFilter } from '#subgraphs/model/permissions/restricted-filter.ts';
import { findField, findInverse, findMemberField } from '#subgraphs/model/relations.ts';
import type { EntitiesContext } from '../context.ts';
import { parseOrder } from '../filters/list-order.ts';
import type { InverseArguments } from '../loaders.ts';
import { accessOf, assertPathReadable } from '../store/store-access.ts';

type Selecting = Pick<
  GraphQLResolveInfo,
  'fieldNodes' | 'fragments' | 'schema' | 'variableValues' | 'returnType'
>;
type Resolve = (root: unknown, args: never, context: EntitiesContext, info: GraphQLResolveInfo) => unknown;

/** The root fields' resolvers, each behind the check of what is selected below it. */
export function guardSelections(resolvers: Readonly<Record<string, Resolve>>): Record<string, Resolve> {
  return Object.fromEntries(
    Object.entries(resolvers).map(([name, resolve]): [string, Resolve] => [
      name,
      (root, args, context, info) => {
        assertSelectionReadable(context, info);
        return resolve(root, args, context, info);
      },
    ]),
  );
}

/** Throws FORBIDDEN for the first field that is selected and hidden. Who is not restricted is not looked at. */
export function assertSelectionReadable(context: EntitiesContext, info: Selecting): void {
  if (!accessOf(context.storeContext).isRestricted) return;
  walkFields(context, info, getNamedType(info.returnType), null);
}

const references = new WeakMap<EntitiesContext, Map<FieldNode, Map<string, unknown>>>();

/** As above for what `_entities` selects of one type; looked at once for all references of an operation. */
export function assertReferenceReadable(
  context: EntitiesContext,
  type: string,
  info: GraphQLResolveInfo,
): void {
  if (!accessOf(context.storeContext).isRestricted) return;
  const [node] = info.fieldNodes;
  if (!node) return;
  const byNode = getOrCreate(references, context, () => new Map<FieldNode, Map<string, unknown>>());
  const byType = getOrCreate(byNode, node, () => new Map<string, unknown>());
  if (!byType.has(type)) {
    try {
      walkFields(context, info, getNamedType(info.returnType), type);
      byType.set(type, null);
    } catch (error) {
      byType.set(type, error);
    }
  }
  const refusal = byType.get(type);
  if (refusal) throw refusal;
}

interface Walk {
  readonly context: EntitiesContext;
  readonly info: Selecting;
  /** Fragments that were gone through, by `onlyType` and name. */
  readonly seen: Set<string>;
}

function walkFields(
  context: EntitiesContext,
  info: Selecting,
  type: GraphQLNamedType,
  onlyType: string | null,
): void {
  const walk: Walk = { context, info, seen: new Set() };
  for (const node of info.fieldNodes) walkSet(walk, node.selectionSet, type, onlyType);
}

/** With `onlyType` what is selected of other types is left out, at this level. */
function walkSet(
  walk: Walk,
  set: SelectionSetNode | undefined,
  type: GraphQLNamedType,
  onlyType: string | null,
): void {
  for (const selection of set?.selections ?? []) {
    if (!isIncluded(walk, selection)) continue;
    if (selection.kind === Kind.FIELD) {
      if (onlyType === null || type.name === onlyType) walkField(walk, selection, type);
    } else if (selection.kind === Kind.INLINE_FRAGMENT) {
      walkSet(
        walk,
        selection.selectionSet,
        typeOf(walk, selection.typeCondition?.name.value, type),
        onlyType,
      );
    } else {
      const fragment = walk.info.fragments[selection.name.value];
      // What was left out of a fragment for its type must be looked at where it stands deeper.
      const place = `${onlyType ?? ''} ${selection.name.value}`;
      if (!fragment || walk.seen.has(place)) continue;
      walk.seen.add(place);
      walkSet(walk, fragment.selectionSet, typeOf(walk, fragment.typeCondition.name.value, type), onlyType);
    }
  }
}

function walkField(walk: Walk, node: FieldNode, type: GraphQLNamedType): void {
  const name = node.name.value;
  const entity = walk.context.model.entityByType.get(type.name);
  if (entity) assertFieldReadable(walk.context, entity, name);
  if (!node.selectionSet || !(isObjectType(type) || isInterfaceType(type))) return;
  const field = type.getFields()[name];
  if (entity && field) assertArgumentsReadable(walk, entity, node, field);
  if (field) walkSet(walk, node.selectionSet, getNamedType(field.type), null);
}

/** Members that every record has are hidden from nobody. */
function assertFieldReadable(
  { model, storeContext }: EntitiesContext,
  entity: EntityDefinition,
  name: string,
): void {
  const access = accessOf(storeContext);
  const field = findField(entity, name);
  const asked = field ?? findMemberField(entity, name);
  if (asked) access.of(entity).assertReadable(asked);
  const target = field?.targetEntityId ? model.entityById.get(field.targetEntityId) : undefined;
  if (target) access.of(target).assertAllows('READ');
  if (asked) return;
  const inverse = findInverse(model, entity, name);
  if (inverse) access.of(inverse.entity).assertReadable(inverse.field);
}

/** What a list of related records is filtered and ordered by. Other mistakes in it are told where it is read. */
function assertArgumentsReadable(
  { context, info }: Walk,
  entity: EntityDefinition,
  node: FieldNode,
  field: GraphQLField<unknown, unknown>,
): void {
  if (!node.arguments || node.arguments.length === 0) return;
  const { model, storeContext } = context;
  const access = accessOf(storeContext);
  const listed = targetOf(model, entity, field.name);
  if (!listed) return;
  try {
    const args = getArgumentValues(field, node, info.variableValues) as InverseArguments;
    restrictFilter(access, listed, parseFilter(model, listed, args.filter));
    for (const key of parseOrder(model, listed, args.orderBy).keys)
      assertPathReadable(access, model, listed, key);
  } catch (error) {
    if (error instanceof DomainError && error.code === 'FORBIDDEN') throw error;
  }
}

function targetOf(model: TenantModel, entity: EntityDefinition, name: string): EntityDefinition | undefined {
  const id = findField(entity, name)?.targetEntityId;
  return id ? model.entityById.get(id) : findInverse(model, entity, name)?.entity;
}

function isIncluded({ info }: Walk, selection: SelectionNode): boolean {
  if (!selection.directives || selection.directives.length === 0) return true;
  if (getDirectiveValues(GraphQLSkipDirective, selection, info.variableValues)?.['if'] === true) return false;
  return getDirectiveValues(GraphQLIncludeDirective, selection, info.variableValues)?.['if'] !== false;
}

function typeOf({ info }: Walk, name: string | undefined, otherwise: GraphQLNamedType): GraphQLNamedType {
  return (name === undefined ? undefined : info.schema.getType(name)) ?? otherwise;
}

function getOrCreate<Key extends object, Value>(
  map: Pick<Map<Key, Value>, 'get' | 'set'> | Pick<WeakMap<Key & WeakKey, Value>, 'get' | 'set'>,
  key: Key,
  create: () => Value,
): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = create();
  map.set(key, made);
  return made;
}
