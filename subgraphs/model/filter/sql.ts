/**
 * A filter as an SQL condition on a row of `records`.
 *
 * The language is two-valued, SQL is not: every expression made here is true where the filter holds, and false **or null**
 * where it does not. `and`, `or`, `exists` and `where` keep that; a negation is `… is not true`. So positive conditions
 * stay plain, and the indexes on slots serve them.
 */
import { ruleOf } from '../field-types.ts';
import { activeTargets, isUnion } from '../union-relations.ts';
import { countCodePoints, foldKey, foldKeyLength, foldText, prefixEnd } from '../fold.ts';
import type { FieldDefinition } from '../definition.ts';
import type { ComparisonNode, FilterNode } from './node.ts';
import type { SystemFilterMember } from './sdl.ts';
import type { SqlParameters, SqlType } from './sql-parameters.ts';
import {
  dataSql,
  dataTextSql,
  foldedDataSql,
  foldedTextSql,
  numericSql,
  orderKeySql,
  pointedEntitySql,
  pointsAtSql,
  relationIdTextSql,
  slotSql,
} from './sql-values.ts';
import type { SqlRow } from './sql-values.ts';

export interface FilterSqlOptions {
  readonly tenantId: string;
  readonly parameters: SqlParameters;
}

interface Writing extends FilterSqlOptions {
  /** Aliases of joined rows used so far. */
  joined: number;
}

/** The condition; it names tables by `records` and the given alias, and values by parameters only. */
export function filterSql(node: FilterNode, row: SqlRow, options: FilterSqlOptions): string {
  return write(node, row, { ...options, joined: 0 });
}

function write(node: FilterNode, row: SqlRow, writing: Writing): string {
  switch (node.kind) {
    case 'all':
      return joinAll(
        node.nodes.map((inner) => write(inner, row, writing)),
        ' and ',
        'true',
      );
    case 'any':
      return joinAll(
        node.nodes.map((inner) => write(inner, row, writing)),
        ' or ',
        'false',
      );
    case 'not': {
      const inner = write(node.node, row, writing);
      // `exists` and `is null` are never null; a plain `not exists` can become an anti-join.
      const isTwoValued =
        node.node.kind === 'to-one' ||
        node.node.kind === 'to-many' ||
        (node.node.kind === 'comparison' && node.node.operator === 'isNull');
      return isTwoValued ? `(not ${inner})` : `(${inner} is not true)`;
    }
    case 'comparison':
      return typeof node.subject === 'string'
        ? systemSql(node, node.subject, row, writing)
        : fieldSql(node, node.subject, row, writing);
    case 'to-one': {
      const target: SqlRow = { alias: nextAlias(row, writing), entity: node.target };
      const link = pointsAtSql(row, node.field, `${target.alias}.id`, writing.parameters);
      return existsSql(target, link, write(node.node, target, writing), writing);
    }
    case 'to-many': {
      const child: SqlRow = { alias: nextAlias(row, writing), entity: node.entity };
      const link =
        node.link === undefined
          ? pointsAtSql(child, node.field, `${row.alias}.id`, writing.parameters)
          : linkedSql(child.alias, `${row.alias}.id`, node.field, node.link, writing);
      return existsSql(child, link, write(node.node, child, writing), writing);
    }
  }
}

/**
 * That a row is linked to another by a many-to-many relation: `forward` where the row is at the end that the links point
 * at. The ids are read first, by the index of the links, and the rows then by their own.
 */
export function linkedSql(
  alias: string,
  otherId: string,
  field: FieldDefinition,
  direction: 'forward' | 'inverse',
  { tenantId, parameters }: FilterSqlOptions,
): string {
  const [wanted, given] = direction === 'forward' ? ['target_id', 'owner_id'] : ['owner_id', 'target_id'];
  const link = `l.tenant_id = ${parameters.add(tenantId, 'uuid')} and l.field_id = ${parameters.add(field.id, 'uuid')}`;
  return `${alias}.id = any(array(select l.${wanted} from record_links l where ${link} and l.${given} = ${otherId}))`;
}

/**
 * `offset 0` keeps it a probe for each row, by the index of the link. As a join its order would hang on estimates, and a
 * tenant that the statistics do not know yet counts as one row: three nested loops over a thousand records took minutes.
 */
function existsSql(row: SqlRow, link: string, condition: string, writing: Writing): string {
  const { alias } = row;
  const tenant = writing.parameters.add(writing.tenantId, 'uuid');
  const entity = writing.parameters.add(row.entity.id, 'uuid');
  return `exists (select from records ${alias} where ${alias}.tenant_id = ${tenant} and ${alias}.entity_id = ${entity} and ${link} and ${alias}.deleted_at is null and ${condition} offset 0)`;
}

