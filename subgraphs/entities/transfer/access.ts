/** Who may do what with transfers. Storage makes another tenant's unknown; this is about people of the same one. */
import { type Claims, type Role, roleReaches } from '#schema/claims.ts';
import type { Transfer } from './transfer.ts';

/** A whole tenant holds its users and everything that they can see: that is for its admins. */
export function neededRole(transfer: Pick<Transfer, 'isWholeTenant'>): Role {
  return transfer.isWholeTenant ? 'ADMIN' : 'USER';
}

/** One's own; an admin's all. For anybody else a transfer is as unknown as one that never was. */
export function mayUse(claims: Claims, transfer: Transfer): boolean {
  if (roleReaches(claims.role, 'ADMIN')) return true;
  if (!roleReaches(claims.role, neededRole(transfer))) return false;
  return (
    transfer.actorKind === claims.actorKind &&
    transfer.actorId !== null &&
    transfer.actorId === claims.actorId
  );
}

/** Whose transfers a list shows: null for everybody's. */
export function listedActor(claims: Claims): string | null {
  return roleReaches(claims.role, 'ADMIN')
    ? null
    : (claims.actorId ?? '00000000-0000-0000-0000-000000000000');
}
