/**
 * Writing records together with those along their relations, in one transaction: everything is planned first
 * (`planNested`), then looked up, locked, changed and created, entity by entity. The number of statements depends on the
 * entities and relations that take part, not on how many records there are.
 */
import { invalidInput } from '#schema/errors.ts';
import type { FieldError } from '#schema/errors.ts';
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { linkedSql } from '#subgraphs/model/filter/sql.ts';
import { pointsAtSql } from '#subgraphs/model/filter/sql-values.ts';
import { createSqlParameters } from '#subgraphs/model/filter/sql-parameters.ts';
import { relationIdName } from '#subgraphs/model/names.ts';
import { getTarget, isManyToMany } from '#subgraphs/model/relations.ts';
import { isUnion, pointedAt, storedTarget } from '#subgraphs/model/union-relations.ts';
import { readId } from '#subgraphs/model/values/choice.ts';
import { maxFieldErrors } from '#subgraphs/model/values/input.ts';
import { planNested } from '#subgraphs/model/values/nested-input.ts';
import { nestedLimits } from '#subgraphs/model/values/nested-planning.ts';
import type { NestedPlan, PlannedRecord, PlannedSet } from '#subgraphs/model/values/nested-plan.ts';
import { applyUpdates } from './record-batches.ts';
import { createRecords } from './record-creation.ts';
import { takenError } from './record-keys.ts';
import { linkedIds } from './record-links.ts';
import { ChangedRecords, missing } from './nested-changes.ts';
import type { Changed } from './nested-changes.ts';
import { lockRecords, notFound, requireVersion } from './record-locks.ts';
import type { StoredRecord } from './record-store.ts';
import { lockTargets, targetKey } from './relation-targets.ts';
import type { Target } from './relation-targets.ts';
import { visibleSql } from './store-access.ts';
import { createId } from './uuid-v7.ts';
import { takeCounters } from './write-counters.ts';
import { assertMayWritePlan } from './write-permissions.ts';
import type { RecordChange, WriteScope, Written } from './write-scope.ts';

/** One record to write: a new one, or one that is there. */
export interface NestedWrite {
  /** Null: a new record. */
  readonly id: string | null;
  readonly input: Readonly<Record<string, unknown>>;
  readonly expectedVersion?: number | null;
  /** Its place in a batch ("inputs.3"); undefined where it is alone. */
  readonly path: string | undefined;
  /** Given the record that is there once it is locked. */
  readonly check?: (record: StoredRecord | undefined) => void;
}

/** Answers in the order of `writes`. Throws as creating and updating do; errors of nested records have their whole path. */
export async function writeNested(
  scope: WriteScope,
  entity: EntityDefinition,
  writes: readonly NestedWrite[],
): Promise<Written<StoredRecord[]>> {
  const roots = writes.map(({ id, input, path }) => {
    const known = id === null ? createId() : readId(id);
    if (known === null) throw notFound(entity, id as string, below(path, 'id'));
    return { id: known, isNew: id === null, input, path };
  });
  const plan = planNested(scope.model, entity, roots, createId);
  assertMayWritePlan(scope, plan);
  refuse(plan.errors);

  const changed = await lockChanged(scope, plan);
  for (const [index, { id, isNew, path }] of roots.entries()) {
    const record = changed.find(entity, id)?.record;
    if (isNew) continue;
    writes[index]?.check?.(record);
    if (!record || record.deletedAt) throw notFound(entity, id, below(path, 'id'));
    requireVersion(record, writes[index]?.expectedVersion, below(path, 'expectedVersion'));
  }
  link(plan, changed);
  refuse(changed.errors);

  const known = await requireRelations(scope, plan, changed);
  const counters = await takeCounters(scope, [
    ...plan.records.filter(({ isNew }) => isNew),
    ...changed.all().map(({ entity: owner, data }) => ({ entity: owner, isNew: false, data })),
  ]);
  const inner = { ...scope, known, counters };
  const changes = new Map<string, RecordChange>();
  // Changes first: a new record may take a unique value that another one gives up.
  for (const [owner, updates] of changed.byEntity()) {
    for (const change of await applyUpdates(inner, owner, updates)) changes.set(change.after.id, change);
  }
  for (const change of await createPlanned(inner, plan)) changes.set(change.after.id, change);
  return {
    result: roots.map(
      ({ id }) => changes.get(id)?.after ?? (changed.find(entity, id)?.record as StoredRecord),
    ),
    changes: inOrder(plan, changes),
  };
}

/** New records in the plan's order, so that none comes before one that it points at; then what changed. */
function inOrder(plan: NestedPlan, changes: Map<string, RecordChange>): RecordChange[] {
  const created = plan.records.flatMap(({ id, isNew }) => (isNew ? (changes.get(id) ?? []) : []));
  return [...created, ...[...changes.values()].filter((change) => change.operation !== 'CREATED')];
}

