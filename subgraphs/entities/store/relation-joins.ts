/** The records at the other end of to-one relations, joined to the row that a statement looks at. */
import type { EntityDefinition, FieldDefinition } from '#subgraphs/model/definition.ts';
import type { SqlParameters } from '#subgraphs/model/filter/sql-parameters.ts';
import { relationIdSql } from '#subgraphs/model/filter/sql-values.ts';
import type { SqlRow } from '#subgraphs/model/filter/sql-values.ts';

export interface RelationJoins {
  /** The row at the end of the relations; joined once, however often it is asked for. */
  follow(relations: readonly FieldDefinition[]): SqlRow;
  /** All joins, each beginning with a space. Deleted records are not there. */
  sql(): string;
}

export function createRelationJoins(
  row: SqlRow,
  tenantId: string,
  parameters: SqlParameters,
  entityById: ReadonlyMap<string, EntityDefinition>,
): RelationJoins {
  const joined = new Map<string, SqlRow>();
  let joins = '';
  return {
    sql: () => joins,
    follow(relations) {
      let at = row;
      let path = '';
      for (const relation of relations) {
        path += `/${relation.id}`;
        let next = joined.get(path);
        if (!next) {
          const entity = entityById.get(relation.targetEntityId as string) as EntityDefinition;
          next = { alias: `o${joined.size + 1}`, entity };
          joined.set(path, next);
          const { alias } = next;
          const tenant = parameters.add(tenantId, 'uuid');
          const target = parameters.add(entity.id, 'uuid');
          const id = relationIdSql(at, relation, parameters);
          // The limit keeps it a probe of the primary key for each row, where estimates would have each compared with each.
          joins += ` left join lateral (select * from records j where j.tenant_id = ${tenant} and j.entity_id = ${target} and j.id = ${id} and j.deleted_at is null limit 1) ${alias} on true`;
        }
        at = next;
      }
      return at;
    },
  };
}
