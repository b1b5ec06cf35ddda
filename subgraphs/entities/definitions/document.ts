/** A tenant's definitions as a document that a team keeps in git: whole, in order, by names alone. */
import { z } from 'zod';
import { invalidInput } from '#schema/errors.ts';
import { joinFields } from '#subgraphs/model/activation.ts';
import type {
  ComputedDefault,
  EntityDefinition,
  FieldDefinition,
  FieldValidation,
  TenantModel,
} from '#subgraphs/model/definition.ts';
import {
  computedDefaultKinds,
  entityOperations,
  fieldTypes,
  onDeleteRules,
} from '#subgraphs/model/definition.ts';
import { restrictableRoles } from '#subgraphs/model/permissions/access.ts';
import { showPermissions } from '#subgraphs/model/permissions/shown-permissions.ts';
import { groupKey } from '#subgraphs/model/unique-keys.ts';
import type { ComputedDefaultInput, UniqueGroupInput } from './definition-input.ts';
import { completeDefault } from './field-draft.ts';
import { isUnion } from '#subgraphs/model/union-relations.ts';
import { isSortableType } from './field-rules.ts';

export const documentFormat = 1;
/** Entities of one document. */
const maxDocumentEntities = 200;

const text = z.string().nullable();
const fieldShape = z.strictObject({
  name: z.string(),
  type: z.enum(fieldTypes),
  label: text.default(null),
  description: text.default(null),
  isRequired: z.boolean().default(false),
  isUnique: z.boolean().default(false),
  isSearchable: z.boolean().optional(),
  isFilterable: z.boolean().default(true),
  isSortable: z.boolean().optional(),
  isActive: z.boolean().default(true),
  defaultValue: z.json().default(null),
  defaultFrom: z
    .strictObject({
      kind: z.enum(computedDefaultKinds),
      start: z.number().optional(),
      prefix: z.string().optional(),
      digits: z.number().optional(),
    })
    .nullable()
    .default(null),
  validation: z
    .record(z.string(), z.union([z.number(), z.string(), z.array(z.string()), z.null()]))
    .nullable()
    .default(null),
  options: z
    .array(z.strictObject({ value: z.string(), label: z.string().optional() }))
    .nullable()
    .default(null),
  targetEntity: text.default(null),
  targetEntities: z.array(z.string()).nullable().default(null),
  /** Absent: as for a new field. */
  inverseName: text.optional(),
  onDelete: z.enum(onDeleteRules).nullable().optional(),
  uiConfig: z.json().default(null),
  aliases: z.array(z.string()).default([]),
});
/** Also of the lines of a tenant's file. */
export const permissionShape = z.strictObject({
  role: z.enum(restrictableRoles),
  operations: z.array(z.enum(entityOperations)).nullable().default(null),
  readableFields: z.array(z.string()).nullable().default(null),
  writableFields: z.array(z.string()).nullable().default(null),
  rowFilter: z.json().default(null),
});
const documentShape = z.strictObject({
  format: z.literal(documentFormat).default(documentFormat),
  entities: z
    .array(
      z.strictObject({
        name: z.string(),
        pluralName: z.string().optional(),
        label: text.default(null),
        description: text.default(null),
        icon: text.default(null),
        isActive: z.boolean().default(true),
        aliases: z.array(z.strictObject({ name: z.string(), pluralName: z.string() })).default([]),
        fields: z.array(fieldShape).max(500).default([]),
        limits: z.strictObject({ createsPerHour: z.number() }).nullable().default(null),
        uniqueGroups: z
          .array(z.strictObject({ name: z.string(), fields: z.array(z.string()).max(50) }))
          .max(50)
          .default([]),
        /** Absent: they stay as they are. */
        permissions: z.array(permissionShape).optional(),
      }),
    )
    .max(maxDocumentEntities),
});

type ParsedField = z.infer<typeof fieldShape>;
/** A field with everything that it says or leaves to its default. */
export type DocumentField = Omit<
  ParsedField,
  'isSearchable' | 'isSortable' | 'validation' | 'defaultFrom'
