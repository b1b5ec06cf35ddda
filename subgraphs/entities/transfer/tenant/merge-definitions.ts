/** Brings a file's definitions into a tenant that may have some already. */
import type { UniqueGroupInput } from '../../definitions/definition-input.ts';
import { writeGroups } from '../../definitions/document.ts';
import type { DefinitionDraft } from '../../definitions/draft.ts';
import { DomainError } from '#schema/errors.ts';
import type { TenantLineOf } from './tenant-file.ts';

/** What was created and is inactive in the file: it is taken out of the graph once its records are there. */
export interface Inactive {
  readonly entities: string[];
  readonly fields: { readonly entity: string; readonly field: string }[];
}

/**
 * Entities and fields that are missing are created; an entity of the same name is taken as the same. Throws CONFLICT where a
 * field of the same name holds something else.
 */
export function mergeDefinitions(
  draft: DefinitionDraft,
  entities: readonly TenantLineOf<'ENTITY'>[],
): Inactive {
  const inactive: Inactive = { entities: [], fields: [] };
  const created = new Set<string>();
  for (const { name, pluralName, label, description, icon, isActive, limits } of entities) {
    if (draft.findEntity(name)) continue;
    created.add(name);
    draft.createEntity({ name, pluralName, label, description, icon, limits: limits ?? null });
    if (!isActive) inactive.entities.push(name);
  }
  // Relations last: their targets are all there, and inverses come after the fields that they must not clash with.
  for (const wantsRelations of [false, true]) {
    for (const entity of entities) {
      for (const field of entity.fields) {
        const isRelation = field.type === 'RELATION' || field.type === 'MULTI_RELATION';
        if (isRelation !== wantsRelations || !mergeField(draft, entity.name, field)) continue;
        if (!field.isActive) inactive.fields.push({ entity: entity.name, field: field.name });
      }
    }
  }
  for (const { name, uniqueGroups } of entities) mergeGroups(draft, name, uniqueGroups);
  // Last: row filters may speak of everything. An entity that is here already keeps its own.
  for (const { name, permissions } of entities)
    if (created.has(name) && permissions.length > 0) draft.setPermissions(name, permissions);
  return inactive;
}

/** After the records: an inactive field takes no values. */
export function deactivate(draft: DefinitionDraft, { entities, fields }: Inactive): void {
  for (const { entity, field } of fields) draft.updateField(entity, field, { isActive: false });
  for (const entity of entities) draft.updateEntity(entity, { isActive: false });
}

/** A group of the same name is taken as the same, as is one of the same fields. */
function mergeGroups(draft: DefinitionDraft, entityName: string, groups: readonly UniqueGroupInput[]): void {
  const entity = draft.findEntity(entityName);
  if (!entity || groups.length === 0) return;
  const existing = writeGroups(entity);
  const membersOf = (group: UniqueGroupInput): string => group.fields.toSorted().join();
  const isThere = (group: UniqueGroupInput): boolean =>
    existing.some((other) => other.name === group.name || membersOf(other) === membersOf(group));
  const missing = groups.filter((group) => !isThere(group));
  if (missing.length > 0) draft.updateEntity(entityName, { uniqueGroups: [...existing, ...missing] });
}

/** Whether it was created. */
function mergeField(
  draft: DefinitionDraft,
  entityName: string,
  { isActive: _, ...input }: TenantLineOf<'ENTITY'>['fields'][number],
): boolean {
  const existing = draft.findEntity(entityName)?.fields.find((field) => field.name === input.name);
  if (!existing) {
    draft.createField(entityName, input);
    return true;
  }
  const nameOf = (id: string | null): string | null =>
    draft.entities.find((entity) => entity.id === id)?.name ?? null;
  const targets = existing.targets?.map(({ entityId }) => nameOf(entityId)) ?? null;
  const target = nameOf(existing.targetEntityId);
  const isSameTarget =
    target === (input.targetEntity ?? null) && isSubset(input.targetEntities ?? null, targets);
  if (existing.type === input.type && isSameTarget) return false;
  const is =
    existing.type === 'RELATION' ? `a relation to "${targets?.join('", "') ?? target}"` : existing.type;
  const message = `"${entityName}.${input.name}" is ${is} here and another thing in the file`;
  throw new DomainError('CONFLICT', message, {
    fields: [{ field: `${entityName}.${input.name}`, rule: 'type', message }],
  });
}

/** Whether a relation here may point at everything that the file's may. */
function isSubset(names: readonly string[] | null, known: readonly (string | null)[] | null): boolean {
  if (names === null || known === null) return names === known;
  return names.every((name) => known.includes(name));
}
