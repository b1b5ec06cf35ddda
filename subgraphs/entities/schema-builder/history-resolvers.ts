/** Histories as values of `RecordVersionConnection`. */
import { DomainError, type FieldError } from '#schema/errors.ts';
import type { LoggedOperation } from '#schema/events.ts';
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { isManyToMany } from '#subgraphs/model/relations.ts';
import { isSameJson } from '#subgraphs/model/values/json.ts';
import { accessOf, type EntityAccess } from '#subgraphs/model/permissions/access.ts';
import { memberName } from '#subgraphs/model/unique-keys.ts';
import { typeName } from '#subgraphs/model/names.ts';
import { outputMembers } from '#subgraphs/model/output-members.ts';
import type { EntitiesContext } from '../context.ts';
import type { RecordStore, RecordVersion, StoreContext, StoredRecord } from '../store/record-store.ts';
import type { PageInfoNode } from './connection-node.ts';
import { toUntypedData } from './nodes.ts';
import { getEntity } from './request-entity.ts';

export interface HistoryArguments {
  id: string;
  first?: number | null;
  after?: string | null;
}

interface FieldChangeNode {
  field: string;
  from: unknown;
  to: unknown;
}

interface VersionNode {
  version: number;
  operation: LoggedOperation;
  at: Date;
  actor: { __typename: 'User'; id: string } | null;
  changes: FieldChangeNode[];
  data: Record<string, unknown>;
}

interface HistoryNode {
  edges: { cursor: string; node: VersionNode }[];
  nodes: VersionNode[];
  pageInfo: PageInfoNode;
}

export function historyResolver(type: string) {
  return (_root: unknown, args: HistoryArguments, context: EntitiesContext): Promise<HistoryNode | null> =>
    readHistory(context, getEntity(context, type), args);
}

/** Null where there is no such record. */
export async function readHistory(
  context: EntitiesContext,
  entity: EntityDefinition,
  { id, first, after }: HistoryArguments,
): Promise<HistoryNode | null> {
  const page = await context.records.listVersions(context.storeContext, entity, id, {
    first: first ?? null,
    after: after ?? null,
  });
  if (page === null) return null;
  const access = accessOf(context.model, entity, context.claims);
  const edges = page.versions.map((version) => ({
    cursor: version.cursor,
    node: toVersionNode(entity, version, access),
  }));
  return {
    edges,
    nodes: edges.map((edge) => edge.node),
    pageInfo: {
      hasNextPage: page.hasNextPage,
      hasPreviousPage: after !== null && after !== undefined,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

function toVersionNode(entity: EntityDefinition, version: RecordVersion, access: EntityAccess): VersionNode {
  const { record, before } = version;
  const changed = new Set(version.changedFields);
  const changes = entity.fields
    .filter((field) => changed.has(field.key) && access.mayRead(field))
    .flatMap((field) =>
      outputMembers(field).map(
        ({ name, read }): FieldChangeNode => ({
          field: name,
          from: read(before[field.key]),
          to: read(record.data[field.key]),
        }),
      ),
    );
  return {
    version: record.version,
    operation: version.operation,
    at: version.at,
    actor: version.userId === null ? null : { __typename: 'User', id: version.userId },
    changes,
    data: toUntypedData(entity, record, access),
  };
}

/**
 * Writes the values of an earlier version as an update does, with all its checks: a field's that cannot be kept is an error.
 * Of who is held to permissions, FORBIDDEN that names what would have to be written and may not be; what is hidden stays as
 * it is, also where the caller may write it: what a value of then is refused with now would tell it.
 */
export async function restoreVersion(
  { store, context, entity }: { store: RecordStore; context: StoreContext; entity: EntityDefinition },
  { id, version, expectedVersion }: { id: string; version: number; expectedVersion?: number | null },
): Promise<StoredRecord> {
  const earlier = await store.findVersion(context, entity, id, version);
  if (!earlier)
    throw new DomainError(
      'NOT_FOUND',
      `There is no ${typeName(entity)} of this id with a version ${version}`,
    );
  const access = accessOf(context.model, entity, context.claims);
  const values = toUntypedData(entity, earlier, {
    mayRead: (field) => access.mayRead(field) && access.mayWrite(field),
  });
  for (const { name } of entity.fields.filter(isManyToMany)) {
    if (Object.hasOwn(values, name)) values[name] = { set: values[name] ?? [] };
  }
  if (access.isRestricted) {
    access.assertAllows('UPDATE');
    const [current] = await store.findMany(context, entity, [id]);
    if (current) requireWritable(entity, access, current, earlier);
  }
  return store.update(context, entity, id, values, expectedVersion);
}

function requireWritable(
  entity: EntityDefinition,
  access: EntityAccess,
  current: StoredRecord,
  earlier: StoredRecord,
): void {
  const errors = entity.fields
    .filter((field) => access.mayRead(field) && !access.mayWrite(field))
    .filter(({ key }) => !isSameJson(current.data[key] ?? null, earlier.data[key] ?? null))
    .map((field): FieldError => {
      const message = `Your role may not write "${field.name}" of "${entity.name}", which was another one in that version`;
      return { field: memberName(field), rule: 'permission', message };
    });
  if (errors.length === 0) return;
  throw new DomainError('FORBIDDEN', errors.map(({ message }) => message).join('; '), { fields: errors });
}
