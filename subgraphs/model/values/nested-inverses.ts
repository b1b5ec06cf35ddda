/** Nested writes along relations that point at the record: its one, or its many. */
import type { FieldDefinition } from '../definition.ts';
import { memberNames, relationIdName, relationTypeName } from '../names.ts';
import { isManyToMany } from '../relations.ts';
import type { Inverse } from '../relations.ts';
import { isUnionView } from '../union-relations.ts';
import { readId } from './choice.ts';
import { readChoice, readLists } from './nested-choices.ts';
import { countRecord } from './nested-planning.ts';
import type { Input, Parent, Planning } from './nested-planning.ts';

/** The one record that points here: another one before it lets go. */
export function planSingle(
  planning: Planning,
  inverse: Inverse,
  parent: Parent,
  value: unknown,
  path: string,
  level: number,
): void {
  const choice = value === null ? ({ kind: 'disconnect' } as const) : readChoice(planning, value, path);
  if (choice === null) return;
  const kept = new Set<string>();
  if (choice.kind === 'connect')
    kept.add(planConnect(planning, inverse, parent, choice.value, `${path}.connect`));
  if (choice.kind === 'create') {
    kept.add(planChild(planning, inverse, parent, choice.value, `${path}.create`, level));
  }
  if (!parent.isNew) planning.sets.push({ inverse, parentId: parent.id, kept, path });
}

/** The records that point here: some more, some less, or all that are to. */
export function planList(
  planning: Planning,
  inverse: Inverse,
  parent: Parent,
  value: unknown,
  path: string,
  level: number,
): void {
  const lists = readLists(planning, value, path);
  if (lists === null) return;
  const kept = new Set<string>();
  for (const [i, item] of (lists.create ?? []).entries()) {
    kept.add(planChild(planning, inverse, parent, item, `${path}.create.${i}`, level));
  }
  for (const [i, id] of (lists.connect ?? []).entries()) {
    planConnect(planning, inverse, parent, id, `${path}.connect.${i}`);
  }
  for (const [i, id] of (lists.disconnect ?? []).entries()) {
    const at = `${path}.disconnect.${i}`;
    if (isManyToMany(inverse.field)) {
      planOwner(planning, inverse, parent, id, 'remove', at);
      continue;
    }
    countRecord(planning, at);
    planning.links.push({ kind: 'disconnect', inverse, parentId: parent.id, id: String(id), path: at });
  }
  if (lists.set === null) return;
  for (const [i, id] of lists.set.entries()) {
    kept.add(planConnect(planning, inverse, parent, id, `${path}.set.${i}`));
  }
  if (!parent.isNew) planning.sets.push({ inverse, parentId: parent.id, kept, path: `${path}.set` });
}

function planConnect(
  planning: Planning,
  inverse: Inverse,
  parent: Parent,
  id: unknown,
  path: string,
): string {
  if (isManyToMany(inverse.field)) return planOwner(planning, inverse, parent, id, 'add', path);
  countRecord(planning, path);
  planning.links.push({ kind: 'connect', inverse, parentId: parent.id, id: String(id), path });
  return String(id).toLowerCase();
}

/** A record whose many-to-many relation is to hold the parent, or not to. */
function planOwner(
  planning: Planning,
  { entity, field }: Inverse,
  parent: Parent,
  id: unknown,
  kind: 'add' | 'remove',
  path: string,
): string {
  countRecord(planning, path);
  const ownerId = readId(id) ?? String(id);
  planning.lists.push({ entity, field, ownerId, ownerPath: path, kind, targetId: parent.id, path });
  return ownerId;
}

/** A new record that points at its parent: it may not say itself at whom. */
function planChild(
  planning: Planning,
  inverse: Inverse,
  parent: Parent,
  value: unknown,
  path: string,
  level: number,
): string {
  const { entity, field } = inverse;
  const input = value as Input;
  const idName = relationIdName(field.name);
  const names = [...new Set([field.name, ...memberNames(field)])];
  for (const name of names) {
    if (input[name] === undefined) continue;
    const message = `${path}.${name} is the record that it is nested in: leave it out`;
    planning.errors.push({ field: `${path}.${name}`, rule: 'duplicate', message });
  }
  const { [field.name]: _relation, ...rest } = input;
  const own = isManyToMany(field)
    ? { [field.name]: [parent.id] }
    : {
        [idName]: parent.id,
        ...(isUnionView(field) ? { [relationTypeName(field.name)]: nameOfTarget(field) } : {}),
      };
  const id = planning.createId();
  planning.planRecord(
    {
      entity,
      id,
      isNew: true,
      path,
      input: { ...rest, ...own },
    },
    level + 1,
  );
  return id;
}

/** The only target of a union's view, by its name. */
function nameOfTarget(view: FieldDefinition): string | undefined {
  return view.targets?.find(({ entityId }) => entityId === view.targetEntityId)?.name;
}
