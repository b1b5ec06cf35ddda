/** What a tenant's definitions are, once read and parsed. Everything here is immutable and holds no I/O. */
import type { Role } from '#schema/claims.ts';

export const fieldTypes = [
  'TEXT',
  'LONG_TEXT',
  'EMAIL',
  'URL',
  'PHONE',
  'INTEGER',
  'NUMBER',
  'DECIMAL',
  'BOOLEAN',
  'DATE',
  'DATETIME',
  'JSON',
  'SELECT',
  'MULTI_SELECT',
  'FILE',
  'RELATION',
  'MULTI_RELATION',
] as const;
export type FieldType = (typeof fieldTypes)[number];

export const onDeleteRules = ['RESTRICT', 'CASCADE', 'SET_NULL'] as const;
export type OnDelete = (typeof onDeleteRules)[number];

/** Limits of a value. Lengths count Unicode code points; min and max are numbers (text for DECIMAL), or ISO dates for dates. */
export interface FieldValidation {
  readonly minLength?: number | null;
  readonly maxLength?: number | null;
  readonly min?: number | string | null;
  readonly max?: number | string | null;
  /** DECIMAL: digits in all, and those of them after the point. */
  readonly precision?: number | null;
  readonly scale?: number | null;
  /** A regular expression in RE2's syntax, unanchored. */
  readonly pattern?: string | null;
  /** FILE: of its content; and media types, each "image/png" or "image/*". */
  readonly maxBytes?: number | null;
  readonly contentTypes?: readonly string[] | null;
}

/** One choice of a SELECT or MULTI_SELECT: `value` is a GraphQL name, `label` any text. */
export interface FieldOption {
  readonly value: string;
  readonly label: string;
}

export const computedDefaultKinds = ['NOW', 'CURRENT_USER', 'SEQUENCE'] as const;
export type ComputedDefaultKind = (typeof computedDefaultKinds)[number];

/** A default that is worked out when a record is created (computed-defaults.ts). */
export interface ComputedDefault {
  readonly kind: ComputedDefaultKind;
  /** SEQUENCE: the first number. */
  readonly start?: number;
  /** SEQUENCE in a TEXT field: what stands before the number, and the digits that it is filled up to with zeros. */
  readonly prefix?: string;
  readonly digits?: number;
}

/** One of the entities that a union relation may point at. */
export interface RelationTarget {
  readonly entityId: string;
  readonly name: string;
  /** Old names under which the entity is still known. */
  readonly aliases: readonly string[];
  /** False: it is not in the graph, and neither are its records as targets. */
  readonly isActive: boolean;
}

/** What a field becomes: its other type, under a key of its own, with what goes with that. */
export interface FieldBecoming
  extends Pick<
    FieldDefinition,
    | 'type'
    | 'key'
    | 'slot'
    | 'options'
    | 'validation'
    | 'defaultValue'
    | 'defaultFrom'
    | 'isSearchable'
    | 'isSortable'
  > {
  /** Whether a value that does not convert ends it, or is cleared. */
  readonly onError: 'REFUSE' | 'SET_NULL';
}

export interface FieldDefinition {
  readonly id: string;
  readonly entityId: string;
  readonly name: string;
  /** The member of `records.data` that holds the value. The name at creation, made unique; survives a rename. */
  readonly key: string;
  readonly type: FieldType;
  readonly label: string | null;
  readonly description: string | null;
  readonly isRequired: boolean;
  readonly isUnique: boolean;
  readonly isSearchable: boolean;
  readonly isFilterable: boolean;
  readonly isSortable: boolean;
  readonly defaultValue: unknown;
  /** Instead of `defaultValue`. */
  readonly defaultFrom: ComputedDefault | null;
  readonly validation: FieldValidation | null;
  readonly options: readonly FieldOption[] | null;
  /** RELATION and MULTI_RELATION only, as are the next two. */
  readonly targetEntityId: string | null;
  /** RELATION to one of several entities only (union-relations.ts), whose `targetEntityId` is null. */
  readonly targets?: readonly RelationTarget[];
  /** The field on the target that lists the records pointing at it; null: none. */
  readonly inverseName: string | null;
  readonly onDelete: OnDelete | null;
  readonly uiConfig: unknown;
  readonly position: number;
  /** The column of `records` that also holds the value ("t3"); null where it works from `data` alone. */
  readonly slot: string | null;
  /** A slot that is being filled: writers fill it too, nothing is read from it yet. */
  readonly pendingSlot: string | null;
  /** It is about to become unique: writers keep its keys, nothing is looked up by them yet. */
  readonly isPendingUnique: boolean;
  /** Its values are being converted: writers write the converted one too, nobody reads it yet. */
  readonly becomes: FieldBecoming | null;
  /** False: not in the graph. Its values, index and keys stay. */
  readonly isActive: boolean;
  /** Old names under which it is still known, newest first. */
  readonly aliases: readonly string[];
  /** On a view under an old name only (aliases.ts): the name that it has. */
  readonly aliasOf?: string;
  /** On a view of one member of a FILE only (filter/file-members.ts): what of the stored object is compared. */
  readonly member?: string;
}

