/** A tenant's definitions as they are stored, columns in camelCase: what storage reads and the model is made of. */

/** A row of entity_definitions. Times are ISO 8601 in UTC with milliseconds. */
export interface EntityRow {
  id: string;
  tenantId: string;
  name: string;
  pluralName: string;
  label: string | null;
  description: string | null;
  icon: string | null;
  position: number;
  aliases: unknown;
  isActive: boolean;
  uniqueGroups: unknown;
  limits: unknown;
  createdAt: string;
  updatedAt: string;
}

/** A row of field_definitions. Columns of jsonb are parsed, not checked. */
export interface FieldRow {
  id: string;
  tenantId: string;
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
  defaultFrom: unknown;
  validation: unknown;
  options: unknown;
  targetEntityId: string | null;
  targetEntityIds: string[] | null;
  inverseName: string | null;
  onDelete: string | null;
  uiConfig: unknown;
  slot: string | null;
  pendingSlot: string | null;
  isPendingUnique: boolean;
  becomes: unknown;
  aliases: unknown;
  isActive: boolean;
  position: number;
  createdAt: string;
  updatedAt: string;
}

/** A row of entity_permissions. */
export interface PermissionRow {
  entityId: string;
  role: string;
  operations: string[];
  /** Field ids; null: all. */
  readableFields: string[] | null;
  writableFields: string[] | null;
  rowFilter: unknown;
}

export interface DefinitionRows {
  /** `tenant_heads.definitions_version` of the same snapshot. */
  version: number;
  /** In order of position, then name. */
  entities: EntityRow[];
  /** In order of position, then name. */
  fields: FieldRow[];
  permissions: PermissionRow[];
}