function nextAlias(row: SqlRow, writing: Writing): string {
  writing.joined += 1;
  return `${row.alias}_${writing.joined}`;
}

function joinAll(parts: string[], operator: string, empty: string): string {
  if (parts.length === 0) return empty;
  return parts.length === 1 ? (parts[0] as string) : `(${parts.join(operator)})`;
}

const signs = { lt: '<', lte: '<=', gt: '>', gte: '>=' } as const;
const systemColumns: Readonly<
  Record<SystemFilterMember, { column: string; type: 'uuid' | 'int4' | 'timestamptz' }>
> = {
  id: { column: 'id', type: 'uuid' },
  version: { column: 'version', type: 'int4' },
  createdAt: { column: 'created_at', type: 'timestamptz' },
  updatedAt: { column: 'updated_at', type: 'timestamptz' },
  createdBy: { column: 'created_by', type: 'uuid' },
  deletedAt: { column: 'deleted_at', type: 'timestamptz' },
};

function systemSql(node: ComparisonNode, member: SystemFilterMember, row: SqlRow, writing: Writing): string {
  const { column, type } = systemColumns[member];
  const expression = `${row.alias}.${column}`;
  if (node.operator === 'isNull') return `(${expression} is ${node.value ? '' : 'not '}null)`;
  return compareSql(node, expression, type, node.value, writing);
}

/** `eq in lt lte gt gte` on an expression of a comparable type. */
export function compareSql(
  node: ComparisonNode,
  expression: string,
  type: 'uuid' | 'int4' | 'timestamptz' | 'float8' | 'numeric' | 'text',
  operand: unknown,
  writing: Pick<FilterSqlOptions, 'parameters'>,
): string {
  if (node.operator === 'in') {
    const values = (operand as unknown[]).filter((value) => type !== 'uuid' || value !== '');
    return `(${expression} = any(${writing.parameters.add(values, `${type}[]`)}))`;
  }
  // An id that no record can have.
  if (type === 'uuid' && operand === '') return 'false';
  const sign = node.operator === 'eq' ? '=' : signs[node.operator as keyof typeof signs];
  return `(${expression} ${sign} ${writing.parameters.add(operand, type)})`;
}

function fieldSql(node: ComparisonNode, field: FieldDefinition, row: SqlRow, writing: Writing): string {
  if (isUnion(field)) return unionSql(node, field, row, writing);
  if (node.operator === 'isNull') {
    return `(${slotSql(row, field) ?? dataSql(row, field)} is ${node.value ? '' : 'not '}null)`;
  }
  const slot = slotSql(row, field);
  const { parameters } = writing;
  switch (node.comparison) {
    case 'TEXT':
      return textSql(node, field, row, writing);
    case 'CHOICES': {
      const values = node.value as string[];
      if (values.length === 0) return node.operator === 'every' ? 'true' : 'false';
      return `(${dataSql(row, field)} ${node.operator === 'some' ? '?|' : '?&'} ${parameters.add(values, 'text[]')})`;
    }
    case 'DOCUMENT':
      return `(${dataSql(row, field)} = ${parameters.add(JSON.stringify(node.value), 'jsonb')})`;
    case 'ID':
      if (slot !== null) return compareSql(node, slot, 'uuid', node.value, writing);
      return compareSql(node, dataTextSql(row, field), 'text', node.value, writing);
    case 'DECIMAL':
      return decimalComparisonSql(node, row, field, writing);
    default: {
      const key = orderKeySql(row, field, parameters);
      const type = key.type as 'timestamptz' | 'float8' | 'text';
      const form = (value: unknown): unknown => (type === 'text' ? value : ruleOf(field).toSlot(value));
      const operand = Array.isArray(node.value) ? node.value.map(form) : form(node.value);
      return compareSql(node, key.sql, type satisfies SqlType, operand, writing);
    }
  }
}

/** What points at an entity that is not in the graph reads as nothing, and so counts as nothing. */
function unionSql(node: ComparisonNode, field: FieldDefinition, row: SqlRow, writing: Writing): string {
  const { parameters } = writing;
  const slot = slotSql(row, field);
  const value = slot ?? dataSql(row, field);
  const entity = pointedEntitySql(row, field);
  const active = activeTargets(field).map((target) => target.entityId);
  const isVisible =
    active.length === field.targets?.length ? [] : [`${entity} = any(${parameters.add(active, 'text[]')})`];
  const isPresent = conditions(`${value} is not null`, ...isVisible);
  if (node.operator === 'isNull') return node.value ? `(${isPresent} is not true)` : `(${isPresent} is true)`;
  if (node.comparison === 'TARGET') return compareSql(node, entity, 'text', node.value, writing);
  const comparison =
    slot === null
      ? compareSql(node, relationIdTextSql(row, field), 'text', node.value, writing)
      : compareSql(node, slot, 'uuid', node.value, writing);
  return conditions(comparison, ...isVisible);
}

