/** What the generated shaper calls where a value is not simply right: null, missing, or an error to record. */
import type { Completion } from './errors.ts';

/** What one shaping reads and records. */
export interface Shaping {
  readonly variables: Readonly<Record<string, unknown>>;
  /** Answers to `__schema` and `__type` by response name. */
  readonly introspection: Readonly<Record<string, unknown>>;
  readonly completions: Completion[];
}

type Key = string | number;

function record(r: Shaping, message: string, path: Key[]): undefined {
  r.completions.push({ message, path });
  return undefined;
}

function invalid(r: Shaping, value: unknown, label: string, key: Key): null | undefined {
  if (value === null || value === undefined) return null;
  return record(r, `Invalid value found for field ${label}.`, [key]);
}

export const shaperRuntime = {
  /** Adds the key under which the errors since `from` lie. */
  atKey(r: Shaping, from: number, key: Key): void {
    for (let index = from; index < r.completions.length; index++) r.completions[index]?.path.push(key);
  },
  nullAt(r: Shaping, label: string, key: Key): void {
    record(r, `Cannot return null for non-nullable field ${label}.`, [key]);
  },
  stringLeaf: invalid,
  floatLeaf: invalid,
  booleanLeaf: invalid,
  enumLeaf: invalid,
  intLeaf: invalid,
  /** A number is an ID too, and its text is what clients get. */
  idLeaf(r: Shaping, value: unknown, label: string, key: Key): string | null | undefined {
    return typeof value === 'number' && Number.isInteger(value)
      ? String(value)
      : invalid(r, value, label, key);
  },
  /** For the names that every object inherits. */
  own(object: Record<string, unknown>, key: string): unknown {
    return Object.hasOwn(object, key) ? object[key] : undefined;
  },
  notObject(r: Shaping, type: string): undefined {
    return record(r, `Expected an object of type ${type}.`, []);
  },
  notList(r: Shaping, label: string): undefined {
    return record(r, `Expected a list for field ${label}.`, []);
  },
  unknownType(r: Shaping, type: string): undefined {
    return record(r, `Invalid __typename found for an object of type ${type}.`, []);
  },
  /** The client asks for the type of an object that no subgraph told. */
  noType(r: Shaping, type: string, key: Key): undefined {
    return record(r, `The type of an object of type ${type} is not known.`, [key]);
  },
};
