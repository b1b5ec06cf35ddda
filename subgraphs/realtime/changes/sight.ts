/** What a caller who is held to permissions sees of an entity's changes. */
import type { Claims } from '#schema/claims.ts';
import type { ChangeOperation, LogEvent, LogRecord } from '#schema/events.ts';
import type { EntityDefinition, FieldDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import type { FilterNode } from '#subgraphs/model/filter/node.ts';
import { type FilteredRecord, predicateOf } from '#subgraphs/model/filter/predicate.ts';
import {
  type EntityAccess,
  isAbovePermissions,
  modelAccess,
  rolesThatTellPeopleApart,
} from '#subgraphs/model/permissions/access.ts';
import { restrictFilter } from '#subgraphs/model/permissions/restricted-filter.ts';
import { usesVariable } from '#subgraphs/model/permissions/row-filter.ts';
import type { EventStore } from '../log/event-store.ts';
import { createBatchedMatch } from './batched-match.ts';
import { edgeOf } from './operations.ts';

/** Equal for callers who see the same under these definitions; empty for who sees everything. */
export function accessShape(model: TenantModel, claims: Claims): string {
  if (!modelAccess(model, claims).isRestricted) return '';
  const isPersonal = rolesThatTellPeopleApart(model).some((role) => role === claims.role);
  return isPersonal ? `${claims.role} ${claims.actorKind} ${claims.actorId}` : `${claims.role}`;
}

/** Whether what the caller sees depends on the time, so that no answer to it holds for long. */
export function seesByTime(model: TenantModel, claims: Claims): boolean {
  if (claims.role === null || isAbovePermissions(claims)) return false;
  const { role } = claims;
  return model.entities.some((entity) => usesVariable(entity.permissions.get(role)?.rowFilter, 'now'));
}

/** How old the moment may be that a permission speaks of. */
export const momentMs = 1_000;

type Operation = ChangeOperation | null;

export interface Sight {
  mayRead(field: FieldDefinition): boolean;
  /** What an event of one of the entity's records is to the caller; null: nothing. A promise where the store has to be asked. */
  judge(event: LogEvent): Operation | Promise<Operation>;
}

/**
 * `filter`: what of the visible records the caller asks for, as it came parsed. Throws FORBIDDEN where the entity, or a field
 * of the filter, is not the caller's to read; null for who is not restricted at all.
 */
export function createSight(
  store: Pick<EventStore, 'findMatchingImages'>,
  { model, entity, claims, filter }: SightOptions,
): Sight | null {
  const all = modelAccess(model, claims);
  if (!all.isRestricted) return null;
  const access = all.of(entity);
  access.assertAllows('READ');
  const parts = [access.rowFilter, filter && restrictFilter(all, entity, filter)];
  const nodes = parts.filter((node) => node !== null);
  const test = nodes.length === 0 ? null : createTest(store, model, entity, { kind: 'all', nodes });
  return {
    mayRead: access.mayRead,
    judge: (event) => judge(event, entity, access, test),
  };
}

export interface SightOptions {
  readonly model: TenantModel;
  readonly entity: EntityDefinition;
  readonly claims: Claims;
  readonly filter: FilterNode | null;
}

type Test = (id: string, record: LogRecord | null) => boolean | Promise<boolean>;

function judge(
  event: LogEvent,
  entity: EntityDefinition,
  access: EntityAccess,
  test: Test | null,
): Operation | Promise<Operation> {
  const { operation, recordId: id } = event;
  if (operation === null || id === null) return null;
  if (operation === 'UPDATED') {
    const told = (edge: Operation): Operation =>
      edge === 'UPDATED' && changesOnlyHidden(event, entity, access) ? null : edge;
    if (test === null) return told('UPDATED');
    const [before, after] = [test(id, event.before), test(id, event.after)];
    if (typeof before === 'boolean' && typeof after === 'boolean') return told(edgeOf(before, after, true));
    return Promise.all([before, after]).then(([was, is]) => told(edgeOf(was, is, true)));
  }
  if (test === null) return operation;
  const matches = test(id, operation === 'DELETED' ? (event.before ?? event.after) : event.after);
  if (typeof matches === 'boolean') return matches ? operation : null;
  return matches.then((seen) => (seen ? operation : null));
}

/** Nobody is told that something happened which they may not know. Fields that are gone by now count as hidden. */
function changesOnlyHidden(event: LogEvent, entity: EntityDefinition, access: EntityAccess): boolean {
  if (event.changedFields.length === 0) return false;
  const changed = new Set(event.changedFields);
  return !entity.fields.some((field) => changed.has(field.key) && access.mayRead(field));
}

/** On an image of a record, before or after: what it was then, beside what others are now. */
function createTest(
  store: Pick<EventStore, 'findMatchingImages'>,
  model: TenantModel,
  entity: EntityDefinition,
  node: FilterNode,
): Test {
  const predicate = predicateOf(node);
  const matches = createBatchedMatch<FilteredRecord>(async (images) => {
    const places = await store.findMatchingImages(model, entity, node, images);
    return new Set(images.filter((_, place) => places.has(place)));
  });
  return (id, record) => {
    if (record === null) return false;
    const image = { id, ...record };
    const verdict = predicate(image);
    return verdict === 'NEEDS_STORE' ? matches(image) : verdict;
  };
}
