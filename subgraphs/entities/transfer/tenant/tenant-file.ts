/**
 * The file of a whole tenant: NDJSON, gzipped. A head, the definitions, the users (without secrets), the records in an
 * order in which they can be created, each page of them behind the files that it holds, the relations that could not be there yet, and an end by which a file that was cut
 * off is known.
 */
import { z } from 'zod';
import type { FieldInput } from '../../definitions/definition-input.ts';
import { permissionShape, writeGroups } from '../../definitions/document.ts';
import { roles } from '#schema/claims.ts';
import { showPermissions } from '#subgraphs/model/permissions/shown-permissions.ts';
import { joinFields } from '#subgraphs/model/activation.ts';
import type {
  EntityDefinition,
  FieldDefinition,
  RelationTarget,
  TenantModel,
} from '#subgraphs/model/definition.ts';
import { computedDefaultKinds, fieldTypes, onDeleteRules } from '#subgraphs/model/definition.ts';
import { isUnion, splitStored } from '#subgraphs/model/union-relations.ts';

export const fileVersion = 1;

const text = z.string().nullish();

const fieldShape = z.object({
  name: z.string(),
  type: z.enum(fieldTypes),
  label: text,
  description: text,
  isRequired: z.boolean().nullish(),
  isUnique: z.boolean().nullish(),
  isSearchable: z.boolean().nullish(),
  isFilterable: z.boolean().nullish(),
  isSortable: z.boolean().nullish(),
  defaultValue: z.unknown().optional(),
  defaultFrom: z
    .object({
      kind: z.enum(computedDefaultKinds),
      start: z.number().nullish(),
      prefix: text,
      digits: z.number().nullish(),
    })
    .nullish(),
  validation: z
    .object({
      minLength: z.number().nullish(),
      maxLength: z.number().nullish(),
      min: z.union([z.number(), z.string()]).nullish(),
      max: z.union([z.number(), z.string()]).nullish(),
      precision: z.number().nullish(),
      scale: z.number().nullish(),
      pattern: text,
      maxBytes: z.number().nullish(),
      contentTypes: z.array(z.string()).nullish(),
    })
    .nullish(),
  options: z.array(z.object({ value: z.string(), label: text })).nullish(),
  targetEntity: text,
  targetEntities: z.array(z.string()).nullish(),
  inverseName: text,
  onDelete: z.enum(onDeleteRules).nullish(),
  uiConfig: z.unknown().optional(),
  position: z.number().nullish(),
  isActive: z.boolean().default(true),
});

/** What a relation to several entities points at. */
const namedRecord = z.object({ entity: z.string(), id: z.uuid() });
export type NamedRecord = z.infer<typeof namedRecord>;

const lineShape = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('TENANT'), version: z.literal(fileVersion), exportedAt: z.string() }),
  z.object({
    kind: z.literal('ENTITY'),
    name: z.string(),
    pluralName: z.string(),
    label: text,
    description: text,
    icon: text,
    isActive: z.boolean().default(true),
    fields: z.array(fieldShape),
    limits: z.object({ createsPerHour: z.number() }).nullish(),
    uniqueGroups: z.array(z.object({ name: z.string(), fields: z.array(z.string()) })).default([]),
    permissions: z.array(permissionShape).default([]),
  }),
  z.object({
    kind: z.literal('PERSON'),
    id: z.uuid(),
    email: z.string(),
    name: z.string().nullable(),
    role: z.enum(roles),
  }),
  // A file that the records after it hold, and its bytes: some lines, in order, right after it.
  z.object({
    kind: z.literal('FILE'),
    id: z.uuid(),
    name: z.string(),
    contentType: z.string(),
    size: z.number(),
    sha256: z.string(),
  }),
  z.object({ kind: z.literal('BYTES'), base64: z.string() }),
  z.object({
    kind: z.literal('RECORD'),
    entity: z.string(),
    id: z.uuid(),
    createdAt: z.iso.datetime(),
    createdBy: z.uuid().nullable(),
    /**
     * By field name, in stored form; a relation is the other record's id, one to several entities `{ entity, id }`, a file
     * its own id.
     */
    data: z.record(z.string(), z.unknown()),
  }),
  z.object({
    kind: z.literal('LINKS'),
    entity: z.string(),
    id: z.uuid(),
    data: z.record(z.string(), z.union([z.uuid(), z.array(z.uuid()), namedRecord])),
  }),
  z.object({
    kind: z.literal('END'),
    entities: z.number(),
    people: z.number(),
    records: z.number(),
    links: z.number(),
    files: z.number().default(0),
  }),
]);

export type TenantLine = z.infer<typeof lineShape>;
export type TenantLineOf<Kind extends TenantLine['kind']> = Extract<TenantLine, { kind: Kind }>;

/** The line, or what is wrong with it. */
export function parseTenantLine(values: unknown): TenantLine | { problem: string } {
  const parsed = lineShape.safeParse(values);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return { problem: `${issue?.path.join('.') || 'kind'}: ${issue?.message}` };
}

export function writeTenantLine(line: TenantLine): string {
  return `${JSON.stringify(line)}\n`;
}

/** An entity as it can be defined again, inactive fields too. */
export function describeEntity(model: TenantModel, entity: EntityDefinition): TenantLineOf<'ENTITY'> {
  const { name, pluralName, label, description, icon, isActive, limits } = entity;
  return {
    kind: 'ENTITY',
    ...{ name, pluralName, label, description, icon, isActive, limits },
    fields: joinFields(entity).fields.map((field) => describeField(model, field)),
    uniqueGroups: writeGroups(entity).map((group) => ({ ...group, fields: [...group.fields] })),
    permissions: showPermissions(model, entity) as TenantLineOf<'ENTITY'>['permissions'],
  };
}

function describeField(model: TenantModel, field: FieldDefinition): TenantLineOf<'ENTITY'>['fields'][number] {
  const { name, type, label, description, isRequired, isUnique, isSearchable, isFilterable, isSortable } =
    field;
  const { defaultValue, validation, options, inverseName, onDelete, uiConfig, position } = field;
  const target = model.allEntities.find((entity) => entity.id === field.targetEntityId);
  const described: FieldInput = {
    ...{
      name,
      type,
      label,
      description,
      isRequired,
      isUnique,
      isSearchable,
      isFilterable,
      isSortable,
      defaultValue,
      defaultFrom: field.defaultFrom,
    },
    ...{ validation, options, uiConfig, position },
    targetEntity: target?.name ?? null,
    ...(field.targets ? { targetEntities: namesOfTargets(model, field.targets) } : {}),
    inverseName,
    onDelete,
  };
  return { ...described, isActive: field.isActive } as TenantLineOf<'ENTITY'>['fields'][number];
}

function namesOfTargets(model: TenantModel, targets: readonly RelationTarget[]): string[] {
  return targets.map(({ entityId }) => model.allEntities.find(({ id }) => id === entityId)?.name ?? '');
}

/** A field's stored value as the file has it. */
export function describeValue(model: TenantModel, field: FieldDefinition, stored: unknown): unknown {
  if (!isUnion(field) || typeof stored !== 'string') return stored;
  const { entityId, id } = splitStored(stored);
  return { entity: model.allEntities.find((entity) => entity.id === entityId)?.name ?? '', id };
}

/** What a relation to several entities points at, as the file has it; null for any other value. */
export function readNamedRecord(value: unknown): NamedRecord | null {
  const parsed = namedRecord.safeParse(value);
  return parsed.success ? parsed.data : null;
}
