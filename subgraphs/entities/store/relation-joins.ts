/** The records at the other end of to-one relations, and of one-to-one ones from their targets, joined to the row that a statement looks at. */
import type { TenantModel } from '#subgraphs/model/definition.ts';
import type { SqlParameters } from '#subgraphs/model/filter/sql-parameters.ts';
import { pointsAtSql, relationIdSql } from '#subgraphs/model/filter/sql-values.ts';
import type { SqlRow } from '#subgraphs/model/filter/sql-values.ts';
import type { ModelAccess } from '#subgraphs/model/permissions/access.ts';
import { type RelationStep, stepOf } from '#subgraphs/model/relations.ts';
import { visibleSql } from './store-access.ts';

export interface JoinScope {
  readonly model: TenantModel;
  readonly access: ModelAccess;
  readonly parameters: SqlParameters;
}

export interface RelationJoins {
  /** The row at the end of the relations; joined once, however often it is asked for. */
  follow(relations: readonly RelationStep[]): SqlRow;
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
      for (const step of relations) {
        const { field, end: entity, isInverse } = stepOf(model, at.entity, step);
        path += `/${isInverse ? '~' : ''}${field.id}`;
        let next = joined.get(path);
        if (!next) {
          next = { alias: `o${joined.size + 1}`, entity };
          joined.set(path, next);
          const { alias } = next;
          const tenant = parameters.add(model.tenantId, 'uuid');
          const target = parameters.add(entity.id, 'uuid');
          const other: SqlRow = { alias: 'j', entity };
          const link = isInverse
            ? pointsAtSql(other, field, `${at.alias}.id`, parameters)
            : `j.id = ${relationIdSql(at, field, parameters)}`;
          const visible = visibleSql(access, other, model.tenantId, parameters);
          // The limit keeps it a probe of the primary key, or of the slot, for each row, where estimates would have each compared with each.
          joins += ` left join lateral (select * from records j where j.tenant_id = ${tenant} and j.entity_id = ${target} and ${link} and j.deleted_at is null${visible} limit 1) ${alias} on true`;
        }
        at = next;
      }
      return at;
    },
  };
}
