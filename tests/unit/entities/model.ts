/** Models made through a draft, as the store makes them, without a database. */
import type {
  DefinitionChange,
  DraftBase,
  RetiredField,
} from '#subgraphs/entities/definitions/definition-change.ts';
import type { CreateEntityInput } from '#subgraphs/entities/definitions/definition-input.ts';
import { createDraft, type DefinitionDraft } from '#subgraphs/entities/definitions/draft.ts';
import type { EntityDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import { parseTenantModel } from '#subgraphs/model/tenant-model.ts';

export function modelOf(entities: readonly EntityDefinition[], version = 1): TenantModel {
  return parseTenantModel('tenant', {
    version,
    entities,
    fields: entities.flatMap((entity) => entity.fields),
  });
}

/** The model that a tenant has after it created these, one after the other. */
export function defineModel(...inputs: CreateEntityInput[]): TenantModel {
  return inputs.reduce(
    (model, input) => changeModel(model, (draft) => draft.createEntity(input)).model,
    modelOf([]),
  );
}

export interface Changed {
  change: DefinitionChange;
  model: TenantModel;
}

/** What `plan` makes of a model; `filled` names the entities that have records. */
export function changeModel(
  model: TenantModel,
  plan: (draft: DefinitionDraft) => unknown,
  {
    filled = [],
    retired = [],
    backfilled = [],
  }: { filled?: string[]; retired?: RetiredField[]; backfilled?: string[] } = {},
): Changed {
  const base: DraftBase = {
    model,
    retired,
    entitiesWithRecords: new Set(filled.map((name) => model.entityByName.get(name)?.id ?? name)),
    filledFields: new Set(backfilled),
  };
  const draft = createDraft(base);
  plan(draft);
  return { change: draft.finish(), model: modelOf(draft.entities, model.version + 1) };
}
