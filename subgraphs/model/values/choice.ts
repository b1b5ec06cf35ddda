/** SELECT, MULTI_SELECT, RELATION and MULTI_RELATION: values that name something else. */
import type { FieldDefinition } from '../definition.ts';
import { pointedAt } from '../union-relations.ts';
import { show } from './report.ts';
import type { Report } from './report.ts';

type WithOptions = Pick<FieldDefinition, 'options' | 'validation'>;

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** A record's id in its one spelling; null for text that no record can have as its id. */
export function readId(value: unknown): string | null {
  return typeof value === 'string' && uuid.test(value) ? value.toLowerCase() : null;
}

export function parseSelect(value: unknown, field: WithOptions, report: Report): string | undefined {
  if (typeof value === 'string' && isOption(value, field)) return value;
  report('option', `must be one of ${listOptions(field)}, not ${show(value)}`);
  return undefined;
}

export function parseMultiSelect(value: unknown, field: WithOptions, report: Report): string[] | undefined {
  // GraphQL's own rule for lists: a single value stands for a list of it.
  const values = Array.isArray(value) ? value : [value];
  const unknown = values.filter((item) => typeof item !== 'string' || !isOption(item, field));
  if (unknown.length > 0) {
    report('option', `must hold only ${listOptions(field)}, not ${show(unknown[0])}`);
    return undefined;
  }
  const twice = values.find((item, index) => values.indexOf(item) !== index);
  if (twice !== undefined) {
    report('duplicate', `holds ${show(twice)} twice`);
    return undefined;
  }
  const { minLength, maxLength } = field.validation ?? {};
  const isShort = typeof minLength === 'number' && values.length < minLength;
  const isLong = typeof maxLength === 'number' && values.length > maxLength;
  if (isShort) report('minLength', `must hold at least ${minLength} values, holds ${values.length}`);
  if (isLong) report('maxLength', `must hold at most ${maxLength} values, holds ${values.length}`);
  return isShort || isLong ? undefined : (values as string[]);
}

/**
 * Only the id's form; that the record exists is checked by the store, in the same transaction. A union's value comes in its
 * stored form: what an input says in two members was put together before.
 */
export function parseRelation(
  value: unknown,
  field: Pick<FieldDefinition, 'targetEntityId' | 'targets'>,
  report: Report,
): string | undefined {
  if (field.targets !== undefined) {
    if (typeof value === 'string' && readId(pointedAt(field, value)?.id) !== null) return value;
    report('relation', 'must name a record and the entity that it is of');
    return undefined;
  }
  const id = readId(value);
  if (id !== null) return id;
  report('relation', `must be the id of a record, not ${show(value)}`);
  return undefined;
}

/** Ids that one record's many-to-many relation holds at most. */
export const maxLinks = 1_000;

/** Ids in their order, each once; only their form is looked at, as for one. */
export function parseMultiRelation(value: unknown, _field: unknown, report: Report): string[] | undefined {
  const values = Array.isArray(value) ? value : [value];
  const ids = new Set<string>();
  for (const item of values) {
    const id = readId(item);
    if (id === null) {
      report('relation', `must hold ids of records, not ${show(item)}`);
      return undefined;
    }
    ids.add(id);
  }
  if (ids.size <= maxLinks) return [...ids].toSorted();
  report('maxLength', `must hold at most ${maxLinks} records, holds ${ids.size}`);
  return undefined;
}

function isOption(value: string, field: WithOptions): boolean {
  return field.options?.some((option) => option.value === value) ?? false;
}

function listOptions(field: WithOptions): string {
  const values = (field.options ?? []).map((option) => option.value);
  return values.length > 20 ? `its ${values.length} options` : values.join(', ');
}
