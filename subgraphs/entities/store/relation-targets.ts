/** Relations point at live records of the same tenant: checked where they are written, in the same transaction. */
import { invalidInput } from '#schema/errors.ts';
import type { FieldError } from '#schema/errors.ts';
import type { EntityDefinition, FieldDefinition } from '#subgraphs/model/definition.ts';
import { memberNames, typeName } from '#subgraphs/model/names.ts';
import { isUnion, type PointedAt, splitStored } from '#subgraphs/model/union-relations.ts';
import { nameStatement } from './named-statement.ts';
import { findVisible } from './visible-records.ts';
import type { WriteScope } from './write-scope.ts';

/** A record's data, as far as it is written; `path` is its place in a batch. */
export interface WrittenData {
  readonly data: Readonly<Record<string, unknown>>;
  readonly path: string | undefined;
}

// The lock keeps a target from being deleted until this transaction ends; in id order, so that two of them do not
// wait for each other. After a wait PostgreSQL looks at the row again.
const lockText = `select u.e as "entityId", t.id from (select * from unnest($2::uuid[], $3::uuid[]) as u (e, i) order by i) u
  cross join lateral (select x.id from records x where x.tenant_id = $1::uuid and x.entity_id = u.e and x.id = u.i
    and x.deleted_at is null limit 1 for key share) t`;

/** A record that a relation points at. */
export type Target = PointedAt;

/** A target's name in `WriteScope.known`. */
export function targetKey(target: Target): string {
  return `${target.entityId}/${target.id}`;
}

/** Which of these are there for the caller, by `targetKey`. One statement; they stay until the transaction ends. */
export async function lockTargets(scope: WriteScope, targets: readonly Target[]): Promise<Set<string>> {
  const unknown = targets.filter((target) => !scope.known?.has(targetKey(target)));
  const present = new Set(targets.map(targetKey).filter((key) => scope.known?.has(key)));
  if (unknown.length === 0) return present;
  const values = [
    scope.tenantId,
    unknown.map((target) => target.entityId),
    unknown.map((target) => target.id),
  ];
  const found = await scope.tx.query<Target>(nameStatement(lockText, values));
  for (const target of await keepVisible(scope, found)) present.add(targetKey(target));
  return present;
}

/** To a caller who may not see a record it is not there. */
async function keepVisible(scope: WriteScope, targets: readonly Target[]): Promise<readonly Target[]> {
  if (!scope.access.isRestricted) return targets;
  const visible: Target[] = [];
  for (const [entityId, ofEntity] of Map.groupBy(targets, (target) => target.entityId)) {
    const entity = scope.model.entityById.get(entityId);
    if (!entity || !scope.access.of(entity).allows('READ')) continue;
    const ids = await findVisible(
      scope,
      entity,
      ofEntity.map((target) => target.id),
    );
    visible.push(...ofEntity.filter((target) => ids.has(target.id)));
  }
  return visible;
}

/** To-one relations among `written` whose target is not there. One statement; the targets stay until the transaction ends. */
export function findMissingTargets(
  scope: WriteScope,
  entity: EntityDefinition,
  written: readonly WrittenData[],
): Promise<FieldError[]> {
  const relations = entity.fields.filter((field) => field.type === 'RELATION');
  return findMissing(scope, relations, written);
}

async function findMissing(
  scope: WriteScope,
  relations: readonly FieldDefinition[],
  written: readonly WrittenData[],
): Promise<FieldError[]> {
  const targets = new Map<string, Target>();
  for (const field of relations) {
    for (const { data } of written) {
      for (const target of targetsIn(field, data[field.key])) targets.set(targetKey(target), target);
    }
  }
  if (targets.size === 0) return [];
  const present = await lockTargets(scope, [...targets.values()]);
  if (present.size === targets.size) return [];
  return written.flatMap(({ data, path }) =>
    relations.flatMap((field): FieldError[] => {
      const name = memberNames(field).at(-1) as string;
      const at = path === undefined ? name : `${path}.${name}`;
      return targetsIn(field, data[field.key])
        .filter((target) => !present.has(targetKey(target)))
        .map(({ entityId, id }) => ({
          field: at,
          rule: 'relation',
          message: `${at}: there is no ${nameOf(scope, entityId)} with the id ${id}`,
        }));
    }),
  );
}

/** What a relation's stored value points at, whether its entity is in the graph or not. */
function targetsIn(field: FieldDefinition, stored: unknown): readonly Target[] {
  if (isUnion(field)) return typeof stored === 'string' ? [splitStored(stored)] : [];
  const ids = Array.isArray(stored) ? (stored as string[]) : typeof stored === 'string' ? [stored] : [];
  return ids.map((id) => ({ entityId: field.targetEntityId as string, id }));
}

function nameOf({ model }: WriteScope, entityId: string): string {
  const entity = model.entityById.get(entityId);
  return entity ? typeName(entity) : 'record';
}

/** As above for every relation, and throws BAD_USER_INPUT for those that are missing. */
export async function requireTargets(
  scope: WriteScope,
  entity: EntityDefinition,
  written: readonly WrittenData[],
): Promise<void> {
  const relations = entity.fields.filter((field) => field.targetEntityId !== null || isUnion(field));
  const missing = await findMissing(scope, relations, written);
  if (missing.length > 0) throw invalidInput(missing.slice(0, 100));
}
