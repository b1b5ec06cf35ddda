/** Resolvers of definitions and templates. */
import { type Claims, roleReaches } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import type { Resolvers } from '#subgraphs/server/executable-subgraph.ts';
import type { EntityDefinition, FieldDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import { joinFields } from '#subgraphs/model/activation.ts';
import { typeName } from '#subgraphs/model/names.ts';
import { groupKey } from '#subgraphs/model/unique-keys.ts';
import { seesEveryValue } from '#subgraphs/model/permissions/access.ts';
import { showPermissions } from '#subgraphs/model/permissions/shown-permissions.ts';
import type { EntitiesContext } from '../context.ts';
import { applyTemplate } from '../templates/apply-template.ts';
import { findTemplate, templates } from '../templates/templates.ts';
import type {
  CreateEntityInput,
  EntityRename,
  FieldInput,
  PermissionInput,
  Rename,
  RetypeErrorRule,
  RetypeInput,
  UpdateEntityInput,
  UpdateFieldInput,
} from './definition-input.ts';
import type { DefinitionDraft } from './draft.ts';
import type { DefinitionService } from './service.ts';

interface EntityArguments {
  entity: string;
}
interface NameArguments {
  name: string;
}

export const definitionResolvers: Resolvers = {
  FieldDefinition: { backfill: resolveBackfill },
  UniqueGroup: { backfill: resolveBackfill },
  Query: {
    async entityDefinitions(_root: unknown, _args: unknown, context: EntitiesContext) {
      const model = await newestModel(context);
      return model.allEntities.map((entity) => toEntityNode(context.claims, model, entity));
    },
    async entityDefinition(_root: unknown, { name }: NameArguments, context: EntitiesContext) {
      const model = await newestModel(context);
      const id = model.entityByName.get(name)?.id;
      const entity = model.allEntities.find((candidate) => candidate.id === id || candidate.name === name);
      return entity ? toEntityNode(context.claims, model, entity) : null;
    },
    planRetype(
      _root: unknown,
      { entity, name, to }: EntityArguments & NameArguments & { to: RetypeInput },
      context: EntitiesContext,
    ) {
      return context.definitions.planRetype(context.claims, (draft) =>
        draft.retypeField(entity, name, to, 'REFUSE'),
      );
    },
    templates: () =>
      templates.map((template) => ({
        ...template,
        entities: template.entities.map((entity) => entity.name),
      })),
  },
  Mutation: {
    async createEntity(_root: unknown, { input }: { input: CreateEntityInput }, context: EntitiesContext) {
      const { result, model } = await change(context, (draft) => draft.createEntity(input).id);
      return toEntityNode(context.claims, model, getEntity(model, result));
    },
    async updateEntity(
      _root: unknown,
      { name, input }: NameArguments & { input: UpdateEntityInput },
      context: EntitiesContext,
    ) {
      const { result, model } = await change(context, (draft) => draft.updateEntity(name, input).id);
      return toEntityNode(context.claims, model, getEntity(model, result));
    },
    async deleteEntity(_root: unknown, { name }: NameArguments, context: EntitiesContext) {
      await change(context, (draft) => draft.deleteEntity(name));
      return true;
    },
    async createField(
      _root: unknown,
      { entity, input }: EntityArguments & { input: FieldInput },
      context: EntitiesContext,
    ) {
      const { result, model } = await change(context, (draft) => draft.createField(entity, input));
      return findFieldNode(model, result);
    },
    async updateField(
      _root: unknown,
      { entity, name, input }: EntityArguments & NameArguments & { input: UpdateFieldInput },
      context: EntitiesContext,
    ) {
      const { result, model } = await change(context, (draft) => draft.updateField(entity, name, input));
      return findFieldNode(model, result);
    },
    async deleteField(
      _root: unknown,
      { entity, name }: EntityArguments & NameArguments,
      context: EntitiesContext,
    ) {
      await change(context, (draft) => draft.deleteField(entity, name));
      return true;
    },
    async renameEntity(
      _root: unknown,
      { name, ...rename }: NameArguments & EntityRename,
      context: EntitiesContext,
    ) {
      const { result, model } = await change(context, (draft) => draft.renameEntity(name, rename).id);
      return toEntityNode(context.claims, model, getEntity(model, result));
    },
    async renameField(
      _root: unknown,
      { entity, name, ...rename }: EntityArguments & NameArguments & Rename,
      context: EntitiesContext,
    ) {
      const { result, model } = await change(context, (draft) => draft.renameField(entity, name, rename));
      return findFieldNode(model, result);
    },
    async retypeField(
      _root: unknown,
      {
        entity,
        name,
        to,
        onError,
      }: EntityArguments & NameArguments & { to: RetypeInput; onError: RetypeErrorRule },
      context: EntitiesContext,
    ) {
      const { result, model } = await change(context, (draft) =>
        draft.retypeField(entity, name, to, onError),
      );
      return findFieldNode(model, result);
    },
    async dropAlias(
      _root: unknown,
      { entity, field = null, alias }: EntityArguments & { field?: string | null; alias: string },
      context: EntitiesContext,
    ) {
      const { result, model } = await change(context, (draft) => draft.dropAlias(entity, field, alias).id);
      return toEntityNode(context.claims, model, getEntity(model, result));
    },
    async setPermissions(
      _root: unknown,
      { entity, permissions }: EntityArguments & { permissions: readonly PermissionInput[] },
      context: EntitiesContext,
    ) {
      const { result, model } = await change(
        context,
        (draft) => draft.setPermissions(entity, permissions).id,
      );
      return toEntityNode(context.claims, model, getEntity(model, result));
    },
    async applyTemplate(_root: unknown, { name }: NameArguments, context: EntitiesContext) {
      const template = findTemplate(name);
      const { result, model } = await change(context, (draft) => applyTemplate(draft, template));
      return result.map((id) => toEntityNode(context.claims, model, getEntity(model, id)));
    },
  },
};

async function resolveBackfill(
  { id }: { id: string },
  _args: unknown,
  context: EntitiesContext,
): Promise<object | null> {
  const backfill = (await backfillsOf(context)).get(id);
  if (!backfill) return null;
  if (!backfill.failure) return { ...backfill, duplicates: [] };
  const { message, duplicates } = backfill.failure;
  const isSeen = seesSubject(await newestModel(context), context.claims, id);
  if (!isSeen) return { ...backfill, failure: 'Values of records stand against it', duplicates: [] };
  return { ...backfill, failure: message, duplicates };
}

/** Whether the caller may see what is told of a field, or of a group, that did not become unique. */
function seesSubject(model: TenantModel, claims: Claims, id: string): boolean {
  return model.allEntities.every((entity) => {
    const group = entity.uniqueGroups.find((candidate) => candidate.id === id);
    const isOwn = group !== undefined || joinFields(entity).fields.some((field) => field.id === id);
    const ids = group?.fieldIds ?? [id];
    return (
      !isOwn ||
      seesEveryValue(
        entity,
        claims,
        ids.map((member) => ({ id: member })),
      )
    );
  });
}

const backfills = new WeakMap<EntitiesContext, ReturnType<DefinitionService['readBackfills']>>();

/** Read once for a request, and again after each change that it makes. */
function backfillsOf(context: EntitiesContext): ReturnType<DefinitionService['readBackfills']> {
  let read = backfills.get(context);
  if (!read) {
    read = context.definitions.readBackfills(context.claims);
    backfills.set(context, read);
  }
  return read;
}

/** At least as new as the request's graph. */
function newestModel(context: EntitiesContext): Promise<TenantModel> {
  return context.definitions.models.get(context.claims, context.definitionsVersion);
}

async function change<Result>(
  context: EntitiesContext,
  plan: (draft: DefinitionDraft) => Result,
): Promise<{ result: Result; model: TenantModel }> {
  const changed = await context.definitions.change(
    { claims: context.claims, requestId: context.requestId },
    plan,
  );
  context.loaders.clear();
  backfills.delete(context);
  return changed;
}

/** Another change may have deleted it again before this one's answer was read. */
function getEntity(model: TenantModel, id: string): EntityDefinition {
  const entity = model.allEntities.find((candidate) => candidate.id === id);
  if (!entity) throw new DomainError('NOT_FOUND', 'The entity was deleted meanwhile');
  return entity;
}

function findFieldNode(model: TenantModel, changed: FieldDefinition): object {
  const field = joinFields(getEntity(model, changed.entityId)).fields.find(
    (candidate) => candidate.id === changed.id,
  );
  if (!field) throw new DomainError('NOT_FOUND', 'The field was deleted meanwhile');
  return toFieldNode(model, field);
}

/** Below DEVELOPER one is told what one is held to oneself. */
function toEntityNode(claims: Claims, model: TenantModel, entity: EntityDefinition): object {
  return {
    ...entity,
    aliases: entity.aliases.map((alias) => alias.name),
    typeName: typeName(entity),
    uniqueGroups: entity.uniqueGroups.map((group) => ({
      ...group,
      fields: groupKey(entity, group)?.fields.map((field) => field.name) ?? [],
    })),
    fields: joinFields(entity).fields.map((field) => toFieldNode(model, field)),
    permissions: showPermissions(model, entity).filter(
      ({ role }) => role === claims.role || roleReaches(claims.role, 'DEVELOPER'),
    ),
  };
}

function toFieldNode(model: TenantModel, field: FieldDefinition): object {
  const target = model.allEntities.find((entity) => entity.id === field.targetEntityId);
  return {
    ...field,
    isIndexed: field.slot !== null,
    becomes: field.becomes?.type ?? null,
    targetEntity: target?.name ?? null,
    targetEntities: field.targets?.map((one) => one.name) ?? null,
  };
}
