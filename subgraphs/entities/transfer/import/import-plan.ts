/** An import's settings under one version of the definitions. */
import type { Claims } from '#schema/claims.ts';
import { DomainError, type FieldError, invalidField, invalidInput } from '#schema/errors.ts';
import type { EntityDefinition, FieldDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import { type ModelAccess, modelAccess } from '#subgraphs/model/permissions/access.ts';
import { hasDefault } from '#subgraphs/model/computed-defaults.ts';
import { findUniqueKey, type UniqueKey } from '#subgraphs/model/unique-keys.ts';
import { isBroken, type RowItem } from '../formats/source-row.ts';
import { type ColumnTargets, createColumnTargets } from './column-mapping.ts';
import type { ImportSettings } from './import-settings.ts';

export interface ImportPlan {
  readonly model: TenantModel;
  readonly entity: EntityDefinition;
  readonly targets: ColumnTargets;
  /** UPSERT: the unique field or group by which a record is known. */
  readonly upsertOn: UniqueKey | null;
}

/**
 * Throws NOT_FOUND for an entity that is not there, BAD_USER_INPUT for settings that do not fit it, and FORBIDDEN where the
 * caller may not write what they name, or look records up by it.
 */
export function createImportPlan(
  model: TenantModel,
  caller: Claims,
  entityName: string | null,
  settings: Pick<ImportSettings, 'mode' | 'upsertOn' | 'columns'>,
): ImportPlan {
  const entity = entityName === null ? undefined : model.entityByName.get(entityName);
  if (!entity) throw new DomainError('NOT_FOUND', `There is no entity "${(entityName ?? '').slice(0, 80)}"`);
  const access = modelAccess(model, caller);
  access.of(entity).assertAllows('CREATE');
  if (settings.mode === 'UPSERT') access.of(entity).assertAllows('UPDATE');
  const plan: ImportPlan = {
    model,
    entity,
    targets: createColumnTargets(model, entity, settings.columns),
    upsertOn: settings.mode === 'UPSERT' ? getUpsertKey(entity, settings.upsertOn) : null,
  };
  for (const field of plan.upsertOn?.fields ?? []) access.of(entity).assertReadable(field);
  const mapped = settings.columns.filter(({ field }) => field !== null).map(({ column }) => column);
  requireAccess(plan, access, mapped);
  return plan;
}

/** Throws FORBIDDEN that names every column whose field the caller may not write, and one that finds records by what is hidden. */
export function requireAccess(plan: ImportPlan, access: ModelAccess, columns: Iterable<string>): void {
  if (!access.isRestricted) return;
  const own = access.of(plan.entity);
  const errors: FieldError[] = [];
  for (const column of columns) {
    const target = plan.targets.find(column);
    if (!target) continue;
    const { field, member, relation } = target;
    if (!own.mayWrite(field)) {
      const message = `The column "${column.slice(0, 80)}" goes into "${member}" of "${plan.entity.name}", which your role may not write; map it to null to leave it out`;
      errors.push({ field: member, rule: 'permission', message });
    }
    if (!relation?.by) continue;
    access.of(relation.target).assertAllows('READ');
    access.of(relation.target).assertReadable(relation.by);
  }
  if (errors.length === 0) return;
  const message = errors.map((error) => error.message).join('; ');
  throw new DomainError('FORBIDDEN', message, { fields: errors });
}

function getUpsertKey(entity: EntityDefinition, name: string | null): UniqueKey {
  if (name === null)
    throw invalidField('upsertOn', 'required', 'An UPSERT needs upsertOn, a unique field or group');
  const key = findUniqueKey(entity, name);
  if (key) return key;
  const message = `"${name.slice(0, 80)}" is no unique field or group of "${entity.name}"`;
  throw invalidField('upsertOn', 'unique', message);
}

/** Throws BAD_USER_INPUT where no row could be imported: nothing maps to a field that every record needs. */
export function requireColumns(plan: ImportPlan, items: readonly RowItem[]): void {
  const columns = columnsOf(items);
  if (columns.size === 0) return;
  const mapped = new Set<FieldDefinition>();
  for (const column of columns) {
    const target = plan.targets.find(column);
    if (target) mapped.add(target.field);
  }
  const missing = plan.upsertOn
    ? plan.upsertOn.fields.filter((field) => !mapped.has(field))
    : plan.entity.fields.filter((field) => field.isRequired && !hasDefault(field) && !mapped.has(field));
  const errors = missing.map((field): FieldError => {
    const message = `No column of the file goes into "${field.name}", which every record of "${plan.entity.name}" needs`;
    return { field: field.name, rule: 'column', message };
  });
  if (mapped.size === 0 && errors.length === 0) {
    errors.push({
      field: 'columns',
      rule: 'column',
      message: `No column of the file goes into a field of "${plan.entity.name}"`,
    });
  }
  if (errors.length > 0) throw invalidInput(errors);
}

/** Every column that some row has. */
export function columnsOf(items: readonly RowItem[]): Set<string> {
  const columns = new Set<string>();
  for (const item of items) {
    if (!isBroken(item)) for (const column of Object.keys(item.values)) columns.add(column);
  }
  return columns;
}
