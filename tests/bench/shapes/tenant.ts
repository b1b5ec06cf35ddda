/** A tenant's graph as the product composes it, with definitions of its own: for what graphs and operations cost in memory. */
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import type { FieldDefinition, FieldType, TenantModel } from '#subgraphs/model/definition.ts';
import { parseTenantModel } from '#subgraphs/model/tenant-model.ts';
import { buildEntitiesSdl } from '#subgraphs/entities/schema-builder/sdl.ts';
import { buildRealtimeSdl } from '#subgraphs/realtime/schema-builder/sdl.ts';
import { readStaticSdl, sharedSdl } from '#subgraphs/server/static-sdl.ts';

const fieldTypes: readonly FieldType[] = [
  'TEXT',
  'EMAIL',
  'INTEGER',
  'NUMBER',
  'BOOLEAN',
  'DATE',
  'DATETIME',
  'SELECT',
  'LONG_TEXT',
  'URL',
];

export interface TenantGraph {
  readonly supergraphSdl: string;
  /** What a frontend of such a tenant asks: lists, single records, writes, subscriptions. */
  readonly operations: readonly string[];
}

/** Definitions that no tenant of another `number` has. */
export function benchModel(number: number, entityCount: number, fieldCount: number): TenantModel {
  const names = entityNames(number, entityCount);
  return parseTenantModel(`tenant-${number}`, {
    version: 1,
    entities: names.map((name, position) => ({
      id: name,
      name,
      pluralName: `${name}s`,
      label: null,
      description: null,
      icon: null,
      position,
    })),
    fields: names.flatMap((entityId, entity) =>
      Array.from({ length: fieldCount }, (_, position) =>
        fieldOf(entityId, position, names[(entity + 1) % entityCount]),
      ),
    ),
  });
}

function entityNames(number: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `t${number}Entity${index}`);
}

/** Tenants of different `number` share no definition. */
export function composeTenant(number: number, entityCount: number, fieldCount: number): TenantGraph {
  const names = entityNames(number, entityCount);
  const model = benchModel(number, entityCount, fieldCount);
  const subgraphs = [
    { name: 'tenants', sdl: readStaticSdl('tenants') },
    { name: 'entities', sdl: buildEntitiesSdl(model) },
    { name: 'realtime', sdl: buildRealtimeSdl(model) },
  ];
  const composed = composeServices(
    subgraphs.map(({ name, sdl }) => ({
      name,
      url: `http://${name}`,
      typeDefs: parse(name === 'tenants' && !sdl.includes('scalar DateTime') ? `${sharedSdl}\n${sdl}` : sdl),
    })),
  );
  if (composed.errors) throw composed.errors[0];
  return {
    supergraphSdl: composed.supergraphSdl,
    operations: names.flatMap((name, index) => operationsOn(name, index)),
  };
}

function fieldOf(entityId: string, position: number, target: string | undefined): FieldDefinition {
  const isRelation = position === 0;
  const type = isRelation ? 'RELATION' : (fieldTypes[position % fieldTypes.length] ?? 'TEXT');
  return {
    id: `${entityId}-${position}`,
    entityId,
    name: isRelation ? 'parent' : `field${position}`,
    key: `field${position}`,
    type,
    label: null,
    description: null,
    isRequired: false,
    isUnique: position === 1,
    isSearchable: false,
    isFilterable: true,
    isSortable: true,
    defaultValue: null,
    defaultFrom: null,
    validation: null,
    options: type === 'SELECT' ? ['NEW', 'OPEN', 'DONE'].map((value) => ({ value, label: value })) : null,
    targetEntityId: isRelation ? (target ?? null) : null,
    inverseName: isRelation ? 'children' : null,
    onDelete: isRelation ? 'SET_NULL' : null,
    uiConfig: null,
    position,
    slot: null,
    pendingSlot: null,
    isPendingUnique: false,
    becomes: null,
    aliases: [],
    isActive: true,
  };
}

/** One operation for each entity, of a kind by its number. */
function operationsOn(name: string, index: number): string[] {
  const type = name.charAt(0).toUpperCase() + name.slice(1);
  const fields = 'id field1 field2 field3 field4 field7 version createdAt createdBy { id email }';
  const kinds = [
    `query List($first: Int, $filter: ${type}Filter) { ${name}s(first: $first, filter: $filter) { edges { cursor node { ${fields} parent { id field1 } } } pageInfo { hasNextPage endCursor } totalCount } }`,
    `query One($id: ID!) { ${name}(id: $id) { ${fields} children(first: 5) { nodes { id field1 } } } }`,
    `mutation Create($input: Create${type}Input!) { create${type}(input: $input) { ${fields} } }`,
    `mutation Update($id: ID!, $input: Update${type}Input!) { update${type}(id: $id, input: $input) { ${fields} } }`,
    `subscription Changed { ${name}Changed { cursor operation changedFields ${name} { ${fields} } } }`,
  ];
  return [kinds[index % kinds.length] ?? ''];
}
