/** What a write may touch, held to permissions: operations and fields before anything is done, rows before and after. */
import { DomainError } from '#schema/errors.ts';
import type { FieldError } from '#schema/errors.ts';
import type { EntityDefinition, FieldDefinition } from '#subgraphs/model/definition.ts';
import type { ModelAccess } from '#subgraphs/model/permissions/access.ts';
import { findMemberField } from '#subgraphs/model/relations.ts';
import { maxFieldErrors } from '#subgraphs/model/values/input.ts';
import type { NestedPlan } from '#subgraphs/model/values/nested-plan.ts';
import { notFound } from './record-locks.ts';
import type { StoredRecord } from './record-store.ts';
import { findVisible } from './visible-records.ts';
import type { RecordChange, WriteScope } from './write-scope.ts';

/** An input by field name, and its place in a batch. */
interface GivenInput {
  readonly input: Readonly<Record<string, unknown>>;
  readonly path?: string | undefined;
}

/** Throws FORBIDDEN for an operation that is not allowed, and one that lists every field that may not be written. */
export function assertMayWrite(
  { access }: Pick<WriteScope, 'access'>,
  entity: EntityDefinition,
  operation: 'CREATE' | 'UPDATE',
  inputs: readonly GivenInput[],
): void {
  if (!access.isRestricted) return;
  access.of(entity).assertAllows(operation);
  refuse(inputs.flatMap((given) => unwritable(access, entity, given)));
}

/** As `assertMayWrite`, for everything that a nested write comes to. */
export function assertMayWritePlan({ access }: Pick<WriteScope, 'access'>, plan: NestedPlan): void {
  if (!access.isRestricted) return;
  const errors: FieldError[] = [];
  for (const { entity, isNew, input, path } of plan.records) {
    access.of(entity).assertAllows(isNew ? 'CREATE' : 'UPDATE');
    errors.push(...unwritable(access, entity, { input, path }));
  }
  const assertField = (entity: EntityDefinition, field: FieldDefinition, path: string): void => {
    access.of(entity).assertAllows('UPDATE');
    if (!access.of(entity).mayWrite(field)) errors.push(permissionError(entity, field, path));
  };
  for (const { inverse, path } of [...plan.links, ...plan.sets])
    assertField(inverse.entity, inverse.field, path);
  for (const { entity, field, path } of plan.lists) assertField(entity, field, path);
  refuse(errors);
}

function unwritable(
  access: ModelAccess,
  entity: EntityDefinition,
  { input, path }: GivenInput,
): FieldError[] {
  const own = access.of(entity);
  return Object.entries(input).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const field = findMemberField(entity, name);
    // What is no field at all is told by the input's own rules.
    if (!field || own.mayWrite(field)) return [];
    return permissionError(entity, field, path === undefined ? name : `${path}.${name}`);
  });
}

function permissionError(entity: EntityDefinition, field: FieldDefinition, path: string): FieldError {
  const message = `${path}: the field "${field.name}" of "${entity.name}" may not be written by this role`;
  return { field: path, rule: 'permission', message };
}

function refuse(errors: readonly FieldError[]): void {
  if (errors.length === 0) return;
  const fields = errors.slice(0, maxFieldErrors);
  throw new DomainError('FORBIDDEN', fields.map((error) => error.message).join('; '), { fields });
}

/**
 * What a write made of records must be what its caller may see: FORBIDDEN otherwise. What a deletion did to others follows
 * from the definitions and is nobody's to see. `result` is what is answered, for naming places in a batch.
 */
export async function assertResultVisible(
  scope: WriteScope,
  changes: readonly RecordChange[],
  result: unknown,
): Promise<void> {
  if (!scope.access.isRestricted || changes.some((change) => change.operation === 'DELETED')) return;
  for (const [entityId, ofEntity] of Map.groupBy(changes, (change) => change.after.entityId)) {
    const entity = scope.model.entityById.get(entityId);
    if (!entity) continue;
    const visible = await findVisible(
      scope,
      entity,
      ofEntity.map((change) => change.after.id),
    );
    const lost = ofEntity.filter((change) => !visible.has(change.after.id));
    if (lost.length > 0) throw resultError(entity, lost, result);
  }
}

/** A first answer that is given again: NOT_FOUND where a record of it may not be seen any more. */
export async function assertAnswerVisible(scope: WriteScope, answer: unknown): Promise<void> {
  if (!scope.access.isRestricted) return;
  const records = (Array.isArray(answer) ? answer : [answer]).filter(
    (one): one is StoredRecord => typeof one === 'object' && one !== null,
  );
  for (const [entityId, ofEntity] of Map.groupBy(records, (record) => record.entityId)) {
    const entity = scope.model.entityById.get(entityId);
    if (!entity) continue;
    const ids = ofEntity.map((record) => record.id);
    const visible = await findVisible(scope, entity, ids);
    for (const id of ids) if (!visible.has(id)) throw notFound(entity, id);
  }
}

function resultError(entity: EntityDefinition, lost: readonly RecordChange[], result: unknown): DomainError {
  const message = `This would make a record of "${entity.name}" one that this role may not see and write`;
  const answered: readonly { id?: unknown }[] = Array.isArray(result) ? result : [];
  const places = lost.slice(0, maxFieldErrors).flatMap(({ operation, after }) => {
    const index = answered.findIndex((record) => record.id === after.id);
    return index === -1 || answered.length === 1
      ? []
      : `${operation === 'RESTORED' ? 'ids' : 'inputs'}.${index}`;
  });
  const fields = places.map((field) => ({ field, rule: 'permission', message: `${field}: ${message}` }));
  return new DomainError('FORBIDDEN', message, fields.length > 0 ? { fields } : {});
}
