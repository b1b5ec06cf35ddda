/**
 * Nested writes, read: an input that creates and connects records along relations becomes flat records, each with its
 * own id, and links between them and what is there. Pure; what is there is looked at by the store.
 */
import { invalidField } from '#schema/errors.ts';
import type { FieldError } from '#schema/errors.ts';
import type { EntityDefinition, FieldDefinition, TenantModel } from '../definition.ts';
import { relationIdName } from '../names.ts';
import { findField, findInverse, getTarget, isManyToMany, isSingleInverse } from '../relations.ts';
import type { Inverse } from '../relations.ts';
import { readId } from './choice.ts';
import { checkInput } from './input.ts';
import type {
  NestedPlan,
  NestedRoot,
  PlannedLink,
  PlannedList,
  PlannedRecord,
  PlannedSet,
  PlannedTarget,
} from './nested-plan.ts';

/** Bounds of one write. Levels: the records themselves are the first. Records: all that are created, changed or named. */
export const nestedLimits = { levels: 5, records: 1_000 } as const;

type Input = Readonly<Record<string, unknown>>;

/** Whether the input speaks of other records by more than their ids. */
export function isNested(model: TenantModel, entity: EntityDefinition, input: Input): boolean {
  for (const name in input) {
    const value = input[name];
    if (value === undefined) continue;
    const field = findField(entity, name);
    if (!field && findInverse(model, entity, name)) return true;
    if (field?.type === 'RELATION' && typeof value === 'object' && value !== null) return true;
    if (field && isManyToMany(field) && !Array.isArray(value)) return true;
  }
  return false;
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
  };
  for (const root of roots) planRecord(planning, { ...root, entity }, 1);
  return planning;
}

interface Planning {
  readonly model: TenantModel;
  readonly createId: () => string;
  readonly records: PlannedRecord[];
  readonly links: PlannedLink[];
  readonly sets: PlannedSet[];
  readonly lists: PlannedList[];
  readonly targets: PlannedTarget[];
  readonly errors: FieldError[];
  /** Records that the input created or named so far. */
  named: number;
}

type ToPlan = Pick<PlannedRecord, 'entity' | 'id' | 'isNew' | 'path' | 'input'>;

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
    } else if (field && isManyToMany(field) && !Array.isArray(value)) {
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

/** What the relation's own member becomes in the flat input. */
function planRelation(
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
  const target = getTarget(planning.model, field);
  const id = planning.createId();
  planRecord(
    planning,
    { entity: target, id, isNew: true, path: `${path}.create`, input: choice.value as Input },
    level + 1,
  );
  return { connect: id };
}

/** The records that a many-to-many relation is to hold: ids for a new record, changes of the list for one that is there. */
function planLinked(
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
    planRecord(planning, { entity: target, id, isNew: true, path: at, input: input as Input }, level + 1);
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

/** The one record that points here: another one before it lets go. */
function planSingle(
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

const listMembers = ['create', 'connect', 'disconnect', 'set'] as const;

function planList(
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

interface Parent {
  readonly id: string;
  readonly isNew: boolean;
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
  const names = isManyToMany(field) ? [field.name] : [field.name, idName];
  for (const name of names) {
    if (input[name] === undefined) continue;
    const message = `${path}.${name} is the record that it is nested in: leave it out`;
    planning.errors.push({ field: `${path}.${name}`, rule: 'duplicate', message });
  }
  const { [field.name]: _relation, ...rest } = input;
  const id = planning.createId();
  planRecord(
    planning,
    {
      entity,
      id,
      isNew: true,
      path,
      input: { ...rest, ...(isManyToMany(field) ? { [field.name]: [parent.id] } : { [idName]: parent.id }) },
    },
    level + 1,
  );
  return id;
}

type Choice = { kind: 'connect' | 'create'; value: unknown } | { kind: 'disconnect' };

/** `{ connect: … }`, `{ create: … }` or `{ disconnect: true }`; null where a broken rule was reported. */
function readChoice(planning: Planning, value: unknown, path: string): Choice | null {
  const { connect, create, disconnect, ...others } = Object(value) as Record<string, unknown>;
  const given: Choice[] = [];
  if (connect !== undefined)
    given.push(connect === null ? { kind: 'disconnect' } : { kind: 'connect', value: connect });
  if (create !== undefined && create !== null) given.push({ kind: 'create', value: create });
  if (disconnect === true) given.push({ kind: 'disconnect' });
  const [choice] = given;
  if (choice && given.length === 1 && Object.keys(others).length === 0) return choice;
  const message = `${path} must hold one of connect, create and disconnect: true`;
  planning.errors.push({ field: path, rule: 'relation', message });
  return null;
}

type Lists = Record<(typeof listMembers)[number], readonly unknown[] | null>;

/** Null where a broken rule was reported, or nothing is asked for. */
function readLists(planning: Planning, value: unknown, path: string): Lists | null {
  const complain = (field: string, rule: string, message: string): null => {
    planning.errors.push({ field, rule, message });
    return null;
  };
  if (value === null) return complain(path, 'null', `${path} must not be null: leave it out, or set: []`);
  const given = Object(value) as Record<string, unknown>;
  const lists: Lists = { create: null, connect: null, disconnect: null, set: null };
  for (const member of listMembers) {
    const list = given[member];
    // GraphQL's own rule for lists: a single value stands for a list of it.
    if (list !== undefined && list !== null) lists[member] = Array.isArray(list) ? list : [list];
  }
  if (lists.set !== null && (lists.connect !== null || lists.disconnect !== null)) {
    const message = `${path}.set says everything: leave ${path}.connect and ${path}.disconnect out`;
    return complain(`${path}.set`, 'relation', message);
  }
  return lists;
}

function countRecord(planning: Planning, path: string): void {
  planning.named += 1;
  if (planning.named <= nestedLimits.records) return;
  const message = `One write creates, changes and names at most ${nestedLimits.records} records in all`;
  throw invalidField(path, 'maxLength', message);
}

function join(path: string | undefined, name: string): string {
  return path === undefined ? name : `${path}.${name}`;
}
