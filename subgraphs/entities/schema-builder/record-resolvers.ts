/**
 * Resolvers of what is generated for entities. They hold names only, and look the definitions up in each request's model:
 * one schema serves every tenant with the same SDL.
 */
import type { GraphQLResolveInfo } from 'graphql';
import { DomainError } from '#schema/errors.ts';
import type { Resolvers } from '#subgraphs/server/executable-subgraph.ts';
import type { EntityDefinition, FieldDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import { graphEntities, withFieldAliases } from '#subgraphs/model/aliases.ts';
import { connectionTypeName, rootNames, typeName, uniqueQueryName } from '#subgraphs/model/names.ts';
import {
  findField,
  findInverse,
  getTarget,
  type Inverse,
  inversesOf,
  isManyToMany,
  isSingleInverse,
} from '#subgraphs/model/relations.ts';
import { memberName, uniqueGroupsOf } from '#subgraphs/model/unique-keys.ts';
import { pointedAt } from '#subgraphs/model/union-relations.ts';
import type { EntitiesContext } from '../context.ts';
import type { InverseArguments } from '../loaders.ts';
import type { ListRequest, Page, StoredRecord } from '../store/record-store.ts';
import { accessOf } from '../store/store-access.ts';
import { aggregateResolver } from './aggregate-resolvers.ts';
import { ConnectionNode, resolveTotalCount } from './connection-node.ts';
import { checkIncludeDeleted } from './deleted-records.ts';
import { uniqueFields } from './enums.ts';
import { historyResolver } from './history-resolvers.ts';
import { type RecordNode, recordOf, toNode } from './nodes.ts';
import { assertReferenceReadable, guardSelections } from './readable-selection.ts';
import { getEntity } from './request-entity.ts';
import { writeResolvers } from './write-resolvers.ts';

export type ListArguments = Omit<ListRequest, 'entity'>;
type Values = Readonly<Record<string, unknown>>;

/** Made from one tenant's model, for the SDL of it; good for every model with that SDL. */
export function recordResolvers(model: TenantModel): Resolvers {
  const resolvers: Resolvers = { Query: {}, Mutation: {} };
  for (const entity of graphEntities(model).map(withFieldAliases)) {
    const type = typeName(entity);
    Object.assign(resolvers.Query, guardSelections(queryResolvers(entity)));
    Object.assign(resolvers.Mutation, guardSelections(writeResolvers(entity)));
    resolvers[type] = typeResolvers(model, entity);
    resolvers[connectionTypeName(entity)] = { totalCount: resolveTotalCount };
  }
  return resolvers;
}

function queryResolvers(entity: EntityDefinition): Resolvers {
  const type = typeName(entity);
  const names = rootNames(entity);
  const resolvers: Resolvers = {
    async [names.one](_root: unknown, { id }: { id: string }, context: EntitiesContext) {
      return findNode(context, getEntity(context, type), id);
    },
    async [names.many](_root: unknown, args: ListArguments, context: EntitiesContext) {
      return listRecords(context, getEntity(context, type), args, toNode);
    },
    [names.aggregate]: aggregateResolver(type),
    [names.history]: historyResolver(type),
  };
  for (const field of uniqueFields(entity)) {
    // Under an old name the argument has it too; values go by today's.
    const today = memberName({ type: field.type, name: field.aliasOf ?? field.name });
    const argument = memberName(field);
    resolvers[uniqueQueryName(entity, field)] = uniqueResolver(type, field.name, (args) => ({
      [today]: args[argument],
    }));
  }
  for (const { group } of uniqueGroupsOf(entity)) {
    resolvers[uniqueQueryName(entity, group)] = uniqueResolver(type, group.name, (args) => args);
  }
  return resolvers;
}

function uniqueResolver(type: string, name: string, valuesOf: (args: Values) => Values) {
  return async (_root: unknown, args: Values, context: EntitiesContext): Promise<RecordNode | null> => {
    const owner = getEntity(context, type);
    const record = await context.records.findByUnique(context.storeContext, owner, name, valuesOf(args));
    return record && toNode(owner, record);
  };
}

function typeResolvers(model: TenantModel, entity: EntityDefinition): Resolvers {
  const type = typeName(entity);
  const resolvers: Resolvers = {
    async __resolveReference({ id }: { id: string }, context: EntitiesContext, info: GraphQLResolveInfo) {
      assertReferenceReadable(context, type, info);
      const owner = context.model.entityByType.get(type);
      return owner ? findNode(context, owner, id) : null;
    },
  };
  for (const field of entity.fields) {
    if (field.type === 'RELATION') resolvers[field.name] = relationResolver(type, field.name);
    if (isManyToMany(field)) resolvers[field.name] = linkedResolver(type, field.name);
  }
  for (const inverse of inversesOf(model, entity)) {
    if (inverse.name === null) continue;
    resolvers[inverse.name] = isSingleInverse(inverse)
      ? singleInverseResolver(type, inverse.name)
      : inverseResolver(type, inverse.name);
  }
  return resolvers;
}

function relationResolver(type: string, fieldName: string) {
  return async (node: RecordNode, _args: unknown, context: EntitiesContext): Promise<RecordNode | null> => {
    const field = findField(getEntity(context, type), fieldName);
    const pointed = field ? pointedAt(field, recordOf(node).data[field.key]) : null;
    const target = pointed && context.model.entityById.get(pointed.entityId);
    if (!target) return null;
    // Of a relation to several entities, those that the caller may not read are as if they were not there.
    if (field?.targets && !accessOf(context.storeContext).of(target).allows('READ')) return null;
    return findNode(context, target, pointed.id);
  };
}

function inverseResolver(type: string, name: string) {
  return async (
    node: RecordNode,
    args: InverseArguments,
    context: EntitiesContext,
  ): Promise<ConnectionNode<RecordNode>> => {
    const { entity, field } = getInverse(context, type, name);
    return listRelated(
      context,
      { entity, field, ...(isManyToMany(field) ? { link: 'inverse' } : {}) },
      node,
      args,
    );
  };
}

/** The records that a many-to-many relation points at. */
function linkedResolver(type: string, fieldName: string) {
  return async (
    node: RecordNode,
    args: InverseArguments,
    context: EntitiesContext,
  ): Promise<ConnectionNode<RecordNode>> => {
    const field = findField(getEntity(context, type), fieldName);
    if (!field || !isManyToMany(field))
      throw new DomainError('NOT_FOUND', `${type} has no ${fieldName} any more`);
    return listRelated(
      context,
      { entity: getTarget(context.model, field), field, link: 'forward' },
      node,
      args,
    );
  };
}

async function listRelated(
  { loaders }: EntitiesContext,
  { entity, field, link }: Related,
  node: RecordNode,
  args: InverseArguments,
): Promise<ConnectionNode<RecordNode>> {
  const page = await loaders.listInverse(entity, field, node.id, args, link);
  return new ConnectionNode(
    page,
    (record) => toNode(entity, record),
    () => loaders.countInverse(entity, field, node.id, args.filter, link),
  );
}

interface Related {
  readonly entity: EntityDefinition;
  readonly field: FieldDefinition;
  readonly link?: 'forward' | 'inverse';
}

/** All parents' single records in one statement. */
function singleInverseResolver(type: string, name: string) {
  return async (node: RecordNode, _args: unknown, context: EntitiesContext): Promise<RecordNode | null> => {
    const { entity, field } = getInverse(context, type, name);
    const page = await context.loaders.listInverse(entity, field, node.id, { first: 1 });
    const [edge] = page.edges;
    return edge ? toNode(entity, edge.record) : null;
  };
}

function getInverse(context: EntitiesContext, type: string, name: string): Inverse {
  const inverse = findInverse(context.model, getEntity(context, type), name);
  if (!inverse) throw new DomainError('NOT_FOUND', `${type} has no ${name} any more`);
  return inverse;
}

async function findNode(
  context: EntitiesContext,
  entity: EntityDefinition,
  id: string,
): Promise<RecordNode | null> {
  const record = await context.loaders.findRecord(entity, id);
  return record && toNode(entity, record);
}

/** A page of an entity's records as a connection of whatever `convert` makes of them. */
export async function listRecords<Node>(
  context: EntitiesContext,
  entity: EntityDefinition,
  args: ListArguments,
  convert: (entity: EntityDefinition, record: StoredRecord) => Node,
): Promise<ConnectionNode<Node>> {
  const { records, storeContext } = context;
  checkIncludeDeleted(context, args.includeDeleted);
  const page: Page = await records.list(storeContext, { ...args, entity });
  const { filter, search, includeDeleted } = args;
  return new ConnectionNode(
    page,
    (record) => convert(entity, record),
    () => records.count(storeContext, { entity, filter, search, includeDeleted }),
  );
}