/** Locks what the plan changes: in the order of entities, then of ids. */
async function lockChanged(scope: WriteScope, plan: NestedPlan): Promise<ChangedRecords> {
  const wanted = new Map<string, { entity: EntityDefinition; ids: Set<string> }>();
  const want = (entity: EntityDefinition, id: string): void => {
    const known = readId(id);
    if (known === null) return;
    const ofEntity = wanted.get(entity.id) ?? { entity, ids: new Set() };
    ofEntity.ids.add(known);
    wanted.set(entity.id, ofEntity);
  };
  for (const { entity, id, isNew } of plan.records) if (!isNew) want(entity, id);
  for (const { inverse, id } of plan.links) want(inverse.entity, id);
  for (const { entity, ownerId } of plan.lists) want(entity, ownerId);
  for (const { set, id } of await findPointing(scope, plan.sets)) want(set.inverse.entity, id);

  const changed = new ChangedRecords();
  const inOrderOfId = [...wanted.values()].toSorted((a, b) => (a.entity.id < b.entity.id ? -1 : 1));
  for (const { entity, ids } of inOrderOfId) {
    const records = await lockRecords(scope, entity, [...ids]);
    for (const record of records.values()) changed.add(entity, record);
  }
  return changed;
}

/** Live records that point where only some are to point. One statement. BAD_USER_INPUT where they are too many. */
async function findPointing(
  scope: WriteScope,
  sets: readonly PlannedSet[],
): Promise<{ set: PlannedSet; id: string }[]> {
  if (sets.length === 0) return [];
  const parameters = createSqlParameters();
  const tenant = parameters.add(scope.tenantId, 'uuid');
  const parts = sets.map(({ inverse, parentId }, index) => {
    const row = { alias: 'x', entity: inverse.entity };
    const entity = parameters.add(inverse.entity.id, 'uuid');
    const parent = parameters.add(parentId, 'uuid');
    const link = isManyToMany(inverse.field)
      ? linkedSql('x', parent, inverse.field, 'inverse', { tenantId: scope.tenantId, parameters })
      : pointsAtSql(row, inverse.field, parent, parameters);
    // What the caller may not see is not there to be let go.
    const visible = visibleSql(scope.access, row, scope.tenantId, parameters);
    return `select ${index} as set, x.id from records x where x.tenant_id = ${tenant} and x.entity_id = ${entity} and ${link} and x.deleted_at is null${visible}`;
  });
  const text = `select * from (${parts.join(' union all ')}) s limit ${nestedLimits.records + 1}`;
  const rows = await scope.tx.query<{ set: number; id: string }>({ text, values: parameters.values });
  if (rows.length > nestedLimits.records) {
    const { path } = sets[0] as PlannedSet;
    const message = `${path} would change more than ${nestedLimits.records} records`;
    throw invalidInput([{ field: path, rule: 'maxLength', message }]);
  }
  return rows.map((row) => ({ set: sets[row.set] as PlannedSet, id: row.id }));
}

/** Turns the plan's changes of what is there into values. What is connected elsewhere by the same write need not be let go. */
function link(plan: NestedPlan, changed: ChangedRecords): void {
  for (const { entity, id, isNew, data, path } of plan.records) {
    const own = isNew ? undefined : changed.find(entity, id);
    if (!own) continue;
    own.path = path;
    for (const [key, value] of Object.entries(data)) changed.assign(own, key, value, path);
  }
  const isMoved = (child: Changed, key: string, stored: string): boolean =>
    Object.hasOwn(child.data, key) && child.data[key] !== stored;
  for (const wanted of ['connect', 'disconnect'] as const) {
    for (const { kind, inverse, parentId, id, path } of plan.links) {
      if (kind !== wanted) continue;
      const { entity, field } = inverse;
      const child = changed.find(entity, readId(id) ?? id);
      const stored = storedTarget(field, parentId);
      if (!child || child.record.deletedAt) changed.errors.push(missing(entity, id, path));
      else if (kind === 'connect') changed.assign(child, field.key, stored, path);
      else if (child.record.data[field.key] === stored && !isMoved(child, field.key, stored)) {
        changed.letGo(child, inverse, path);
      }
    }
  }
  linkLists(plan, changed);
  for (const { inverse, parentId, kept, path } of plan.sets) {
    const { entity, field } = inverse;
    if (isManyToMany(field)) {
      for (const owner of changed.ofEntity(entity)) {
        if (kept.has(owner.record.id) || owner.record.deletedAt) continue;
        changed.editList(owner, field, path, (ids) => ids.delete(parentId));
      }
      continue;
    }
    const stored = storedTarget(field, parentId);
    for (const child of changed.ofEntity(entity)) {
      if (child.record.deletedAt || child.record.data[field.key] !== stored) continue;
      if (kept.has(child.record.id) || isMoved(child, field.key, stored)) continue;
      changed.letGo(child, inverse, path);
    }
  }
}