/** The slot narrows, the exact number decides: a double is never below another whose decimal is above. */
function decimalComparisonSql(
  node: ComparisonNode,
  row: SqlRow,
  field: FieldDefinition,
  writing: Writing,
): string {
  const { parameters } = writing;
  const slot = slotSql(row, field);
  const { operator, value } = node;
  const narrow = (condition: (column: string) => string): string[] =>
    slot === null ? [] : [condition(slot)];
  if (operator === 'in') {
    const values = value as string[];
    return conditions(
      ...narrow((column) => `${column} = any(${parameters.add(values.map(Number), 'float8[]')})`),
      `${dataTextSql(row, field)} = any(${parameters.add(values, 'text[]')})`,
    );
  }
  if (operator === 'eq') {
    return conditions(
      ...narrow((column) => `${column} = ${parameters.add(Number(value), 'float8')}`),
      `${dataTextSql(row, field)} = ${parameters.add(value, 'text')}`,
    );
  }
  const sign = signs[operator as keyof typeof signs];
  return conditions(
    ...narrow((column) => `${column} ${sign.slice(0, 1)}= ${parameters.add(Number(value), 'float8')}`),
    `${numericSql(row, field, parameters)} ${sign} ${parameters.add(value, 'numeric')}`,
  );
}

const isShort = (folded: string): boolean =>
  folded.length < foldKeyLength || countCodePoints(folded) < foldKeyLength;

function textSql(node: ComparisonNode, field: FieldDefinition, row: SqlRow, writing: Writing): string {
  const { parameters } = writing;
  const slot = slotSql(row, field);
  const text = dataTextSql(row, field);
  const value = node.value as string;
  switch (node.operator) {
    case 'eq': {
      const key = slot === null ? [] : [`${slot} = ${parameters.add(foldKey(value), 'text')}`];
      if (!node.isInsensitive) return conditions(...key, `${text} = ${parameters.add(value, 'text')}`);
      const folded = foldText(value);
      if (slot !== null && isShort(folded)) return conditions(...key);
      return conditions(...key, `${foldedDataSql(row, field)} = ${parameters.add(folded, 'text')}`);
    }
    case 'in': {
      const values = node.value as string[];
      const key = slot === null ? [] : [`${slot} = any(${parameters.add(values.map(foldKey), 'text[]')})`];
      if (!node.isInsensitive)
        return conditions(...key, `${text} = any(${parameters.add(values, 'text[]')})`);
      const folded = values.map(foldText);
      if (slot !== null && folded.every(isShort)) return conditions(...key);
      return conditions(...key, `${foldedTextSql(row, field)} = any(${parameters.add(folded, 'text[]')})`);
    }
    case 'contains': {
      const [within, part] = node.isInsensitive
        ? [foldedTextSql(row, field), foldText(value)]
        : [text, value];
      return `(strpos(${within}, ${parameters.add(part, 'text')}) > 0)`;
    }
    case 'endsWith': {
      const [within, end] = node.isInsensitive ? [foldedTextSql(row, field), foldText(value)] : [text, value];
      return `(right(${within}, ${countCodePoints(end)}) = ${parameters.add(end, 'text')})`;
    }
    case 'startsWith':
      return prefixSql(node, field, row, writing);
    default:
      return compareSql(node, orderKeySql(row, field, parameters).sql, 'text', foldKey(value), writing);
  }
}

/** A prefix of the text folds to a prefix of the slot, which is a range of it. */
function prefixSql(node: ComparisonNode, field: FieldDefinition, row: SqlRow, writing: Writing): string {
  const { parameters } = writing;
  const value = node.value as string;
  const slot = slotSql(row, field);
  const key = foldKey(value);
  const range: string[] = [];
  let isDecided = false;
  if (slot !== null) {
    const end = prefixEnd(key);
    range.push(`${slot} >= ${parameters.add(key, 'text')}`);
    if (end !== null) range.push(`${slot} < ${parameters.add(end, 'text')}`);
    isDecided = node.isInsensitive && key === foldText(value) && (end !== null || key === '');
  }
  if (isDecided) return conditions(...range);
  const [within, prefix] = node.isInsensitive
    ? [foldedTextSql(row, field), foldText(value)]
    : [dataTextSql(row, field), value];
  return conditions(...range, `starts_with(${within}, ${parameters.add(prefix, 'text')})`);
}

function conditions(...parts: string[]): string {
  return `(${parts.join(' and ')})`;
}
