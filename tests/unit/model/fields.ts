/** Definitions for tests of the model, without a database. */
import type { FieldDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import { parseTenantModel } from '#subgraphs/model/tenant-model.ts';

export type FieldSpec = Partial<FieldDefinition> & Pick<FieldDefinition, 'name' | 'type'>;

export function testField(spec: FieldSpec): FieldDefinition {
  return {
    id: `field-${spec.name}`,
    entityId: 'entity',
    key: spec.name,
    label: null,
    description: null,
    isRequired: false,
    isUnique: false,
    isSearchable: false,
    isFilterable: true,
    isSortable: true,
    defaultValue: null,
    defaultFrom: null,
    validation: null,
    options: null,
    targetEntityId: null,
    inverseName: null,
    onDelete: null,
    uiConfig: null,
    position: 0,
    slot: null,
    pendingSlot: null,
    isPendingUnique: false,
    becomes: null,
    aliases: [],
    isActive: true,
    ...spec,
  };
}

/** Entities by name (the plural is the name and an `s`); an entity's id is its name, as relations name it. */
export function testModel(entities: Record<string, FieldSpec[]>, version = 1): TenantModel {
  const names = Object.keys(entities);
  return parseTenantModel('tenant', {
    version,
    entities: names.map((name, position) => ({
      id: name,
      name,
      pluralName: `${name}s`,
      label: null,
      description: null,
      icon: null,
      position,
    })),
    fields: names.flatMap((name) =>
      (entities[name] as FieldSpec[]).map((spec, position) => ({
        ...testField({ position, ...spec }),
        entityId: name,
      })),
    ),
  });
}
