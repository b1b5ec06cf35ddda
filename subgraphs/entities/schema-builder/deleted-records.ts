/** Who may read deleted records. */
import { roleReaches } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import type { EntitiesContext } from '../context.ts';

/** They are shown to those who can bring them back: USER and above. Throws FORBIDDEN. */
export function checkIncludeDeleted(
  context: EntitiesContext,
  includeDeleted: boolean | null | undefined,
): void {
  if (includeDeleted && !roleReaches(context.claims.role, 'USER')) {
    throw new DomainError('FORBIDDEN', 'includeDeleted needs the role USER or above');
  }
}
