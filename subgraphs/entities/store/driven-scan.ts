/**
 * A list that is chosen by records at the other end of a relation. Where these are few, they are found first, by their own
 * indexes, and the listed ones from there; where they are many, the listed ones are gone through in order and each one's
 * other end is looked at. Which it is, the database knows only when it runs: both are in the statement, and one is not begun.
 */
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import type { FilterNode } from '#subgraphs/model/filter/node.ts';
import type { SqlParameters } from '#subgraphs/model/filter/sql-parameters.ts';
import { pointsAtSql, relationIdSql, slotSql } from '#subgraphs/model/filter/sql-values.ts';
import type { SqlRow } from '#subgraphs/model/filter/sql-values.ts';
import { filterSql } from '#subgraphs/model/filter/sql.ts';

/** Up to so many records at the other end the list is found from there. */
const maxDriving = 1_000;

export interface Driver {
  /** `few_ids(id)`, and `few(holds)`: whether that is all of them. To stand after `with`. */
  readonly ctes: string;
  /** In place of the table, as `x`: the rows that the few lead to, once each. */
  readonly source: string;
}

/** Whether the rows are to be found from the other end; a condition that PostgreSQL decides once. */
export const isDriven = '(select holds from few)';

interface Scope {
  readonly tenantId: string;
  readonly parameters: SqlParameters;
}

/** The first relation that the filter asks for and that has an index; null: the list is not chosen by one. */
export function findDriver(
  filter: FilterNode,
  entity: EntityDefinition,
  alias: string,
  scope: Scope,
): Driver | null {
  const node = drivingNode(filter, { alias, entity });
  if (node === null) return null;
  const { tenantId, parameters } = scope;
  const other: SqlRow = { alias: 'd', entity: node.kind === 'to-one' ? node.target : node.entity };
  const of = (row: SqlRow): string =>
    `${row.alias}.tenant_id = ${parameters.add(tenantId, 'uuid')} and ${row.alias}.entity_id = ${parameters.add(row.entity.id, 'uuid')}`;
  const condition = filterSql(node.node, other, scope);
  const found = node.kind === 'to-one' ? 'd.id' : relationIdSql(other, node.field, parameters);
  const hasValue = node.kind === 'to-one' ? '' : ` and ${found} is not null`;
  const ids = `select distinct ${found} as id from records d where ${of(other)} and d.deleted_at is null${hasValue} and ${condition}`;
  const row: SqlRow = { alias: 'y', entity };
  const link = node.kind === 'to-one' ? pointsAtSql(row, node.field, 'i.id', parameters) : 'y.id = i.id';
  return {
    ctes: `few_ids as materialized (${ids} limit ${maxDriving + 1}), few as materialized (select count(*) <= ${maxDriving} as holds from few_ids)`,
    // Whatever the planner expects: an index is probed for each of them.
    source: `few_ids i cross join lateral (select y.* from records y where ${of(row)} and ${link} offset 0) ${alias}`,
  };
}

type Driving = Extract<FilterNode, { kind: 'to-one' | 'to-many' }>;

function drivingNode(filter: FilterNode, row: SqlRow): Driving | null {
  if (filter.kind === 'all') {
    for (const node of filter.nodes) {
      const found = drivingNode(node, row);
      if (found !== null) return found;
    }
    return null;
  }
  if (filter.kind !== 'to-one' && filter.kind !== 'to-many') return null;
  // Every record at the other end: those are many, or it does not matter.
  if (filter.node.kind === 'all' && filter.node.nodes.length === 0) return null;
  if (filter.kind === 'to-many' && filter.link !== undefined) return null;
  const pointing = filter.kind === 'to-one' ? row : { alias: 'd', entity: filter.entity };
  return slotSql(pointing, filter.field) === null ? null : filter;
}
