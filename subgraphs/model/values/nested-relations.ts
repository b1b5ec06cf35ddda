/** Nested writes along relations that the record itself has: to one, to one of several entities, to many. */
import type { EntityDefinition, FieldDefinition } from '../definition.ts';
import { getTarget, targetMembers } from '../relations.ts';
import { isUnion } from '../union-relations.ts';
import { readId } from './choice.ts';
import { readChoice, readLists } from './nested-choices.ts';
import { countRecord } from './nested-planning.ts';
import type { Input, Planning, ToPlan } from './nested-planning.ts';
import type { PlannedList } from './nested-plan.ts';

/** What the relation's own member becomes in the flat input. */
export function planRelation(
  planning: Planning,
  field: FieldDefinition,
  value: unknown,
  path: string,
  level: number,
): unknown {
  if (value === null) return null;
  const choice = readChoice(planning, value, path);
  if (choice === null) return undefined;
  if (choice.kind === 'disconnect') return null;
  if (choice.kind === 'connect') {
    countRecord(planning, path);
    return { connect: choice.value };
  }
  const created = isUnion(field)
    ? readCreated(planning, field, choice.value, `${path}.create`)
    : { target: getTarget(planning.model, field), input: choice.value, path: `${path}.create` };
  if (created === null) return undefined;
  const id = planning.createId();
  const { target: entity, input, path: at } = created;
  planning.planRecord({ entity, id, isNew: true, path: at, input: input as Input }, level + 1);
  return { connect: isUnion(field) ? { [entity.name]: id } : id };
}

/** `{ client: { … } }`: which of a union's entities the new record is of. Null where a broken rule was reported. */
function readCreated(
  planning: Planning,
  field: FieldDefinition,
  value: unknown,
  path: string,
): { target: EntityDefinition; input: unknown; path: string } | null {
  const given = Object.entries(Object(value)).filter(([, member]) => member !== undefined && member !== null);
  const members = targetMembers(planning.model, field);
  const [name, input] = given[0] ?? [];
  const target = members.find((member) => member.name === name)?.target;
  if (given.length === 1 && target) return { target, input, path: `${path}.${name}` };
  const message = `${path} must hold exactly one of ${members.map((member) => member.name).join(', ')}`;
  planning.errors.push({ field: path, rule: 'relation', message });
  return null;
}

/** The records that a many-to-many relation is to hold: ids for a new record, changes of the list for one that is there. */
export function planLinked(
  planning: Planning,
  { entity, field, id: ownerId, isNew }: ToPlan & { readonly field: FieldDefinition },
  value: unknown,
  path: string,
  level: number,
): string[] {
  const lists = readLists(planning, value, path);
  if (lists === null) return [];
  const target = getTarget(planning.model, field);
  const ids: string[] = [];
  const change = (kind: PlannedList['kind'], targetId: string, at: string): void => {
    if (!isNew)
      planning.lists.push({ entity, field, ownerId, ownerPath: undefined, kind, targetId, path: at });
  };
  if (lists.set !== null) change('clear', '', `${path}.set`);
  for (const [i, input] of (lists.create ?? []).entries()) {
    const at = `${path}.create.${i}`;
    const id = planning.createId();
    planning.planRecord({ entity: target, id, isNew: true, path: at, input: input as Input }, level + 1);
    ids.push(id);
    change('add', id, at);
  }
  for (const member of ['connect', 'set', 'disconnect'] as const) {
    for (const [i, given] of (lists[member] ?? []).entries()) {
      const at = `${path}.${member}.${i}`;
      countRecord(planning, at);
      const id = readId(given);
      // Text that is no id is a record that nobody has.
      planning.targets.push({ entity: target, id: id ?? String(given), path: at });
      if (id === null) continue;
      if (member !== 'disconnect') ids.push(id);
      change(member === 'disconnect' ? 'remove' : 'add', id, at);
    }
  }
  return ids;
}
