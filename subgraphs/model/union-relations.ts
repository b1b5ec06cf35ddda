/**
 * A relation to one of several entities is one field, stored in one value (`<entity id>/<record id>`), and a view of it for
 * each entity that it may point at: the same field with that entity as its target. What follows relations works on views.
 */
import type { FieldDefinition, RelationTarget } from './definition.ts';
import { enumValueOf } from './names.ts';

/** What a relation points at. */
export interface PointedAt {
  readonly entityId: string;
  readonly id: string;
}

type Related = Pick<FieldDefinition, 'targetEntityId' | 'targets'>;

const idLength = 36;
const views = new WeakMap<object, ReadonlyMap<string, FieldDefinition>>();

/** Whether it is a relation to one of several entities, and no view of one. */
export function isUnion<Field extends { readonly targetEntityId: string | null; readonly targets?: unknown }>(
  field: Field,
): field is Field & { readonly targets: readonly RelationTarget[] } {
  return field.targets !== undefined && field.targetEntityId === null;
}

/** Whether it is such a relation as one of its targets sees it. */
export function isUnionView(field: Related): boolean {
  return field.targets !== undefined && field.targetEntityId !== null;
}

/** Those whose entities are in the graph. */
export function activeTargets(field: Pick<FieldDefinition, 'targets'>): readonly RelationTarget[] {
  return field.targets?.filter((target) => target.isActive) ?? [];
}

/** The relation as its target sees it, and a union as each of its active targets does. Empty for what is no relation. */
export function relationViews(field: FieldDefinition): readonly FieldDefinition[] {
  if (field.targetEntityId !== null) return [field];
  return isUnion(field) ? activeTargets(field).map((target) => viewOf(field, target.entityId)) : [];
}

/** The union with one of its targets as the only one; the same object each time. */
export function viewOf(field: FieldDefinition, entityId: string): FieldDefinition {
  let known = views.get(field);
  if (!known) {
    const all = field.targets ?? [];
    known = new Map(all.map((target) => [target.entityId, { ...field, targetEntityId: target.entityId }]));
    views.set(field, known);
  }
  const view = known.get(entityId);
  if (!view) throw new Error(`relation ${field.name} has no target ${entityId}`);
  return view;
}

/** Whether records of the entity may be at the other end. */
export function mayPointAt(field: Related, entityId: string): boolean {
  return isUnion(field)
    ? field.targets.some((target) => target.entityId === entityId)
    : field.targetEntityId === entityId;
}

/** What is stored where the to-one relation, or a union's view, is to point at the record. */
export function storedTarget(field: Related, id: string): string {
  return isUnionView(field) ? `${field.targetEntityId}/${id}` : id;
}

/** What a to-one relation's stored value points at; null for none, and for an entity that is not in the graph or not the view's. */
export function pointedAt(field: Related, stored: unknown): PointedAt | null {
  if (typeof stored !== 'string') return null;
  if (field.targets === undefined)
    return field.targetEntityId === null ? null : { entityId: field.targetEntityId, id: stored };
  const { entityId, id } = splitStored(stored);
  if (field.targetEntityId !== null && field.targetEntityId !== entityId) return null;
  const target = field.targets.find((one) => one.entityId === entityId);
  return target?.isActive ? { entityId, id } : null;
}

/** The two parts of a union's stored value. */
export function splitStored(stored: string): PointedAt {
  return { entityId: stored.slice(0, idLength), id: stored.slice(idLength + 1) };
}

/** The id in a to-one relation's stored value, whatever it points at. */
export function storedId(stored: string): string {
  return stored.slice(-idLength);
}

/** The member of a union's enum that stands for the target: `CLIENT`. */
export function targetValue(target: Pick<RelationTarget, 'name'>): string {
  return enumValueOf(target.name);
}

/** An active target by its value in the enum or its entity's name, old ones too. */
export function findTarget(
  field: Pick<FieldDefinition, 'targets'>,
  name: string,
): RelationTarget | undefined {
  return activeTargets(field).find((target) =>
    [target.name, ...target.aliases].some((known) => known === name || enumValueOf(known) === name),
  );
}
