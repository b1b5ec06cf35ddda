/**
 * Nested writes, read: an input that creates and connects records along relations becomes flat records, each with its
 * own id, and links between them and what is there. Pure; what is there is looked at by the store.
 */
import { invalidField } from '#schema/errors.ts';
import type { EntityDefinition, TenantModel } from '../definition.ts';
import { findField, findInverse, isManyToMany, isSingleInverse } from '../relations.ts';
import { checkInput } from './input.ts';
import { planList, planSingle } from './nested-inverses.ts';
import { countRecord, nestedLimits } from './nested-planning.ts';
import type { Input, Planning, ToPlan } from './nested-planning.ts';
import type { NestedPlan, NestedRoot } from './nested-plan.ts';
import { planLinked, planRelation } from './nested-relations.ts';
import { join } from './union-input.ts';

/** Whether the input speaks of other records by more than their ids. */
export function isNested(model: TenantModel, entity: EntityDefinition, input: Input): boolean {
  for (const name in input) {
    const value = input[name];
    if (value === undefined) continue;
    const field = findField(entity, name);
    if (!field && findInverse(model, entity, name)) return true;
    if (field?.type === 'RELATION' && typeof value === 'object' && value !== null) return true;
    if (field && isManyToMany(field) && isListChange(value)) return true;
  }
  return false;
}

/** Whether a many-to-many relation is given as what is to change of it: not as all of its ids, nor as none by null. */
function isListChange(value: unknown): boolean {
  return value !== null && !Array.isArray(value);
}

/**
 * Broken rules of all records are in `errors`, each with its whole path (`projects.create.0.name`). Throws
 * BAD_USER_INPUT at once where the input is too deep or too large. `createId` makes the new records' ids.
 */
export function planNested(
  model: TenantModel,
  entity: EntityDefinition,
  roots: readonly NestedRoot[],
  createId: () => string,
): NestedPlan {
  const planning: Planning = {
    model,
    createId,
    records: [],
    links: [],
    sets: [],
    lists: [],
    targets: [],
    errors: [],
    named: 0,
    planRecord: (record, level) => planRecord(planning, record, level),
  };
  for (const root of roots) planRecord(planning, { ...root, entity }, 1);
  return planning;
}

function planRecord(planning: Planning, record: ToPlan, level: number): void {
  const { entity, id, isNew, path } = record;
  const at = path ?? 'input';
  if (level > nestedLimits.levels) {
    throw invalidField(at, 'depth', `${at} is nested deeper than ${nestedLimits.levels} levels`);
  }
  countRecord(planning, at);
  const flat: Record<string, unknown> = {};
  const behind: (() => void)[] = [];
  for (const [name, value] of Object.entries(record.input)) {
    if (value === undefined) continue;
    const memberPath = join(path, name);
    const field = findField(entity, name);
    const inverse = field ? undefined : findInverse(planning.model, entity, name);
    if (field?.type === 'RELATION') {
      flat[name] = planRelation(planning, field, value, memberPath, level);
    } else if (field && isManyToMany(field) && isListChange(value)) {
      const ids = planLinked(planning, { ...record, field }, value, memberPath, level);
      if (isNew && ids.length > 0) flat[name] = ids;
    } else if (inverse) {
      const parent = { id, isNew };
      behind.push(() =>
        isSingleInverse(inverse)
          ? planSingle(planning, inverse, parent, value, memberPath, level)
          : planList(planning, inverse, parent, value, memberPath, level),
      );
    } else flat[name] = value;
  }
  const options = path === undefined ? { partial: !isNew } : { partial: !isNew, path };
  const { data, errors } = checkInput(entity, flat, options);
  planning.errors.push(...errors);
  planning.records.push({ entity, id, isNew, path, input: flat, data: errors.length === 0 ? data : {} });
  for (const plan of behind) plan();
}
