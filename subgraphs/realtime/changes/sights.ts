/** What one caller sees of the changes of each entity, kept while the definitions and the moment allow. */
import type { Claims } from '#schema/claims.ts';
import type { EntityDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import { accessOf } from '#subgraphs/model/permissions/access.ts';
import type { EventStore } from '../log/event-store.ts';
import { createSight, momentMs, seesByTime, type Sight } from './sight.ts';

export interface Sights {
  /** Null for who sees everything; NOTHING where the entity is not the caller's to read. */
  of(model: TenantModel, entity: EntityDefinition): Sight | 'NOTHING' | null;
}

export function createSights(store: Pick<EventStore, 'findMatchingImages'>, claims: Claims): Sights {
  let kept: { model: TenantModel; sights: Map<string, Sight | 'NOTHING' | null>; expiresAt: number } | null =
    null;
  return {
    of(model, entity) {
      if (kept?.model !== model || kept.expiresAt <= Date.now()) {
        const expiresAt = seesByTime(model, claims) ? Date.now() + momentMs : Number.POSITIVE_INFINITY;
        kept = { model, sights: new Map(), expiresAt };
      }
      let sight = kept.sights.get(entity.id);
      if (sight === undefined) {
        sight = accessOf(model, entity, claims).allows('READ')
          ? createSight(store, { model, entity, claims, filter: null })
          : 'NOTHING';
        kept.sights.set(entity.id, sight);
      }
      return sight;
    },
  };
}