/** Names that an entity gave up and is still known by. */
export interface EntityAlias {
  readonly name: string;
  readonly pluralName: string;
}

/** Fields of an entity that no two of its records share the values of; a record without one of the values shares none. */
export interface UniqueGroup {
  /** Another one where the members are others: its keys are known by it. */
  readonly id: string;
  readonly name: string;
  /** In the order in which they were declared. */
  readonly fieldIds: readonly string[];
  /**
   * RUNNING: it is about to hold, writers keep its keys, nothing is looked up by them yet. FAILED: records share values, it
   * has no keys.
   */
  readonly state: 'RUNNING' | 'DONE' | 'FAILED';
}

/** What may be done with an entity's records. Importing creates (and updates), exporting reads. */
export const entityOperations = ['READ', 'CREATE', 'UPDATE', 'DELETE', 'RESTORE', 'PURGE'] as const;
export type EntityOperation = (typeof entityOperations)[number];

/** To what a role is held on an entity. It narrows what the role's level allows, and never widens it (permissions/). */
export interface EntityPermission {
  readonly role: Role;
  readonly operations: ReadonlySet<EntityOperation>;
  /** Ids of fields; null: all, also those that come later. */
  readonly readable: ReadonlySet<string> | null;
  readonly writable: ReadonlySet<string> | null;
  /** The records that it may see and write, as permissions/row-filter.ts stores it; null: all. */
  readonly rowFilter: unknown;
}

/** What may be done to an entity's records, by everybody of the tenant together. */
export interface EntityLimits {
  readonly createsPerHour: number;
}

export interface EntityDefinition {
  readonly id: string;
  readonly name: string;
  readonly pluralName: string;
  readonly label: string | null;
  readonly description: string | null;
  readonly icon: string | null;
  readonly position: number;
  /** Old names under which it is still known, newest first. */
  readonly aliases: readonly EntityAlias[];
  /** On a view under an old name only (aliases.ts): the name that it has. */
  readonly aliasOf?: string;
  /** False: not in the graph. Its records stay. */
  readonly isActive: boolean;
  readonly uniqueGroups: readonly UniqueGroup[];
  readonly limits: EntityLimits | null;
  /** In order of position. */
  readonly fields: readonly FieldDefinition[];
  /** Fields that are stored and not in the graph: inactive ones, and relations at inactive entities. */
  readonly inactiveFields: readonly FieldDefinition[];
  /** Roles that are held to something here; the others may what their level allows. */
  readonly permissions: ReadonlyMap<Role, EntityPermission>;
}

/** All definitions of one tenant at one version: the storage layout under which a request runs. */
export interface TenantModel {
  readonly tenantId: string;
  readonly version: number;
  /** Active ones, in order of position, then name. */
  readonly entities: readonly EntityDefinition[];
  /** Inactive ones too: for what works on definitions and on storage. */
  readonly allEntities: readonly EntityDefinition[];
  /** By `name` ("contact"); under an old name a view (aliases.ts). */
  readonly entityByName: ReadonlyMap<string, EntityDefinition>;
  /** By generated type name ("Contact"); under an old name a view. */
  readonly entityByType: ReadonlyMap<string, EntityDefinition>;
  readonly entityById: ReadonlyMap<string, EntityDefinition>;
}
