/** Which of the file's columns goes into which field. */
import { type FieldError, invalidInput } from '#schema/errors.ts';
import type { EntityDefinition, FieldDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import { memberNames, relationIdName, relationTypeName } from '#subgraphs/model/names.ts';
import {
  findField,
  findRelationByIdName,
  findUnionByTypeName,
  getTarget,
} from '#subgraphs/model/relations.ts';
import { isUnion } from '#subgraphs/model/union-relations.ts';
import { camelCase } from '../inference/field-names.ts';
import type { DateFormat } from '../values/date-formats.ts';

export interface ColumnMapping {
  readonly column: string;
  /** `name`, `companyId`, or through a relation to a unique field `company.taxId`; null: the column is left out. */
  readonly field: string | null;
  readonly dateFormat?: DateFormat | null;
  /** Texts that mean no value, beside those of the whole file. */
  readonly nullTexts?: readonly string[] | null;
}

export interface ColumnTarget {
  readonly column: string;
  readonly field: FieldDefinition;
  /** The member of the input that it becomes: the field's name, or a relation's id (`companyId`). */
  readonly member: string;
  readonly dateFormat: DateFormat | null;
  readonly nullTexts: readonly string[];
  /** RELATION: where the other record is looked for; `by` null: the cell is its id. */
  readonly relation: { readonly target: EntityDefinition; readonly by: FieldDefinition | null } | null;
}

export interface ColumnTargets {
  /** Null for a column that is left out. Columns without a mapping go by their names; the first one for a field wins. */
  find(column: string): ColumnTarget | null;
}

/** Throws BAD_USER_INPUT that names every mapping to a field that is not there, or to one that another has already. */
export function createColumnTargets(
  model: TenantModel,
  entity: EntityDefinition,
  mappings: readonly ColumnMapping[],
): ColumnTargets {
  const targets = new Map<string, ColumnTarget | null>();
  /** Members of the input. */
  const taken = new Set<string>();
  const errors: FieldError[] = [];
  for (const [index, mapping] of mappings.entries()) {
    const complain = (rule: string, sentence: string): void => {
      const field = `columns.${index}.field`;
      errors.push({ field, rule, message: `The column "${mapping.column.slice(0, 80)}" ${sentence}` });
    };
    if (targets.has(mapping.column)) complain('unique', 'is mapped twice');
    targets.set(mapping.column, null);
    if (mapping.field === null) continue;
    const found = findTarget(model, entity, mapping.field);
    if (typeof found === 'string') complain('exists', found);
    else if (taken.has(found.member))
      complain('unique', `is mapped to "${mapping.field}", as another column is`);
    else {
      taken.add(found.member);
      const { column, dateFormat = null } = mapping;
      targets.set(column, { ...found, column, dateFormat, nullTexts: mapping.nullTexts ?? [] });
    }
  }
  if (errors.length > 0) throw invalidInput(errors);

  return {
    find(column) {
      const known = targets.get(column);
      if (known !== undefined) return known;
      const found = findByName(model, entity, column);
      const target =
        found && !taken.has(found.member) ? { ...found, column, dateFormat: null, nullTexts: [] } : null;
      if (target) taken.add(target.member);
      targets.set(column, target);
      return target;
    },
  };
}

type Target = Pick<ColumnTarget, 'field' | 'member' | 'relation'>;

/** The target, or what is wrong with the path as a sentence goes on. */
function findTarget(model: TenantModel, entity: EntityDefinition, path: string): Target | string {
  const [name = '', key, ...rest] = path.split('.');
  const field =
    findField(entity, name) ??
    (key === undefined
      ? (findRelationByIdName(entity, name) ?? findUnionByTypeName(entity, name))
      : undefined);
  if (!field || rest.length > 0)
    return `is mapped to "${path.slice(0, 80)}", which is no field of "${entity.name}"`;
  if (field.type !== 'RELATION') {
    if (key !== undefined) return `is mapped to "${path.slice(0, 80)}", but "${name}" is no relation`;
    return { field, member: field.name, relation: null };
  }
  if (isUnion(field)) return findUnionMember(entity, field, path);
  const target = getTarget(model, field);
  const member = relationIdName(field.name);
  if (key === undefined || key === 'id') return { field, member, relation: { target, by: null } };
  const by = findField(target, key);
  if (!by?.isUnique)
    return `is mapped to "${path.slice(0, 80)}", but "${key}" is no unique field of "${target.name}"`;
  return { field, member, relation: { target, by } };
}

/** A relation to several entities is read from two columns. */
function findUnionMember(entity: EntityDefinition, field: FieldDefinition, path: string): Target | string {
  if (findRelationByIdName(entity, path) === field)
    return { field, member: relationIdName(field.name), relation: null };
  if (findUnionByTypeName(entity, path) === field)
    return { field, member: relationTypeName(field.name), relation: null };
  return `is mapped to "${path.slice(0, 80)}", which refers to one of several entities: map ${memberNames(field).join(' and ')}`;
}

/** A column called as a field, as one in camelCase, or as a field's label. */
function findByName(model: TenantModel, entity: EntityDefinition, column: string): Target | null {
  const paths = [column.trim(), camelCase(column) ?? ''];
  for (const path of paths) {
    const found = findTarget(model, entity, path);
    if (typeof found !== 'string') return found;
  }
  const lower = column.trim().toLowerCase();
  const labelled = entity.fields.find(
    (field) => field.label?.toLowerCase() === lower || field.name.toLowerCase() === lower,
  );
  const found = labelled ? findTarget(model, entity, labelled.name) : null;
  return typeof found === 'string' ? null : found;
}
