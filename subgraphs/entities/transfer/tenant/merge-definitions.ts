/** Brings a file's definitions into a tenant that may have some already. */
import type { DefinitionDraft } from '../../definitions/draft.ts';
import { DomainError } from '#schema/errors.ts';
import type { TenantLineOf } from './tenant-file.ts';

/**
 * Entities and fields that are missing are created; an entity of the same name is taken as the same. Throws CONFLICT where a
 * field of the same name holds something else.
 */
export function mergeDefinitions(draft: DefinitionDraft, entities: readonly TenantLineOf<'ENTITY'>[]): void {
  for (const { name, pluralName, label, description, icon } of entities) {
    if (!draft.findEntity(name)) draft.createEntity({ name, pluralName, label, description, icon });
  }
  // Relations last: their targets are all there, and inverses come after the fields that they must not clash with.
  for (const wantsRelations of [false, true]) {
    for (const entity of entities) {
      for (const field of entity.fields) {
        const isRelation = field.type === 'RELATION' || field.type === 'MULTI_RELATION';
        if (isRelation === wantsRelations) mergeField(draft, entity.name, field);
      }
    }
  }
}

function mergeField(
  draft: DefinitionDraft,
  entityName: string,
  input: TenantLineOf<'ENTITY'>['fields'][number],
): void {
  const existing = draft.findEntity(entityName)?.fields.find((field) => field.name === input.name);
  if (!existing) {
    draft.createField(entityName, input);
    return;
  }
  const target = draft.entities.find((entity) => entity.id === existing.targetEntityId)?.name ?? null;
  if (existing.type === input.type && target === (input.targetEntity ?? null)) return;
  const is = existing.type === 'RELATION' ? `a relation to "${target}"` : existing.type;
  const message = `"${entityName}.${input.name}" is ${is} here and another thing in the file`;
  throw new DomainError('CONFLICT', message, {
    fields: [{ field: `${entityName}.${input.name}`, rule: 'type', message }],
  });
}
