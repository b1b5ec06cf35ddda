/** Brings a template into a tenant's definitions: what is there already stays as it is. */
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { isFreeMember } from '../definitions/clashes.ts';
import type { FieldInput } from '../definitions/definition-input.ts';
import type { DefinitionDraft } from '../definitions/draft.ts';
import type { Template } from './template.ts';

/**
 * Creates the template's entities; one of the same name is reused and gets the fields that it lacks. A field that such an
 * entity's records would have to have is added as not required. Answers the entities' ids in the template's order.
 */
export function applyTemplate(draft: DefinitionDraft, template: Template): string[] {
  return template.entities.map((input) => {
    const known = draft.entities.find((entity) => isSameName(entity.name, input.name));
    if (!known)
      return draft.createEntity({ ...input, fields: input.fields?.map((field) => fit(draft, field)) }).id;
    for (const field of input.fields ?? []) {
      if (!isFreeMember(draft.entities, known, field.name)) continue;
      draft.createField(known.name, { ...fit(draft, field), isRequired: false, position: null });
    }
    return known.id;
  });
}

/** A relation's inverse is left out where the target has something else of that name. */
function fit(draft: DefinitionDraft, field: FieldInput): FieldInput {
  if (field.type !== 'RELATION') return field;
  const target: EntityDefinition | undefined = draft.entities.find((entity) =>
    isSameName(entity.name, field.targetEntity ?? ''),
  );
  if (!target) return field;
  const isFree =
    typeof field.inverseName === 'string' && isFreeMember(draft.entities, target, field.inverseName);
  return { ...field, targetEntity: target.name, inverseName: isFree ? field.inverseName : null };
}

const isSameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
