/** A draft's unique groups: fields that are unique together. */
import { DomainError } from '#schema/errors.ts';
import type { EntityDefinition, FieldDefinition, UniqueGroup } from '#subgraphs/model/definition.ts';
import { ruleOf } from '#subgraphs/model/field-types.ts';
import { isUnion } from '#subgraphs/model/union-relations.ts';
import { memberName } from '#subgraphs/model/unique-keys.ts';
import type { BrokenRules } from './broken-rules.ts';
import type { DraftEntity } from './definition-change.ts';
import type { UniqueGroupInput } from './definition-input.ts';
import { checkName } from './name-rules.ts';

const maxGroups = 10;
const maxMembers = 10;

/**
 * The entity's groups become these, all of them. A group of the same fields stays what it is, whatever its name; with
 * records, another one holds for them once its keys were made.
 */
export function setUniqueGroups(
  rules: BrokenRules,
  entity: DraftEntity,
  inputs: readonly UniqueGroupInput[],
  hasRecords: boolean,
): void {
  if (inputs.length > maxGroups)
    rules.add('uniqueGroups', 'maxLength', `an entity has at most ${maxGroups} uniqueGroups`);
  const known = new Map(entity.uniqueGroups.map((group) => [membersOf(group.fieldIds), group]));
  const names = new Set<string>();
  const sets = new Set<string>();
  entity.uniqueGroups = inputs.slice(0, maxGroups).map(({ name, fields }, index): UniqueGroup => {
    const path = `uniqueGroups.${index}`;
    checkName(rules, `${path}.name`, name);
    if (names.has(name)) rules.add(`${path}.name`, 'duplicate', `${path}.name is given twice: ${name}`);
    names.add(name);
    const fieldIds = readMembers(rules, entity, fields, `${path}.fields`);
    const set = membersOf(fieldIds);
    if (sets.has(set)) rules.add(`${path}.fields`, 'duplicate', `${path}.fields are those of another group`);
    sets.add(set);
    const before = known.get(set);
    if (before && before.state !== 'FAILED') return { ...before, name, fieldIds };
    return { id: crypto.randomUUID(), name, fieldIds, state: hasRecords ? 'RUNNING' : 'DONE' };
  });
}

const membersOf = (fieldIds: readonly string[]): string => fieldIds.toSorted().join();

function readMembers(
  rules: BrokenRules,
  entity: EntityDefinition,
  names: readonly string[],
  path: string,
): string[] {
  if (names.length < 2 || names.length > maxMembers) {
    const hint = names.length === 1 ? ': isUnique is for one field' : '';
    rules.add(path, 'length', `${path} must hold 2 to ${maxMembers} fields${hint}`);
    return [];
  }
  const members = new Set<string>();
  for (const [index, name] of names.entries()) {
    const at = `${path}.${index}`;
    const field = entity.fields.find((one) => one.name === name || memberName(one) === name);
    if (!field) rules.add(at, 'exists', `${at}: "${entity.name}" has no field "${name.slice(0, 80)}"`);
    else if (!canBeMember(field))
      rules.add(
        at,
        'type',
        `${at}: a ${isUnion(field) ? 'relation to several entities' : field.type} cannot be part of what is unique`,
      );
    else if (members.has(field.id)) rules.add(at, 'duplicate', `${at} is given twice: ${name.slice(0, 80)}`);
    else members.add(field.id);
  }
  return [...members];
}

/** A flag tells two records apart only together with something else. */
function canBeMember(field: FieldDefinition): boolean {
  if (field.becomes !== null) return false;
  return (ruleOf(field).canBeUnique && !isUnion(field)) || field.type === 'BOOLEAN';
}

/** CONFLICT where the field is a member of a group, which would then be about something else. */
export function refuseMember(entity: EntityDefinition, field: FieldDefinition, what: string): void {
  const groups = entity.uniqueGroups.filter((group) => group.fieldIds.includes(field.id));
  if (groups.length === 0) return;
  const names = groups.map((group) => `"${group.name}"`).join(', ');
  const message = `"${field.name}" ${what}: it is part of ${names} of "${entity.name}". Take it out of uniqueGroups first`;
  throw new DomainError('CONFLICT', message, {
    fields: [{ field: 'uniqueGroups', rule: 'unique', message }],
  });
}
