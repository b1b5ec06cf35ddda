/** A tenant's definition rows, as they are stored, become its model. */
import type { EntityRow, FieldRow, PermissionRow } from '#schema/definition-rows.ts';
import type { Role } from '#schema/claims.ts';
import { splitFields } from './activation.ts';
import { entityAliases } from './aliases.ts';
import { fieldTypes, onDeleteRules } from './definition.ts';
import type {
  ComputedDefault,
  EntityAlias,
  EntityDefinition,
  EntityLimits,
  EntityOperation,
  EntityPermission,
  FieldBecoming,
  FieldDefinition,
  FieldOption,
  FieldType,
  FieldValidation,
  OnDelete,
  RelationTarget,
  TenantModel,
  UniqueGroup,
} from './definition.ts';
import { typeName } from './names.ts';

type Stored<Row, Optional extends keyof Row> = Readonly<
  Omit<Row, 'tenantId' | 'createdAt' | 'updatedAt' | Optional> & Partial<Pick<Row, Optional>>
>;

/** Rows, without what the model has no use for. */
export interface DefinitionRowsLike {
  version: number;
  entities: readonly EntityRowLike[];
  fields: readonly FieldRowLike[];
  permissions?: readonly PermissionRow[];
}

type EntityRowLike = Stored<EntityRow, 'aliases' | 'isActive' | 'uniqueGroups' | 'limits'>;
type FieldRowLike = Stored<
  FieldRow,
  'targetEntityIds' | 'pendingSlot' | 'isPendingUnique' | 'aliases' | 'isActive' | 'defaultFrom' | 'becomes'
>;

const byPosition = (a: { position: number; name: string }, b: { position: number; name: string }): number =>
  a.position - b.position || (a.name < b.name ? -1 : 1);

/** The immutable model of one version. Rows of a type or rule that this program does not know are a fault of the deployment and throw. */
export function parseTenantModel(tenantId: string, rows: DefinitionRowsLike): TenantModel {
  const fields = Map.groupBy(rows.fields, (row) => row.entityId);
  const permissions = Map.groupBy(rows.permissions ?? [], (row) => row.entityId);
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
      limits: (row.limits as EntityLimits | null | undefined) ?? null,
      fields: (fields.get(row.id) ?? []).map(parseField),
      inactiveFields: [],
      permissions: parsePermissions(permissions.get(row.id) ?? []),
    }),
  );
  return buildTenantModel(tenantId, rows.version, unordered);
}

/** The model of definitions that have all their fields together. */
export function buildTenantModel(
  tenantId: string,
  version: number,
  unordered: readonly EntityDefinition[],
): TenantModel {
  const byId = new Map(unordered.map((entity) => [entity.id, entity]));
  const active = new Set(unordered.filter((entity) => entity.isActive).map((entity) => entity.id));
  const allEntities = unordered
    .toSorted(byPosition)
    .map((entity) => ({ ...entity, fields: entity.fields.map((field) => nameTargets(field, byId)) }))
    .map((entity) => splitFields(entity, (id) => active.has(id)));
  const entities = allEntities.filter((entity) => entity.isActive);
  const known = [...entities, ...entities.flatMap(entityAliases)];
  return {
    tenantId,
    version,
    entities,
    allEntities,
    entityByName: new Map(known.map((entity) => [entity.name, entity])),
    entityByType: new Map(known.map((entity) => [typeName(entity), entity])),
    entityById: new Map(entities.map((entity) => [entity.id, entity])),
  };
}

function parsePermissions(rows: readonly PermissionRow[]): ReadonlyMap<Role, EntityPermission> {
  if (rows.length === 0) return noPermissions;
  return new Map(
    rows.map((row): [Role, EntityPermission] => [
      row.role as Role,
      {
        role: row.role as Role,
        operations: new Set(row.operations as EntityOperation[]),
        readable: row.readableFields && new Set(row.readableFields),
        writable: row.writableFields && new Set(row.writableFields),
        rowFilter: row.rowFilter ?? null,
      },
    ]),
  );
}

const noPermissions: ReadonlyMap<Role, EntityPermission> = new Map();

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
    defaultFrom: (row.defaultFrom as ComputedDefault | null | undefined) ?? null,
    validation: (row.validation as FieldValidation | null) ?? null,
    options: (row.options as readonly FieldOption[] | null) ?? null,
    targetEntityId: row.targetEntityId,
    ...(row.targetEntityIds ? { targets: row.targetEntityIds.map(unnamedTarget) } : {}),
    inverseName: row.inverseName,
    onDelete: row.onDelete as OnDelete | null,
    uiConfig: row.uiConfig ?? null,
    position: row.position,
    slot: row.slot,
    pendingSlot: row.pendingSlot ?? null,
    isPendingUnique: row.isPendingUnique ?? false,
    becomes: (row.becomes as FieldBecoming | null | undefined) ?? null,
    isActive: row.isActive ?? true,
    aliases: (row.aliases as readonly string[] | undefined) ?? [],
  };
}

/** Its name follows from the entities. */
const unnamedTarget = (entityId: string): RelationTarget => ({
  entityId,
  name: '',
  aliases: [],
  isActive: true,
});

/** A relation to several entities with the names that these have now, in a draft too. */
function nameTargets(
  field: FieldDefinition,
  entities: ReadonlyMap<string, EntityDefinition>,
): FieldDefinition {
  if (field.targets === undefined) return field;
  const targets = field.targets.map((target): RelationTarget => {
    const entity = entities.get(target.entityId);
    if (!entity) return { ...target, isActive: false };
    return { ...target, name: entity.name, aliases: entity.aliases.map((alias) => alias.name) };
  });
  return { ...field, targets };
}
