import { DomainError } from '#schema/errors.ts';
import type { EntityDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import type { RequestContext } from '#subgraphs/server/request-context.ts';

/** What the resolvers of one request know. */
export interface RealtimeContext extends RequestContext {
  /** The caller's definitions, of the version that the operation was planned for where it is still known; null without a tenant. */
  readonly model: TenantModel | null;
}

/** Entities by the names that the caller gave. NOT_FOUND that names the unknown one. */
export function getEntities(model: TenantModel, names: readonly string[]): EntityDefinition[] {
  return names.map((name) => {
    const entity = model.entityByName.get(name);
    if (!entity) throw new DomainError('NOT_FOUND', `There is no entity "${name}"`);
    return entity;
  });
}

/** The caller's model. Call it once the caller is known to have a tenant. */
export function getModel(context: RealtimeContext): TenantModel {
  if (!context.model) throw new DomainError('TENANT_REQUIRED', 'Choose a tenant first (header X-Tenant-ID)');
  return context.model;
}
