/** The members of nested inputs: one of `connect create disconnect`, or lists of them. */
import type { Planning } from './nested-planning.ts';

const listMembers = ['create', 'connect', 'disconnect', 'set'] as const;

export type Choice = { kind: 'connect' | 'create'; value: unknown } | { kind: 'disconnect' };

/** `{ connect: … }`, `{ create: … }` or `{ disconnect: true }`; null where a broken rule was reported. */
export function readChoice(planning: Planning, value: unknown, path: string): Choice | null {
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

export type Lists = Record<(typeof listMembers)[number], readonly unknown[] | null>;

/** Null where a broken rule was reported, or nothing is asked for. */
export function readLists(planning: Planning, value: unknown, path: string): Lists | null {
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
