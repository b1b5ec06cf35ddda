/** What callers hand in to define entities and fields: the input types of schema/entities.graphql. */
import type { Role } from '#schema/claims.ts';
import type {
  ComputedDefaultKind,
  EntityLimits,
  EntityOperation,
  FieldType,
  FieldValidation,
  OnDelete,
} from '#subgraphs/model/definition.ts';

export interface FieldOptionInput {
  readonly value: string;
  readonly label?: string | null;
}

export interface ComputedDefaultInput {
  readonly kind: ComputedDefaultKind;
  readonly start?: number | null;
  readonly prefix?: string | null;
  readonly digits?: number | null;
}

export interface FieldInput {
  readonly name: string;
  readonly type: FieldType;
  readonly label?: string | null;
  readonly description?: string | null;
  readonly isRequired?: boolean | null;
  readonly isUnique?: boolean | null;
  readonly isSearchable?: boolean | null;
  readonly isFilterable?: boolean | null;
  readonly isSortable?: boolean | null;
  readonly defaultValue?: unknown;
  readonly defaultFrom?: ComputedDefaultInput | null;
  readonly validation?: FieldValidation | null;
  readonly options?: readonly FieldOptionInput[] | null;
  readonly targetEntity?: string | null;
  readonly targetEntities?: readonly string[] | null;
  readonly inverseName?: string | null;
  readonly onDelete?: OnDelete | null;
  readonly uiConfig?: unknown;
  readonly position?: number | null;
}

export type UpdateFieldInput = Partial<Omit<FieldInput, 'targetEntity'>> & {
  readonly isActive?: boolean | null;
};

type NullableMembers<T> = { readonly [Member in keyof T]: T[Member] | null };

/** Fields that are unique together, by their names (a relation's with or without `Id`). */
export interface UniqueGroupInput {
  readonly name: string;
  readonly fields: readonly string[];
}

export interface CreateEntityInput {
  readonly name: string;
  readonly pluralName?: string | null;
  readonly label?: string | null;
  readonly description?: string | null;
  readonly icon?: string | null;
  readonly fields?: readonly FieldInput[] | null;
  readonly uniqueGroups?: readonly UniqueGroupInput[] | null;
  readonly limits?: Partial<NullableMembers<EntityLimits>> | null;
}

/** What a role is held to. Absent operations and fields: all of them. */
export interface PermissionInput {
  readonly role: Role;
  readonly operations?: readonly EntityOperation[] | null;
  readonly readableFields?: readonly string[] | null;
  readonly writableFields?: readonly string[] | null;
  readonly rowFilter?: unknown;
}

/** What a field becomes. Options, limits and the default are given anew; an absent default is converted. */
export interface RetypeInput {
  readonly type: FieldType;
  readonly options?: readonly FieldOptionInput[] | null;
  readonly validation?: FieldValidation | null;
  readonly defaultValue?: unknown;
}

/** What happens to a value that does not convert. */
export type RetypeErrorRule = 'REFUSE' | 'SET_NULL';

export interface Rename {
  readonly to: string;
  /** Absent: it is kept. */
  readonly keepAlias?: boolean | undefined;
}

export interface EntityRename extends Rename {
  /** Absent: the English plural of `to`. */
  readonly pluralName?: string | null | undefined;
}

export type UpdateEntityInput = Partial<Omit<CreateEntityInput, 'fields'>> & {
  readonly position?: number | null;
  readonly isActive?: boolean | null;
};
