/** The records at the other end of to-one relations, joined to the row that a statement looks at. */
import type { FieldDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import type { SqlParameters } from '#subgraphs/model/filter/sql-parameters.ts';
import { relationIdSql } from '#subgraphs/model/filter/sql-values.ts';
import type { SqlRow } from '#subgraphs/model/filter/sql-values.ts';
import type { ModelAccess } from '#subgraphs/model/permissions/access.ts';
import { getTarget } from '#subgraphs/model/relations.ts';
import { visibleSql } from './store-access.ts';

export interface JoinScope {
  readonly model: TenantModel;
  readonly access: ModelAccess;
  readonly parameters: SqlParameters;
}

export interface RelationJoins {
  /** The row at the end of the relations; joined once, however often it is asked for. */
  follow(relations: readonly FieldDefinition[]): SqlRow;
  /** All joins, each beginning with a space. Deleted records, and those that the caller may not see, are not there. */
  sql(): string;
}

export function createRelationJoins(row: SqlRow, { model, access, parameters }: JoinScope): RelationJoins {
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
          const entity = getTarget(model, relation);
          next = { alias: `o${joined.size + 1}`, entity };
          joined.set(path, next);
          const { alias } = next;
          const tenant = parameters.add(model.tenantId, 'uuid');
          const target = parameters.add(entity.id, 'uuid');
          const id = relationIdSql(at, relation, parameters);
          const visible = visibleSql(access, { alias: 'j', entity }, model.tenantId, parameters);
          // The limit keeps it a probe of the primary key for each row, where estimates would have each compared with each.
          joins += ` left join lateral (select * from records j where j.tenant_id = ${tenant} and j.entity_id = ${target} and j.id = ${id} and j.deleted_at is null${visible} limit 1) ${alias} on true`;
        }
        at = next;
      }
      return at;
    },
  };
}
