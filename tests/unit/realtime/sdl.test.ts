/** The realtime subgraph's part of a tenant's graph, and that it fits the others'. */
import { composeServices } from '@apollo/composition';
import { buildSchema, isInputObjectType, isObjectType, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { buildEntitiesSdl } from '#subgraphs/entities/schema-builder/sdl.ts';
import { type FieldType, fieldTypes, type TenantModel } from '#subgraphs/model/definition.ts';
import { parseTenantModel } from '#subgraphs/model/tenant-model.ts';
import { buildRealtimeSdl, staticRealtimeSdl } from '#subgraphs/realtime/schema-builder/sdl.ts';
import { readStaticSdl, sharedSdl } from '#subgraphs/server/static-sdl.ts';

interface Field {
  name: string;
  type: FieldType;
  target?: string;
  inverseName?: string;
  isFilterable?: boolean;
  isUnique?: boolean;
}

function modelOf(
  entities: Record<string, Field[]>,
  tenantId = 'a',
  description = 'Any "text" """ at all \\',
): TenantModel {
  return parseTenantModel(tenantId, {
    version: 2,
    entities: Object.keys(entities).map((name, position) => ({
      id: `${tenantId}-${name}`,
      name,
      pluralName: `${name}List`,
      label: null,
      description,
      icon: null,
      position,
    })),
    fields: Object.entries(entities).flatMap(([entity, fields]) =>
      fields.map((field, position) => ({
        id: `${tenantId}-${entity}-${field.name}`,
        entityId: `${tenantId}-${entity}`,
        name: field.name,
        key: `${tenantId}${field.name}`,
        type: field.type,
        label: null,
        description,
        isRequired: false,
        isUnique: field.isUnique ?? false,
        isSearchable: false,
        isFilterable: field.isFilterable ?? true,
        isSortable: true,
        defaultValue: null,
        validation: null,
        options: field.type.includes('SELECT')
          ? [
              { value: 'ONE', label: 'One' },
              { value: 'TWO', label: '"' },
            ]
          : null,
        targetEntityId: field.target ? `${tenantId}-${field.target}` : null,
        inverseName: field.inverseName ?? null,
        onDelete: field.target ? 'SET_NULL' : null,
        uiConfig: null,
        slot: null,
        position,
      })),
    ),
  });
}

const everything = {
  company: [{ name: 'name', type: 'TEXT' }],
  contact: [
    ...fieldTypes
      .filter((type) => type !== 'RELATION' && type !== 'MULTI_RELATION')
      .map((type): Field => ({ name: `its${type}`.replaceAll('_', ''), type })),
    { name: 'hidden', type: 'SELECT', isFilterable: false },
    { name: 'company', type: 'RELATION', target: 'company', inverseName: 'staff' },
    { name: 'boss', type: 'RELATION', target: 'contact', inverseName: 'team' },
    { name: 'desk', type: 'RELATION', target: 'company', inverseName: 'keeper', isUnique: true },
    { name: 'clubs', type: 'MULTI_RELATION', target: 'company', inverseName: 'members' },
    { name: 'friends', type: 'MULTI_RELATION', target: 'contact', inverseName: 'friendOf' },
  ],
} satisfies Record<string, Field[]>;

/** The hints of the composition; throws its errors. */
function compose(model: TenantModel): { supergraphSdl: string; hints: string[] } {
  const { errors, hints, supergraphSdl } = composeServices([
    { name: 'tenants', url: 'http://tenants', typeDefs: parse(`${readStaticSdl('tenants')}\n${sharedSdl}`) },
    { name: 'entities', url: 'http://entities', typeDefs: parse(buildEntitiesSdl(model)) },
    { name: 'realtime', url: 'http://realtime', typeDefs: parse(buildRealtimeSdl(model)) },
  ]);
  if (errors) throw new Error(errors.map((error) => error.message).join('\n'));
  return {
    supergraphSdl,
    hints: (hints ?? []).map((hint) => `${hint.definition.code} ${hint.message}`),
  };
}

describe('composition with the other subgraphs', () => {
  it.each([
    ['no entities', {}],
    ['every type of field, relations both ways', everything],
    ['an entity whose name a change uses itself', { actor: [{ name: 'name', type: 'TEXT' }], operation: [] }],
  ] satisfies [string, Record<string, Field[]>][])('succeeds with %s', (_what, entities) => {
    const { supergraphSdl, hints } = compose(modelOf(entities));
    expect(hints.filter((hint) => hint.startsWith('INCONSISTENT_INPUT_OBJECT_FIELD'))).toEqual([]);
    const schema = buildSchema(supergraphSdl, { assumeValidSDL: true });
    const subscriptions = Object.keys(schema.getSubscriptionType()?.getFields() ?? {});
    expect(subscriptions.toSorted()).toEqual(
      [
        'definitionsChanged',
        'recordChanged',
        'transferProgress',
        ...Object.keys(entities).map((name) => `${name}Changed`),
      ].toSorted(),
    );
  });

  it('keeps every member of a filter, and every field of the record below a change', () => {
    const schema = buildSchema(compose(modelOf(everything)).supergraphSdl, { assumeValidSDL: true });
    const filter = schema.getType('ContactFilter');
    const contact = schema.getType('Contact');
    if (!isInputObjectType(filter) || !isObjectType(contact)) throw new Error('types are missing');
    expect(Object.keys(filter.getFields())).toEqual(
      expect.arrayContaining(['itsMULTISELECT', 'company', 'companyId', 'team']),
    );
    expect(Object.keys(contact.getFields())).toEqual(
      expect.arrayContaining(['id', 'hidden', 'company', 'team', 'createdBy']),
    );
  });
});

describe('the SDL', () => {
  it('is the same for equal definitions of different tenants', () => {
    expect(buildRealtimeSdl(modelOf(everything, 'a'))).toBe(buildRealtimeSdl(modelOf(everything, 'b')));
  });

  it('names the record of a change after its entity, or beside it where the name is taken', () => {
    const sdl = buildRealtimeSdl(modelOf({ contact: [], actor: [], at: [] }));
    expect(sdl).toMatch(/contactId: ID!/);
    expect(sdl).toMatch(/actorRecordId: ID!/);
    expect(sdl).toMatch(/actorRecord: Actor$/m);
    expect(sdl).toMatch(/atRecord: At$/m);
  });

  it('describes every type, field and argument that it publishes', () => {
    const stubs = new Set(['Contact']);
    const schema = buildSchema(
      `directive @key(fields: String!, resolvable: Boolean) on OBJECT directive @shareable on OBJECT
       directive @link(url: String!, import: [String!]) on SCHEMA
       ${buildRealtimeSdl(modelOf({ contact: [{ name: 'name', type: 'TEXT' }] }, 'a', 'described')).replace(/extend schema @link[^\n]*/, '')}`,
    );
    const bare: string[] = [];
    for (const type of Object.values(schema.getTypeMap())) {
      if (!isObjectType(type) || type.name.startsWith('__') || stubs.has(type.name)) continue;
      for (const field of Object.values(type.getFields())) {
        if (!field.description) bare.push(`${type.name}.${field.name}`);
        for (const arg of field.args)
          if (!arg.description) bare.push(`${type.name}.${field.name}(${arg.name})`);
      }
    }
    expect(bare).toEqual([]);
  });

  it('of a tenant without entities is the static part', () => {
    expect(buildRealtimeSdl(modelOf({}))).toBe(staticRealtimeSdl);
  });
});
