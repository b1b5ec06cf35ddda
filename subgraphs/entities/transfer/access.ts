/** Who may do what with transfers. Storage makes another tenant's unknown; this is about people of the same one. */
import { createHash } from 'node:crypto';
import { type Claims, type Role, roleReaches } from '#schema/claims.ts';
import type { TenantModel } from '#subgraphs/model/definition.ts';
import { modelAccess } from '#subgraphs/model/permissions/access.ts';
import type { Transfer } from './transfer.ts';

/** A whole tenant holds its users and everything that they can see: that is for its admins. */
export function neededRole(transfer: Pick<Transfer, 'isWholeTenant'>): Role {
  return transfer.isWholeTenant ? 'ADMIN' : 'USER';
}

/** Who may see everybody's transfers, and everything in them. */
export function isAnyonesReader(claims: Pick<Claims, 'role'>): boolean {
  return roleReaches(claims.role, 'ADMIN');
}

/** One's own; an admin's all. For anybody else a transfer is as unknown as one that never was. */
export function mayUse(claims: Claims, transfer: Transfer): boolean {
  if (isAnyonesReader(claims)) return true;
  if (!roleReaches(claims.role, neededRole(transfer))) return false;
  return (
    transfer.actorKind === claims.actorKind &&
    transfer.actorId !== null &&
    transfer.actorId === claims.actorId
  );
}

/** Whose transfers a list shows: null for everybody's. */
export function listedActor(claims: Claims): string | null {
  return isAnyonesReader(claims) ? null : (claims.actorId ?? '00000000-0000-0000-0000-000000000000');
}

/**
 * What the caller may see, as a text that is equal as long as it is; empty for who may see everything. A file that was written
 * under another one may hold what has been hidden since.
 */
export function exportSight(model: TenantModel, claims: Claims): string {
  const { role } = claims;
  if (role === null || !modelAccess(model, claims).isRestricted) return '';
  const permissions = model.allEntities
    .flatMap((entity) => {
      const permission = entity.permissions.get(role);
      if (!permission) return [];
      const { operations, readable, rowFilter } = permission;
      const fields = readable === null ? null : [...readable].toSorted();
      return [[entity.id, operations.has('READ'), fields, rowFilter]];
    })
    .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([claims.actorId, permissions]))
    .digest('base64url');
}
