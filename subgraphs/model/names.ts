/** How definitions become names in a tenant's graph. Everything that generates, reserves or checks a name asks here. */
import type { EntityDefinition, FieldDefinition } from './definition.ts';

type Named = Pick<EntityDefinition, 'name' | 'pluralName'>;
type NamedField = Pick<FieldDefinition, 'name'>;

/** `contact` → `Contact`. */
export function pascalCase(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** A generated enum value: UPPER_SNAKE of a name. `taxId` → `TAX_ID`, `url2` → `URL2`, `HTMLBody` → `HTML_BODY`. */
export function enumValueOf(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .toUpperCase();
}

/** The object type of an entity: `Contact`. */
export function typeName(entity: Pick<Named, 'name'>): string {
  return pascalCase(entity.name);
}

/** A to-one relation's id beside it: `company` → `companyId`. */
export function relationIdName(fieldName: string): string {
  return `${fieldName}Id`;
}

/** Which entity a union's record is of, beside its id: `subject` → `subjectType`. */
export function relationTypeName(fieldName: string): string {
  return `${fieldName}Type`;
}

/** The members that a field has in answers and inputs: its name, of a relation that of its id, of a union also its type's. */
export function memberNames(
  field: Pick<FieldDefinition, 'name' | 'type'> & { readonly targets?: unknown },
): string[] {
  if (field.type !== 'RELATION') return [field.name];
  const id = relationIdName(field.name);
  return field.targets === undefined ? [id] : [relationTypeName(field.name), id];
}

/** The types of a union relation: `ActivitySubject`, `ActivitySubjectType` … */
export const unionNames = (entity: Pick<Named, 'name'>, field: NamedField) => {
  const name = typeName(entity) + pascalCase(field.name);
  return {
    union: name,
    type: `${name}Type`,
    comparison: `${name}TypeComparison`,
    filter: `${name}Filter`,
    input: `${name}RelationInput`,
    connect: `${name}ConnectInput`,
    create: `${name}CreateInput`,
  };
};

export const connectionTypeName = (entity: Pick<Named, 'name'>): string => `${typeName(entity)}Connection`;
export const edgeTypeName = (entity: Pick<Named, 'name'>): string => `${typeName(entity)}Edge`;
export const filterTypeName = (entity: Pick<Named, 'name'>): string => `${typeName(entity)}Filter`;
/** The filter through a to-many relation: `some none every`. */
export const listFilterTypeName = (entity: Pick<Named, 'name'>): string => `${typeName(entity)}ListFilter`;
export const orderTypeName = (entity: Pick<Named, 'name'>): string => `${typeName(entity)}Order`;
export const createInputName = (entity: Pick<Named, 'name'>): string => `Create${typeName(entity)}Input`;
export const updateInputName = (entity: Pick<Named, 'name'>): string => `Update${typeName(entity)}Input`;
/** One member of a batch of updates: `UpdateContactsInput`. */
export const updateManyInputName = (entity: Named): string => `Update${pascalCase(entity.pluralName)}Input`;
/** How a relation at this entity is written nested: `{ connect: ID, create: CreateCompanyInput }`. */
export const relationInputName = (target: Pick<Named, 'name'>): string => `${typeName(target)}RelationInput`;
/** How records that point at another one are written nested: `{ create connect disconnect set }`. */
export const listInputName = (entity: Pick<Named, 'name'>): string => `${typeName(entity)}ListInput`;
export const uniqueFieldEnumName = (entity: Pick<Named, 'name'>): string => `${typeName(entity)}UniqueField`;
export const aggregateTypeName = (entity: Pick<Named, 'name'>): string => `${typeName(entity)}Aggregate`;
export const groupByTypeName = (entity: Pick<Named, 'name'>): string => `${typeName(entity)}GroupBy`;

/** The types beside `ContactAggregate` and `ContactGroupBy`. */
export const aggregateNames = (entity: Pick<Named, 'name'>) => ({
  group: `${typeName(entity)}AggregateGroup`,
  distinct: `${typeName(entity)}AggregateDistinct`,
  totals: `${typeName(entity)}AggregateTotals`,
  bounds: `${typeName(entity)}AggregateBounds`,
  order: `${typeName(entity)}AggregateOrder`,
  having: `${typeName(entity)}Having`,
  havingDistinct: `${typeName(entity)}HavingDistinct`,
  havingTotals: `${typeName(entity)}HavingTotals`,
  havingBounds: `${typeName(entity)}HavingBounds`,
});
export const changeTypeName = (entity: Pick<Named, 'name'>): string => `${typeName(entity)}Change`;

/** The enum of a SELECT or MULTI_SELECT field: `ContactStatus`. */
export function selectEnumName(entity: Pick<Named, 'name'>, field: NamedField): string {
  return typeName(entity) + pascalCase(field.name);
}

/** The comparison input of a SELECT or MULTI_SELECT field: `ContactStatusComparison`. */
export function selectComparisonName(entity: Pick<Named, 'name'>, field: NamedField): string {
  return `${selectEnumName(entity, field)}Comparison`;
}

/** `contactByEmail`, and of a unique group `orderByProjectAndNumber`. */
export function uniqueQueryName(entity: Pick<Named, 'name'>, unique: NamedField): string {
  return `${entity.name}By${pascalCase(unique.name)}`;
}

/** Every name that an entity puts into the graph. Types share one space, root fields another; names are compared without regard to case. */
export interface GeneratedNames {
  readonly types: readonly string[];
  readonly rootFields: readonly string[];
}

export const rootNames = (entity: Named) => ({
  one: entity.name,
  many: entity.pluralName,
  aggregate: `${entity.pluralName}Aggregate`,
  create: `create${typeName(entity)}`,
  createMany: `create${pascalCase(entity.pluralName)}`,
  update: `update${typeName(entity)}`,
  updateMany: `update${pascalCase(entity.pluralName)}`,
  upsert: `upsert${typeName(entity)}`,
  upsertMany: `upsert${pascalCase(entity.pluralName)}`,
  delete: `delete${typeName(entity)}`,
  deleteMany: `delete${pascalCase(entity.pluralName)}`,
  restore: `restore${typeName(entity)}`,
  restoreMany: `restore${pascalCase(entity.pluralName)}`,
  restoreVersion: `restore${typeName(entity)}Version`,
  purge: `purge${pascalCase(entity.pluralName)}`,
  history: `${entity.name}History`,
  changed: `${entity.name}Changed`,
});

/** All names of one entity, those of its unique fields and groups and of its select fields included; also those that are planned and not yet served. */
export function generatedNames(
  entity: Named & {
    readonly fields: readonly (Pick<FieldDefinition, 'name' | 'type' | 'isUnique'> & {
      readonly targets?: unknown;
    })[];
    readonly uniqueGroups: readonly NamedField[];
  },
): GeneratedNames {
  const selects = entity.fields.filter((field) => field.type === 'SELECT' || field.type === 'MULTI_SELECT');
  const unions = entity.fields.filter((field) => field.targets !== undefined);
  const uniques = [...entity.fields.filter((field) => field.isUnique), ...entity.uniqueGroups];
  return {
    types: [
      typeName(entity),
      connectionTypeName(entity),
      edgeTypeName(entity),
      filterTypeName(entity),
      listFilterTypeName(entity),
      orderTypeName(entity),
      createInputName(entity),
      updateInputName(entity),
      updateManyInputName(entity),
      relationInputName(entity),
      listInputName(entity),
      uniqueFieldEnumName(entity),
      aggregateTypeName(entity),
      groupByTypeName(entity),
      ...Object.values(aggregateNames(entity)),
      changeTypeName(entity),
      ...selects.map((field) => selectEnumName(entity, field)),
      ...selects.map((field) => selectComparisonName(entity, field)),
      ...unions.flatMap((field) => Object.values(unionNames(entity, field))),
    ],
    rootFields: [
      ...Object.values(rootNames(entity)),
      ...uniques.map((unique) => uniqueQueryName(entity, unique)),
    ],
  };
}
