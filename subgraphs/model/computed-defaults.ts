/** Defaults that are worked out when a record is created: the time, the user, the next number of a sequence. */
import type {
  ComputedDefault,
  ComputedDefaultKind,
  EntityDefinition,
  FieldDefinition,
} from './definition.ts';

/** Types that can hold what a kind of default comes to. A user is known by the id, which is text. */
export const computedDefaultTypes: Readonly<Record<ComputedDefaultKind, readonly string[]>> = {
  NOW: ['DATE', 'DATETIME'],
  CURRENT_USER: ['TEXT'],
  SEQUENCE: ['INTEGER', 'NUMBER', 'TEXT'],
};

/** Digits that a number of a sequence may have: what every JSON number holds exactly. */
const maxDigits = 15;

/** Who creates a record, and when. */
export interface Author {
  readonly now: Date;
  /** Null where no user of the tenant acts. */
  readonly userId: string | null;
}

/** A field whose default is a sequence, with it. */
export interface SequenceField {
  readonly field: FieldDefinition;
  readonly sequence: ComputedDefault;
}

const sequences = new WeakMap<EntityDefinition, readonly SequenceField[]>();

/** Whether a new record gets something where nothing is given; what it is may still be nothing (an API key is no user). */
export function hasDefault(field: Pick<FieldDefinition, 'defaultValue' | 'defaultFrom'>): boolean {
  return (field.defaultValue ?? null) !== null || field.defaultFrom !== null;
}

/** The input value that the default comes to; undefined for a sequence, whose numbers the store gives out. */
export function computeDefault({ kind }: ComputedDefault, type: string, author: Author): unknown {
  if (kind === 'CURRENT_USER') return author.userId;
  if (kind === 'SEQUENCE') return undefined;
  const now = author.now.toISOString();
  return type === 'DATE' ? now.slice(0, 10) : now;
}

/** Those of the entity, inactive ones left out: nothing is written to them. */
export function sequenceFields(entity: EntityDefinition): readonly SequenceField[] {
  let found = sequences.get(entity);
  if (!found) {
    found = entity.fields.flatMap((field) =>
      field.defaultFrom?.kind === 'SEQUENCE' ? [{ field, sequence: field.defaultFrom }] : [],
    );
    sequences.set(entity, found);
  }
  return found;
}

/** The number as the field holds it: `42`, or `INV-00042`. */
export function writeNumber({ field, sequence }: SequenceField, number: number): number | string {
  if (field.type !== 'TEXT') return number;
  return (sequence.prefix ?? '') + String(number).padStart(sequence.digits ?? 0, '0');
}

/** The sequence's number in a stored value; null where it is none of the sequence's. */
export function readNumber({ field, sequence }: SequenceField, stored: unknown): number | null {
  if (typeof stored === 'number') return Number.isSafeInteger(Math.floor(stored)) ? Math.floor(stored) : null;
  const prefix = sequence.prefix ?? '';
  if (field.type !== 'TEXT' || typeof stored !== 'string' || !stored.startsWith(prefix)) return null;
  const digits = stored.slice(prefix.length);
  return new RegExp(`^[0-9]{1,${maxDigits}}$`).test(digits) ? Number(digits) : null;
}

/** For descriptions: what a new record gets where nothing is given. */
export function describeDefault({ defaultFrom: from }: Pick<FieldDefinition, 'defaultFrom'>): string | null {
  if (from === null) return null;
  if (from.kind === 'NOW') return 'Where absent: the time of the write.';
  if (from.kind === 'CURRENT_USER') return 'Where absent: the id of the user who writes.';
  const first = (from.prefix ?? '') + String(from.start ?? 1).padStart(from.digits ?? 0, '0');
  return `Where absent: the next number, from ${first}.`;
}

type Complain = (member: string, rule: string, sentence: string) => void;

/** Broken rules of a field's computed default. */
export function checkComputedDefault(field: FieldDefinition, complain: Complain): void {
  const from = field.defaultFrom;
  if (from === null) return;
  if ((field.defaultValue ?? null) !== null)
    complain('defaultFrom', 'duplicate', 'says the same as defaultValue: give one of them');
  const types = computedDefaultTypes[from.kind];
  if (!types.includes(field.type)) {
    const message = `${from.kind} is for ${types.join(', ')}, not for ${field.type}`;
    complain('defaultFrom.kind', 'type', message);
    return;
  }
  const { start, prefix, digits } = from;
  if (from.kind !== 'SEQUENCE') {
    for (const [member, value] of Object.entries({ start, prefix, digits }))
      if (value !== undefined) complain(`defaultFrom.${member}`, 'type', 'is for a SEQUENCE');
    return;
  }
  if (!Number.isInteger(start) || (start as number) < 0)
    complain('defaultFrom.start', 'range', 'must be a whole number from 0');
  const isText = field.type === 'TEXT';
  if (prefix !== undefined && !isText) complain('defaultFrom.prefix', 'type', 'is for a TEXT field');
  if (digits !== undefined && !isText) complain('defaultFrom.digits', 'type', 'is for a TEXT field');
  if (prefix !== undefined && (prefix.length > 40 || prefix.includes('\0') || !prefix.isWellFormed()))
    complain('defaultFrom.prefix', 'maxLength', 'must be text of at most 40 characters');
  if (prefix !== undefined && /[0-9]$/.test(prefix))
    complain('defaultFrom.prefix', 'characters', 'must not end in a digit');
  if (digits !== undefined && (!Number.isInteger(digits) || digits < 1 || digits > maxDigits))
    complain('defaultFrom.digits', 'range', `must be a whole number from 1 to ${maxDigits}`);
}