> & {
  readonly defaultFrom: ComputedDefault | null;
  readonly isSearchable: boolean;
  readonly isSortable: boolean;
  readonly validation: FieldValidation | null;
};
type ParsedEntity = z.infer<typeof documentShape>['entities'][number];
export type DocumentEntity = Omit<ParsedEntity, 'fields'> & { readonly fields: readonly DocumentField[] };

/** Throws BAD_USER_INPUT with every place that has another shape, or a name twice. */
export function parseDocument(value: unknown): DocumentEntity[] {
  const parsed = documentShape.safeParse(value);
  if (!parsed.success) {
    throw invalidInput(
      parsed.error.issues.slice(0, 100).map(({ path, message }) => {
        const field = ['definitions', ...path].join('.');
        return { field, rule: 'shape', message: `${field}: ${message}` };
      }),
    );
  }
  const { entities } = parsed.data;
  refuseTwins(
    'definitions.entities',
    entities.map((entity) => entity.name),
  );
  return entities.map((entity, index) => {
    refuseTwins(
      `definitions.entities.${index}.fields`,
      entity.fields.map((field) => field.name),
    );
    return {
      ...entity,
      fields: entity.fields.map((field) => ({
        ...field,
        isSearchable: field.isSearchable ?? field.type === 'TEXT',
        isSortable: field.isSortable ?? isSortableType(field.type, field.targetEntities !== null),
        validation: field.validation as FieldValidation | null,
        defaultFrom: completeDefault(field.defaultFrom as ComputedDefaultInput | null),
      })),
    };
  });
}

function refuseTwins(path: string, names: readonly string[]): void {
  const twins = names.filter((name, index) => names.indexOf(name) !== index);
  if (twins.length === 0) return;
  throw invalidInput(
    twins.map((name) => ({
      field: path,
      rule: 'unique',
      message: `${path} has ${JSON.stringify(name)} twice`,
    })),
  );
}

/** The document of definitions, every field of each entity included. Applied anywhere, it gives the same graph. */
export function writeDocument(model: TenantModel): object {
  const entities = model.allEntities.map(joinFields);
  const names = new Map(entities.map((entity) => [entity.id, entity.name]));
  return {
    format: documentFormat,
    entities: entities.map((entity) => {
      const { name, pluralName, label, description, icon, isActive, aliases, fields } = entity;
      return {
        ...{ name, pluralName, label, description, icon, isActive, aliases },
        fields: fields.map((field) => writeField(names, field)),
        uniqueGroups: writeGroups(entity),
        permissions: showPermissions(model, entity),
        limits: entity.limits,
      };
    }),
  };
}

/** The groups that hold, or are about to, by the names of their fields. */
export function writeGroups(entity: EntityDefinition): UniqueGroupInput[] {
  return entity.uniqueGroups
    .filter((group) => group.state !== 'FAILED')
    .map((group) => ({
      name: group.name,
      fields: groupKey(entity, group)?.fields.map((field) => field.name) ?? [],
    }));
}

function writeField(names: ReadonlyMap<string, string>, field: FieldDefinition): object {
  const { name, type, label, description, isRequired, isSearchable, isFilterable, isSortable } = field;
  const {
    isActive,
    defaultValue,
    defaultFrom,
    validation,
    options,
    inverseName,
    onDelete,
    uiConfig,
    aliases,
  } = field;
  return {
    ...{ name, type, label, description, isRequired, isUnique: field.isUnique || field.isPendingUnique },
    ...{ isSearchable, isFilterable, isSortable, isActive, defaultValue, defaultFrom, validation, options },
    ...(field.targetEntityId === null
      ? {}
      : { targetEntity: names.get(field.targetEntityId), inverseName, onDelete }),
    ...(isUnion(field)
      ? { targetEntities: field.targets.map(({ entityId }) => names.get(entityId)), inverseName, onDelete }
      : {}),
    ...{ uiConfig, aliases },
  };
}
