/** Which columns an export has, and what of a record stands in each: in a form that an import reads back identically. */
import { type FieldError, invalidInput } from '#schema/errors.ts';
import type { FileFacts } from '#schema/file-content.ts';
import type { EntityDefinition, FieldDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import { memberNames } from '#subgraphs/model/names.ts';
import { type OutputMember, outputMembers } from '#subgraphs/model/output-members.ts';
import { findField, findMemberField, getTarget, isManyToMany } from '#subgraphs/model/relations.ts';
import type { ModelAccess } from '#subgraphs/model/permissions/access.ts';
import { isUnion } from '#subgraphs/model/union-relations.ts';
import type { StoredRecord } from '../../store/record-store.ts';
import type { TransferFormat } from '../formats/source-row.ts';
import { listSeparator } from '../values/convert-cell.ts';

export interface ExportColumn {
  readonly name: string;
  /** The relation that the value is found through; null: it is the record's own. */
  readonly through: { readonly field: FieldDefinition; readonly target: EntityDefinition } | null;
  /** Of the record itself, or of the one that it refers to. */
  read(record: StoredRecord): unknown;
}

export interface ColumnOptions {
  readonly fields: readonly string[];
  readonly format: TransferFormat;
  readonly usesLabels: boolean;
  /** The reader's. */
  readonly access: ModelAccess;
}

const systemColumns: Readonly<Record<string, (record: StoredRecord) => unknown>> = {
  id: (record) => record.id,
  version: (record) => record.version,
  createdAt: (record) => record.createdAt.toISOString(),
  updatedAt: (record) => record.updatedAt.toISOString(),
  createdBy: (record) => record.createdBy,
};

/**
 * Without `fields`: the id and every field that may be read, a relation as the other record's id. Throws BAD_USER_INPUT for one
 * that is not there, FORBIDDEN for one that may not be read.
 */
export function createExportColumns(
  model: TenantModel,
  entity: EntityDefinition,
  options: ColumnOptions,
): ExportColumn[] {
  const names =
    options.fields.length > 0
      ? options.fields
      : [
          'id',
          ...entity.fields.filter((field) => options.access.of(entity).mayRead(field)).flatMap(memberNames),
        ];
  const errors: FieldError[] = [];
  const columns = names.flatMap((name, index) => {
    const column = createColumn(model, entity, name, options);
    if (column) return column;
    const message = `"${name.slice(0, 80)}" is no field of "${entity.name}", nor one of a record that it refers to`;
    errors.push({ field: `fields.${index}`, rule: 'exists', message });
    return [];
  });
  if (errors.length > 0) throw invalidInput(errors);
  return columns;
}

function createColumn(
  model: TenantModel,
  entity: EntityDefinition,
  name: string,
  options: ColumnOptions,
): ExportColumn | null {
  const own = readerOf(entity, name, options);
  if (own) return { name, through: null, read: own };
  const [relation = '', member = '', ...rest] = name.split('.');
  const field = findField(entity, relation);
  if (field?.type !== 'RELATION' || isUnion(field) || rest.length > 0) return null;
  const target = getTarget(model, field);
  options.access.of(entity).assertReadable(field);
  options.access.of(target).assertAllows('READ');
  const read = readerOf(target, member, options);
  return read ? { name, through: { field, target }, read } : null;
}

function readerOf(
  entity: EntityDefinition,
  name: string,
  options: ColumnOptions,
): ((record: StoredRecord) => unknown) | null {
  if (Object.hasOwn(systemColumns, name)) return systemColumns[name] ?? null;
  const named = findField(entity, name);
  const field = findMemberField(entity, name);
  // A relation to several entities needs both of its members to be read back.
  if (!field || (named && isUnion(field))) return null;
  options.access.of(entity).assertReadable(field);
  const write = createCellWriter(field, options);
  const members = outputMembers(field);
  const { read } = (members.find((member) => member.name === name) ?? members.at(-1)) as OutputMember;
  return (record) => {
    const value = read(record.data[field.key] ?? null);
    return value === null ? null : write(value);
  };
}

/** From a value as the API shows it to the file's. JSON holds every kind as it is; CSV only text. */
function createCellWriter(
  field: FieldDefinition,
  { format, usesLabels }: ColumnOptions,
): (value: unknown) => unknown {
  const isText = format === 'CSV';
  if (field.type === 'FILE') return isText ? (value) => (value as FileFacts).id : (value) => value;
  if (field.type === 'JSON') return isText ? (value) => JSON.stringify(value) : (value) => value;
  const labelOf = usesLabels ? createLabels(field) : (value: string) => value;
  if (field.type === 'SELECT') return (value) => labelOf(value as string);
  if (field.type !== 'MULTI_SELECT' && !isManyToMany(field)) return (value) => value;
  return (value) => {
    const items = (value as string[]).map(labelOf);
    if (!isText) return items;
    if (items.length === 0) return '[]';
    return (items.some((item) => item.includes(listSeparator)) ? (value as string[]) : items).join(
      listSeparator,
    );
  };
}

/** Labels that name one option only. */
function createLabels(field: FieldDefinition): (value: string) => string {
  const options = field.options ?? [];
  const labels = new Map<string, string>();
  for (const { value, label } of options) {
    const isAlone = !options.some(
      (other) => other.value !== value && (other.label === label || other.value === label),
    );
    labels.set(value, isAlone ? label : value);
  }
  return (value) => labels.get(value) ?? value;
}