/** Changes of many-to-many lists: what is cleared first, then what is added and removed. */
function linkLists(plan: NestedPlan, changed: ChangedRecords): void {
  for (const kind of ['clear', 'add', 'remove'] as const) {
    for (const list of plan.lists.filter((one) => one.kind === kind)) {
      const { entity, field, ownerId, ownerPath, targetId, path } = list;
      const owner = changed.find(entity, ownerId);
      if (!owner || owner.record.deletedAt) {
        if (ownerPath !== undefined) changed.errors.push(missing(entity, ownerId, ownerPath));
        continue;
      }
      changed.editList(owner, field, path, (ids) => {
        if (kind === 'clear') ids.clear();
        else if (kind === 'add') ids.add(targetId);
        else ids.delete(targetId);
      });
    }
  }
}

/** Every relation that is written points at what is there, or at what this write creates. One statement. */
async function requireRelations(
  scope: WriteScope,
  plan: NestedPlan,
  changed: ChangedRecords,
): Promise<Set<string>> {
  const planned = plan.records.filter((record) => record.isNew);
  const known = new Set(planned.map(({ entity, id }) => targetKey({ entityId: entity.id, id })));
  const written: { target: Target; path: string; entity: EntityDefinition }[] = [];
  for (const record of plan.records) {
    for (const field of record.entity.fields) {
      const target = field.type === 'RELATION' ? pointedAt(field, record.data[field.key]) : null;
      if (target === null) continue;
      const entity = scope.model.entityById.get(target.entityId) as EntityDefinition;
      const own = record.input[field.name];
      const connect = isUnion(field) ? `connect.${Object.keys(Object(Object(own).connect))[0]}` : 'connect';
      const named = own === undefined ? relationIdName(field.name) : `${field.name}.${connect}`;
      written.push({ target, path: below(record.path, named) ?? named, entity });
    }
  }
  for (const { entity, id, path } of plan.targets) {
    written.push({ target: { entityId: entity.id, id }, path, entity });
  }
  // What stood in a list before may be gone by now, and stays in it.
  const listed = new Set<string>();
  for (const { entity, field, ownerId, targetId } of plan.lists) {
    const target = getTarget(scope.model, field);
    if (changed.find(target, targetId)) known.add(targetKey({ entityId: target.id, id: targetId }));
    const owner = changed.find(entity, ownerId);
    if (!owner) continue;
    for (const id of linkedIds(owner.record, field)) listed.add(targetKey({ entityId: target.id, id }));
  }
  for (const { inverse } of plan.sets.filter((set) => isManyToMany(set.inverse.field))) {
    const target = getTarget(scope.model, inverse.field);
    for (const { record } of changed.ofEntity(inverse.entity)) {
      for (const id of linkedIds(record, inverse.field)) listed.add(targetKey({ entityId: target.id, id }));
    }
  }
  for (const { inverse, parentId, path } of plan.links) {
    const entity = getTarget(scope.model, inverse.field);
    // A parent that was changed is locked and there.
    if (changed.find(entity, parentId)) known.add(targetKey({ entityId: entity.id, id: parentId }));
    written.push({ target: { entityId: entity.id, id: parentId }, path, entity });
  }
  const found = await lockTargets(
    { ...scope, known },
    written.flatMap(({ target }) => (readId(target.id) === null ? [] : target)),
  );
  refuse(
    written.flatMap(({ target, path, entity }) =>
      found.has(targetKey(target)) ? [] : [missing(entity, target.id, path)],
    ),
  );
  return new Set([...known, ...found, ...listed]);
}

async function createPlanned(scope: WriteScope, plan: NestedPlan): Promise<RecordChange[]> {
  const created = plan.records.filter((record) => record.isNew);
  const changes: RecordChange[] = [];
  for (const [entity, records] of Map.groupBy(created, (record) => record.entity)) {
    // A record without a path is alone: its errors have none.
    for (const group of [records.filter(({ path }) => path === undefined), records.filter(hasPath)]) {
      if (group.length === 0) continue;
      const creation = await createRecords(
        scope,
        entity,
        group.map(({ input }) => input),
        group.map(({ id }) => ({ id })),
        group.every(hasPath) ? group.map(({ path }) => path) : undefined,
      );
      if (creation.taken.length > 0) throw takenError(creation.taken, creation.pathOf);
      changes.push(...creation.changes);
    }
  }
  return changes;
}

function hasPath(record: PlannedRecord): record is PlannedRecord & { readonly path: string } {
  return record.path !== undefined;
}

function refuse(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalidInput(errors.slice(0, maxFieldErrors));
}

function below(path: string | undefined, member: string): string | undefined {
  return path === undefined ? undefined : `${path}.${member}`;
}
