/** Where a field's value is found in a row of `records`: its slot, or the data. */
import type { EntityDefinition, FieldDefinition } from '../definition.ts';
import { ruleOf } from '../field-types.ts';
import { foldKeyLength } from '../fold.ts';
import { isUnionView } from '../union-relations.ts';
import { foldedMember } from '../stored-form.ts';
import { sqlText } from './sql-parameters.ts';
import type { SqlParameters, SqlType } from './sql-parameters.ts';

/** A row of `records` under an alias, known to be one of `entity`. */
export interface SqlRow {
  readonly alias: string;
  readonly entity: EntityDefinition;
}

const slotName = /^[tndr](?:[1-9]|1[0-9]|20)$/;

/** The slot's column; null where the field works from the data. */
export function slotSql(row: SqlRow, field: FieldDefinition): string | null {
  if (field.slot === null) return null;
  if (!slotName.test(field.slot)) throw new Error(`field ${field.id} has no possible slot: ${field.slot}`);
  return `${row.alias}.${field.slot}`;
}

/** The stored value as text; exact for text, choices, times and ids. */
export function dataTextSql(row: SqlRow, field: FieldDefinition): string {
  if (field.member !== undefined) return memberTextSql(row, field, field.member);
  return `(${row.alias}.data ->> ${sqlText(field.key)})`;
}

/** The same of one member of a stored object (`FieldDefinition.member`). */
function memberTextSql(row: SqlRow, field: FieldDefinition, member: string): string {
  return `(${row.alias}.data -> ${sqlText(field.key)} ->> ${sqlText(member)})`;
}

/** The stored value as jsonb. */
export function dataSql(row: SqlRow, field: FieldDefinition): string {
  const value = `(${row.alias}.data -> ${sqlText(field.key)})`;
  return field.member === undefined ? value : `(${value} -> ${sqlText(field.member)})`;
}

/** The whole folded text out of the data. True to the text only where the slot does not hold the whole (`foldedMember`). */
export function foldedDataSql(row: SqlRow, field: FieldDefinition): string {
  const folded =
    field.member === undefined
      ? `${row.alias}.data ->> ${sqlText(foldedMember(field.key))}`
      : memberTextSql(row, field, foldedMember(field.member));
  return `coalesce(${folded}, ${dataTextSql(row, field)})`;
}

/** The whole folded text. */
export function foldedTextSql(row: SqlRow, field: FieldDefinition): string {
  const slot = slotSql(row, field);
  if (slot === null) return foldedDataSql(row, field);
  return `(case when length(${slot}) < ${foldKeyLength} then ${slot} else ${foldedDataSql(row, field)} end)`;
}

/** The key by which a field is ordered, null where it has no value, and the type of a parameter to compare it with. */
export function orderKeySql(
  row: SqlRow,
  field: FieldDefinition,
  parameters: SqlParameters,
): { sql: string; type: SqlType } {
  const slot = slotSql(row, field);
  const kind = ruleOf(field).comparisonKind;
  if (kind === 'TEXT') {
    return {
      sql: slot ?? `(left(${foldedDataSql(row, field)}, ${foldKeyLength}) collate "C")`,
      type: 'text',
    };
  }
  // Without a slot a time is compared as text: the stored forms order as the times do.
  if (kind === 'TIME' && slot !== null) return { sql: slot, type: 'timestamptz' };
  if (kind === 'TIME' || kind === 'CHOICE')
    return { sql: slot ?? `(${dataTextSql(row, field)} collate "C")`, type: 'text' };
  if (kind === 'FLAG') {
    const flag = `(case ${dataTextSql(row, field)} when 'true' then 1.0::float8 when 'false' then 0.0::float8 end)`;
    return { sql: slot ?? flag, type: 'float8' };
  }
  if (kind === 'DECIMAL') return { sql: numericSql(row, field, parameters), type: 'numeric' };
  if (kind === 'NUMBER') return { sql: slot ?? castSql(row, field, 'float8', parameters), type: 'float8' };
  throw new Error(`a field of type ${field.type} has no order`);
}

/** The id that a relation holds, as uuid. */
export function relationIdSql(row: SqlRow, field: FieldDefinition, parameters: SqlParameters): string {
  const slot = slotSql(row, field);
  if (slot !== null || field.targets === undefined) return slot ?? castSql(row, field, 'uuid', parameters);
  return guardedSql(row, `${relationIdTextSql(row, field)}::uuid`, parameters);
}

/** The id that a relation holds, as the text in the data. */
export function relationIdTextSql(row: SqlRow, field: FieldDefinition): string {
  const text = dataTextSql(row, field);
  return field.targets === undefined ? text : `right(${text}, 36)`;
}

/** The id of the entity that a union points at, as text. */
export function pointedEntitySql(row: SqlRow, field: FieldDefinition): string {
  return `left(${dataTextSql(row, field)}, 36)`;
}

/** That a relation points at the record whose id the expression gives; of a union's view also that it is of the view's entity. */
export function pointsAtSql(
  row: SqlRow,
  field: FieldDefinition,
  id: string,
  parameters: SqlParameters,
): string {
  const link = `${relationIdSql(row, field, parameters)} = ${id}`;
  if (!isUnionView(field)) return link;
  return `${link} and ${pointedEntitySql(row, field)} = ${parameters.add(field.targetEntityId, 'text')}`;
}

/** A time's value as timestamptz, whether in a slot or not. */
export function timeSql(row: SqlRow, field: FieldDefinition, parameters: SqlParameters): string {
  const slot = slotSql(row, field);
  if (slot !== null) return slot;
  const text = dataTextSql(row, field);
  // A day is its first instant in UTC.
  const instant = field.type === 'DATE' ? `(${text} || 'T00:00:00Z')` : text;
  return guardedSql(row, `${instant}::timestamptz`, parameters);
}

/** A number's value as numeric, to the last digit of what is stored: sums of it do not depend on the order of the rows. */
export function numericSql(row: SqlRow, field: FieldDefinition, parameters: SqlParameters): string {
  const slot = field.type === 'DECIMAL' ? null : slotSql(row, field);
  return slot === null ? castSql(row, field, 'numeric', parameters) : `(${slot}::text)::numeric`;
}

function castSql(
  row: SqlRow,
  field: FieldDefinition,
  type: 'float8' | 'numeric' | 'uuid',
  parameters: SqlParameters,
): string {
  return guardedSql(row, `${dataTextSql(row, field)}::${type}`, parameters);
}

/** Rows of other entities may hold anything under the same key, and PostgreSQL may look at them first: the cast asks for the entity. */
function guardedSql(row: SqlRow, cast: string, parameters: SqlParameters): string {
  const entity = parameters.add(row.entity.id, 'uuid');
  return `(case when ${row.alias}.entity_id = ${entity} then ${cast} end)`;
}
