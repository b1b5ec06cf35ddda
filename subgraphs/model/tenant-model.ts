/** A tenant's definition rows, as they are stored, become its model. */
import { splitFields } from './activation.ts';
import { entityAliases } from './aliases.ts';
import { fieldTypes, onDeleteRules } from './definition.ts';
import type {
  EntityAlias,
  EntityDefinition,
  FieldDefinition,
  FieldOption,
  FieldType,
  FieldValidation,
  OnDelete,
  TenantModel,
  UniqueGroup,
} from './definition.ts';
import { typeName } from './names.ts';

/** A row of `entity_definitions`, its columns in camelCase. */
export interface EntityRowLike {
  id: string;
  name: string;
  pluralName: string;
  label: string | null;
  description: string | null;
  icon: string | null;
  position: number;
  aliases?: unknown;
  isActive?: boolean;
  uniqueGroups?: unknown;
}

/** A row of `field_definitions`, its columns in camelCase. */
export interface FieldRowLike {
  id: string;
  entityId: string;
  name: string;
  key: string;
  type: string;
  label: string | null;
  description: string | null;
  isRequired: boolean;
  isUnique: boolean;
  isSearchable: boolean;
  isFilterable: boolean;
  isSortable: boolean;
  defaultValue: unknown;
  validation: unknown;
  options: unknown;
  targetEntityId: string | null;
  inverseName: string | null;
  onDelete: string | null;
  uiConfig: unknown;
  slot: string | null;
  pendingSlot?: string | null;
  isPendingUnique?: boolean;
  isActive?: boolean;
  aliases?: unknown;
  position: number;
}

export interface DefinitionRowsLike {
  version: number;
  entities: readonly EntityRowLike[];
  fields: readonly FieldRowLike[];
}

const byPosition = (a: { position: number; name: string }, b: { position: number; name: string }): number =>
  a.position - b.position || (a.name < b.name ? -1 : 1);

/** The immutable model of one version. Rows of a type or rule that this program does not know are a fault of the deployment and throw. */
export function parseTenantModel(tenantId: string, rows: DefinitionRowsLike): TenantModel {
  const fields = Map.groupBy(rows.fields, (row) => row.entityId);
  const unordered = rows.entities.map(
    (row): EntityDefinition => ({
      id: row.id,
      name: row.name,
      pluralName: row.pluralName,
      label: row.label,
      description: row.description,
      icon: row.icon,
      position: row.position,
      aliases: (row.aliases as readonly EntityAlias[] | undefined) ?? [],
      isActive: row.isActive ?? true,
      uniqueGroups: (row.uniqueGroups as readonly UniqueGroup[] | undefined) ?? [],
      fields: (fields.get(row.id) ?? []).map(parseField),
      inactiveFields: [],
    }),
  );
  const active = new Set(unordered.filter((entity) => entity.isActive).map((entity) => entity.id));
  const allEntities = unordered
    .toSorted(byPosition)
    .map((entity) => splitFields(entity, (id) => active.has(id)));
  const entities = allEntities.filter((entity) => entity.isActive);
  const named = [...entities, ...entities.flatMap(entityAliases)];
  return {
    tenantId,
    version: rows.version,
    entities,
    allEntities,
    entityByName: new Map(named.map((entity) => [entity.name, entity])),
    entityByType: new Map(named.map((entity) => [typeName(entity), entity])),
    entityById: new Map(entities.map((entity) => [entity.id, entity])),
  };
}

function parseField(row: FieldRowLike): FieldDefinition {
  if (!(fieldTypes as readonly string[]).includes(row.type)) {
    throw new Error(`field ${row.id} is of type ${row.type}, which this version does not know`);
  }
  if (row.onDelete !== null && !(onDeleteRules as readonly string[]).includes(row.onDelete)) {
    throw new Error(
      `field ${row.id} has the deletion rule ${row.onDelete}, which this version does not know`,
    );
  }
  return {
    id: row.id,
    entityId: row.entityId,
    name: row.name,
    key: row.key,
    type: row.type as FieldType,
    label: row.label,
    description: row.description,
    isRequired: row.isRequired,
    isUnique: row.isUnique,
    isSearchable: row.isSearchable,
    isFilterable: row.isFilterable,
    isSortable: row.isSortable,
    defaultValue: row.defaultValue ?? null,
    validation: (row.validation as FieldValidation | null) ?? null,
    options: (row.options as readonly FieldOption[] | null) ?? null,
    targetEntityId: row.targetEntityId,
    inverseName: row.inverseName,
    onDelete: row.onDelete as OnDelete | null,
    uiConfig: row.uiConfig ?? null,
    position: row.position,
    slot: row.slot,
    pendingSlot: row.pendingSlot ?? null,
    isPendingUnique: row.isPendingUnique ?? false,
    isActive: row.isActive ?? true,
    aliases: (row.aliases as readonly string[] | undefined) ?? [],
  };
}
