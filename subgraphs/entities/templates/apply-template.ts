/** Brings a template into a tenant's definitions: what is there already stays as it is. */
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { isFreeMember } from '../definitions/clashes.ts';
import type { FieldInput } from '../definitions/definition-input.ts';
import type { DefinitionDraft } from '../definitions/draft.ts';
import type { Template, TemplateEntity } from './template.ts';

/**
 * Creates the template's entities; one of the same name is reused and gets the fields that it lacks. A field that such an
 * entity's records would have to have is added as not required. A new entity comes with the template's permissions. Answers the entities' ids in the template's order.
 */
export function applyTemplate(draft: DefinitionDraft, template: Template): string[] {
  const created: TemplateEntity[] = [];
  const ids = template.entities.map((input) => {
    const known = draft.entities.find((entity) => isSameName(entity.name, input.name));
    if (!known) {
      created.push(input);
      return draft.createEntity({ ...input, fields: input.fields.map((field) => fit(draft, field)) }).id;
    }
    for (const field of input.fields) {
      if (!isFreeMember(draft.entities, known, field.name)) continue;
      draft.createField(known.name, { ...fit(draft, field), isRequired: false, position: null });
    }
    return known.id;
  });
  for (const { name, permissions } of created) if (permissions) draft.setPermissions(name, permissions);
  return ids;
}

/** A relation's inverse is left out where the target has something else of that name. */
function fit(draft: DefinitionDraft, field: FieldInput): FieldInput {
  if (field.type !== 'RELATION') return field;
  const named = (name: string): EntityDefinition | undefined =>
    draft.entities.find((entity) => isSameName(entity.name, name));
  const targets = (field.targetEntities ?? [field.targetEntity ?? '']).flatMap((name) => named(name) ?? []);
  const names = targets.map((target) => target.name);
  if (names.length !== (field.targetEntities ?? ['']).length) return field;
  const { inverseName = null } = field;
  const isFree =
    inverseName !== null && targets.every((target) => isFreeMember(draft.entities, target, inverseName));
  const target = field.targetEntities ? { targetEntities: names } : { targetEntity: names[0] as string };
  return { ...field, ...target, inverseName: isFree ? inverseName : null };
}

const isSameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
