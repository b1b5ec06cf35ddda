/** An aggregate as one statement: groups and their figures, chosen, ordered and limited by the database. */
import type { Statement } from '#prisma/record-database.ts';
import type { FieldDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import { ruleOf } from '#subgraphs/model/field-types.ts';
import type { ComparisonNode, FilterNode } from '#subgraphs/model/filter/node.ts';
import { activeTargets } from '#subgraphs/model/union-relations.ts';
import { compareSql } from '#subgraphs/model/filter/sql.ts';
import { createSqlParameters } from '#subgraphs/model/filter/sql-parameters.ts';
import type { SqlParameters } from '#subgraphs/model/filter/sql-parameters.ts';
import {
  dataTextSql,
  numericSql,
  orderKeySql,
  pointedEntitySql,
  relationIdSql,
  slotSql,
  timeSql,
} from '#subgraphs/model/filter/sql-values.ts';
import type { SqlRow } from '#subgraphs/model/filter/sql-values.ts';
import type { ModelAccess } from '#subgraphs/model/permissions/access.ts';
import type {
  AggregatePlan,
  GroupKey,
  GroupOrder,
  HavingNode,
  Measure,
} from '../filters/aggregate-request.ts';
import { listed, recordsWhere } from './listing.ts';
import { nameStatement } from './named-statement.ts';
import type { AggregateRequest } from './record-store.ts';
import { createRelationJoins } from './relation-joins.ts';
import { assertPathReadable } from './store-access.ts';

/** Rows have `c`, the count, `g0` `g1` … for the plan's keys, and a column for each measure that was asked for. */
export interface AggregateStatement {
  readonly statement: Statement;
  /** In the order of `measures`. */
  readonly columns: readonly string[];
}

type ComparedType = 'int4' | 'float8' | 'numeric' | 'timestamptz';

const systemColumns = { createdAt: 'created_at', updatedAt: 'updated_at', createdBy: 'created_by' } as const;
const grouped = 'a';

export function buildAggregateStatement(
  model: TenantModel,
  access: ModelAccess,
  request: AggregateRequest,
  plan: AggregatePlan,
  measures: readonly Measure[],
): AggregateStatement {
  for (const key of plan.keys) assertPathReadable(access, model, request.entity, key);
  const parameters = createSqlParameters();
  const row: SqlRow = { alias: listed, entity: request.entity };
  const where = recordsWhere(model, access, request, parameters);
  const joins = createRelationJoins(row, { model, access, parameters });

  const columns: string[] = [];
  const orders = plan.keys.map((key, i) => {
    const at = joins.follow(key.relations);
    columns.push(`${groupSql(at, key, parameters)} as g${i}`);
    return groupOrderSql(at, key, parameters, i);
  });
  columns.push('count(*) as c', ...orders.flatMap(({ column }) => column ?? []));

  const computed = new Map<string, string>();
  const columnOf = (measure: Measure): string => {
    const { name, subject } = measure;
    const key = `${name} ${typeof subject === 'string' ? subject : subject.id}`;
    let column = computed.get(key);
    // Whatever is computed comes by here: what is asked for, compared and ordered by.
    if (typeof subject !== 'string') access.of(request.entity).assertReadable(subject);
    if (column === undefined) {
      column = `m${computed.size}`;
      computed.set(key, column);
      columns.push(`${measureSql(row, measure, parameters)} as ${column}`);
    }
    return column;
  };
  const asked = measures.map(columnOf);
  const having = plan.having === null ? 'true' : havingSql(plan.having, columnOf, parameters);
  const order = orderSql(plan, orders, columnOf);

  const places = plan.keys.map((_, i) => i + 1).join(', ');
  const groupBy = places === '' ? '' : ` group by ${places}`;
  const offset = plan.offset > 0 ? ` offset ${parameters.add(plan.offset, 'int4')}` : '';
  const inner = `select ${columns.join(', ')} from records ${listed}${joins.sql()} where ${where}${groupBy}`;
  const text = `select * from (${inner}) ${grouped} where ${having}${order} limit ${plan.limit}${offset}`;
  return { statement: nameStatement(text, parameters.values), columns: asked };
}

/** The value that a group shares, exact: not the folded key of a text. */
function groupSql(row: SqlRow, { subject, bucket, part }: GroupKey, parameters: SqlParameters): string {
  if (part === 'type' && typeof subject !== 'string')
    return activeSql(row, subject, pointedEntitySql(row, subject), parameters);
  if (bucket !== null) {
    const time =
      typeof subject === 'string'
        ? `${row.alias}.${systemColumns[subject]}`
        : timeSql(row, subject, parameters);
    return `date_trunc('${bucket.toLowerCase()}', ${time}, 'UTC')`;
  }
  return typeof subject === 'string'
    ? `${row.alias}.${systemColumns[subject]}`
    : valueSql(row, subject, parameters);
}

/** A field's exact value. */
function valueSql(row: SqlRow, field: FieldDefinition, parameters: SqlParameters): string {
  switch (ruleOf(field).comparisonKind) {
    case 'NUMBER':
    case 'FLAG':
    case 'TIME':
      return orderKeySql(row, field, parameters).sql;
    case 'ID':
      return activeSql(row, field, relationIdSql(row, field, parameters), parameters);
    case 'CHOICE': {
      // An option that was removed since reads as none.
      const options = (field.options ?? []).map((option) => option.value);
      const value = slotSql(row, field) ?? dataTextSql(row, field);
      return `(case when ${value} = any(${parameters.add(options, 'text[]')}) then ${value} end)`;
    }
    default:
      return dataTextSql(row, field);
  }
}

/** What points at an entity that is not in the graph reads as nothing. */
function activeSql(row: SqlRow, field: FieldDefinition, value: string, parameters: SqlParameters): string {
  const active = activeTargets(field).map((target) => target.entityId);
  if (active.length === (field.targets ?? []).length) return value;
  return `(case when ${pointedEntitySql(row, field)} = any(${parameters.add(active, 'text[]')}) then ${value} end)`;
}

interface GroupColumn {
  /** A column that the order needs beside the group's value. */
  readonly column: string | null;
  /** In order of weight. */
  readonly keys: readonly string[];
}

/** Texts are ordered as in lists, by their folded keys (one for a group), then by themselves. */
function groupOrderSql(
  row: SqlRow,
  { subject }: GroupKey,
  parameters: SqlParameters,
  i: number,
): GroupColumn {
  const value = `${grouped}.g${i}`;
  const kind = typeof subject === 'string' ? null : ruleOf(subject).comparisonKind;
  if (kind === 'CHOICE') return { column: null, keys: [`${value} collate "C"`] };
  if ((kind !== 'TEXT' && kind !== 'DECIMAL') || typeof subject === 'string')
    return { column: null, keys: [value] };
  const column = `min(${orderKeySql(row, subject, parameters).sql}) as o${i}`;
  if (kind === 'DECIMAL') return { column, keys: [`${grouped}.o${i}`] };
  return { column, keys: [`${grouped}.o${i} collate "C"`, `${value} collate "C"`] };
}

function measureSql(row: SqlRow, { name, subject }: Measure, parameters: SqlParameters): string {
  if (typeof subject === 'string') return `${name}(${row.alias}.${systemColumns[subject]})`;
  if (name === 'countDistinct') return `count(distinct ${valueSql(row, subject, parameters)})`;
  if (name === 'min' || name === 'max') return `${name}(${boundSql(row, subject, parameters)})`;
  // Whole numbers are summed as such, which is exact and much faster than numeric.
  const number =
    subject.type === 'INTEGER'
      ? `(${orderKeySql(row, subject, parameters).sql})::int8`
      : numericSql(row, subject, parameters);
  if (name === 'avg' && subject.type === 'DECIMAL') {
    // As exact as its values, and six digits more: a quotient has at least the digits of what is divided.
    const digits = (subject.validation?.scale ?? 14) + 6;
    return `round(avg(${number} + ${(0).toFixed(digits)}), ${digits})`;
  }
  return `${name}(${number})`;
}

function boundSql(row: SqlRow, field: FieldDefinition, parameters: SqlParameters): string {
  return ruleOf(field).comparisonKind === 'TIME'
    ? timeSql(row, field, parameters)
    : orderKeySql(row, field, parameters).sql;
}

/** What a measure is compared as, and an operand in that type. */
function comparedType({ name, subject }: Measure): { type: ComparedType; form: (value: unknown) => unknown } {
  const same = (value: unknown): unknown => value;
  if (name === 'countDistinct') return { type: 'int4', form: same };
  if (typeof subject === 'string') return { type: 'timestamptz', form: same };
  if (name === 'sum' || name === 'avg') return { type: 'numeric', form: String };
  const { comparisonKind, toSlot } = ruleOf(subject);
  if (comparisonKind === 'DECIMAL') return { type: 'numeric', form: same };
  return comparisonKind === 'TIME' ? { type: 'timestamptz', form: toSlot } : { type: 'float8', form: same };
}

/** Two-valued, as `filterSql`: true where it holds, false or null where not. */
function havingSql(
  node: HavingNode,
  columnOf: (measure: Measure) => string,
  parameters: SqlParameters,
): string {
  switch (node.kind) {
    case 'all':
    case 'any':
      return joinAll(
        node.nodes.map((inner) => havingSql(inner, columnOf, parameters)),
        node.kind,
      );
    case 'not':
      return `(${havingSql(node.node, columnOf, parameters)} is not true)`;
    case 'compared': {
      if (node.what === 'count') {
        return comparisonSql(
          node.comparison,
          `${grouped}.c`,
          { type: 'int4', form: (value) => value },
          parameters,
        );
      }
      return comparisonSql(
        node.comparison,
        `${grouped}.${columnOf(node.what)}`,
        comparedType(node.what),
        parameters,
      );
    }
  }
}

function comparisonSql(
  node: FilterNode,
  column: string,
  compared: ReturnType<typeof comparedType>,
  parameters: SqlParameters,
): string {
  switch (node.kind) {
    case 'all':
    case 'any':
      return joinAll(
        node.nodes.map((inner) => comparisonSql(inner, column, compared, parameters)),
        node.kind,
      );
    case 'not':
      return `(${comparisonSql(node.node, column, compared, parameters)} is not true)`;
    case 'comparison':
      return operatorSql(node, column, compared, parameters);
    default:
      throw new Error('A figure has no relations');
  }
}

function operatorSql(
  node: ComparisonNode,
  column: string,
  { type, form }: ReturnType<typeof comparedType>,
  parameters: SqlParameters,
): string {
  if (node.operator === 'isNull') return `(${column} is ${node.value ? '' : 'not '}null)`;
  const operand = Array.isArray(node.value) ? node.value.map(form) : form(node.value);
  return compareSql(node, column, type, operand, { parameters });
}

function joinAll(parts: string[], kind: 'all' | 'any'): string {
  if (parts.length === 0) return kind === 'all' ? 'true' : 'false';
  return parts.length === 1 ? (parts[0] as string) : `(${parts.join(kind === 'all' ? ' and ' : ' or ')})`;
}

/** The terms asked for, then the groups' own values, so that no two groups are equal. */
function orderSql(
  plan: AggregatePlan,
  groups: readonly GroupColumn[],
  columnOf: (measure: Measure) => string,
): string {
  const ascending = { isDescending: false, areNullsFirst: false };
  const keysOf = (by: GroupOrder['by']): readonly string[] => {
    if (by === 'count') return [`${grouped}.c`];
    return typeof by === 'number' ? (groups[by] as GroupColumn).keys : [`${grouped}.${columnOf(by)}`];
  };
  const terms = [...plan.order, ...plan.keys.map((_, i): GroupOrder => ({ by: i, ...ascending }))];
  const keys = terms.flatMap(({ by, isDescending, areNullsFirst }) =>
    keysOf(by).map(
      (key) => `${key} ${isDescending ? 'desc' : 'asc'} nulls ${areNullsFirst ? 'first' : 'last'}`,
    ),
  );
  return keys.length === 0 ? '' : ` order by ${keys.join(', ')}`;
}
