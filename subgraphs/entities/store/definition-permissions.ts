/** What whoever defines may not do by it, for what they are held to themselves. */
import type { Claims } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import type { FieldDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import { isAbovePermissions, seesEveryValue } from '#subgraphs/model/permissions/access.ts';
import {
  changesPermissions,
  type DefinitionChange,
  type DraftBase,
} from '../definitions/definition-change.ts';

/** Throws FORBIDDEN where permissions would change: whoever may define could else lift their own. */
export function refuseOwnPermission(claims: Claims, base: DraftBase, change: DefinitionChange): void {
  if (isAbovePermissions(claims) || !changesPermissions(base, change)) return;
  const names = change.permitted.map((entity) => `"${entity.name}"`).join(', ');
  throw new DomainError('FORBIDDEN', `Changing the permissions of ${names} needs the role ADMIN`);
}

/**
 * Throws FORBIDDEN where the change would tell values of records that the caller may not see: what does not convert, what
 * is there twice, and the greatest number, after which a sequence goes on.
 */
export function refuseUnseenValues(
  claims: Claims,
  model: TenantModel,
  change: Pick<DefinitionChange, 'retypes' | 'conversions' | 'needsNoDuplicates' | 'sequences'>,
): void {
  for (const { before } of [...change.retypes, ...change.conversions])
    requireSeen(claims, model, before.entityId, [before]);
  for (const { field } of change.sequences) requireSeen(claims, model, field.entityId, [field]);
  for (const { entityId, fields } of change.needsNoDuplicates) requireSeen(claims, model, entityId, fields);
}

function requireSeen(
  claims: Claims,
  model: TenantModel,
  entityId: string,
  fields: readonly FieldDefinition[],
): void {
  // An inactive one's values are as hidden as before.
  const entity = model.allEntities.find(({ id }) => id === entityId);
  if (!entity || seesEveryValue(entity, claims, fields)) return;
  const names = fields.map((field) => `"${field.name}"`).join(', ');
  throw new DomainError(
    'FORBIDDEN',
    `This would tell values of ${names} of "${entity.name}" that the role ${claims.role} may not see`,
  );
}
