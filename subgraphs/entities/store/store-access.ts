/** Permissions as the store's statements hold them: which paths may be looked along, and which rows are there at all. */
import type { EntityDefinition, FieldDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import type { SqlParameters } from '#subgraphs/model/filter/sql-parameters.ts';
import { filterSql } from '#subgraphs/model/filter/sql.ts';
import { type ModelAccess, modelAccess } from '#subgraphs/model/permissions/access.ts';
import { type RelationStep, stepOf } from '#subgraphs/model/relations.ts';
import type { StoreContext } from './record-store.ts';

const restricted = new WeakMap<StoreContext, ModelAccess>();

/** The access of a call's caller under its definitions; one for all statements of a request. */
export function accessOf(context: StoreContext): ModelAccess {
  const known = restricted.get(context);
  if (known) return known;
  const access = modelAccess(context.model, context.claims);
  if (access.isRestricted) restricted.set(context, access);
  return access;
}

/** ` and <condition>` that keeps to the rows of the entity which the caller may see; empty where that is all of them. */
export function visibleSql(
  access: ModelAccess,
  row: { readonly alias: string; readonly entity: EntityDefinition },
  tenantId: string,
  parameters: SqlParameters,
): string {
  const { rowFilter } = access.of(row.entity);
  return rowFilter === null ? '' : ` and ${filterSql(rowFilter, row, { tenantId, parameters })}`;
}

/** Throws FORBIDDEN where a field along the way, or at its end, is hidden. */
export function assertPathReadable(
  access: ModelAccess,
  model: TenantModel,
  entity: EntityDefinition,
  path: { readonly relations: readonly RelationStep[]; readonly subject: FieldDefinition | string },
): void {
  if (!access.isRestricted) return;
  let at = entity;
  for (const step of path.relations) {
    const { field, owner, end } = stepOf(model, at, step);
    // Who points at whom is told by the relation's field, from either end.
    access.of(owner).assertReadable(field);
    at = end;
    access.of(at).assertAllows('READ');
  }
  if (typeof path.subject !== 'string') access.of(at).assertReadable(path.subject);
}
