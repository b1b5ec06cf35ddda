import { buildSubgraphSchema } from '@apollo/subgraph';
import { type GraphQLSchema, isEnumType, isInputObjectType, isObjectType, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import type { CreateEntityInput } from '#subgraphs/entities/definitions/definition-input.ts';
import { createEntitiesSchemas } from '#subgraphs/entities/schema-builder/entities-schemas.ts';
import { buildEntitiesSdl } from '#subgraphs/entities/schema-builder/sdl.ts';
import { changeModel, defineModel, modelOf } from '../model.ts';

const company: CreateEntityInput = {
  name: 'company',
  fields: [{ name: 'name', type: 'TEXT', isRequired: true, isUnique: true }],
};
const contact: CreateEntityInput = {
  name: 'contact',
  description: 'Ends """ here \\ and "there"',
  fields: [
    { name: 'name', type: 'TEXT', isRequired: true, description: 'A "name"\nwith """ in it' },
    { name: 'taxId', type: 'TEXT', isUnique: true },
    { name: 'age', type: 'INTEGER', isRequired: true, defaultValue: 1 },
    { name: 'score', type: 'NUMBER', isSortable: false, isFilterable: false },
    { name: 'status', type: 'SELECT', options: [{ value: 'NEW', label: 'Brand "new"' }, { value: 'OLD' }] },
    { name: 'tags', type: 'MULTI_SELECT', options: [{ value: 'A' }] },
    { name: 'born', type: 'DATE' },
    { name: 'seenAt', type: 'DATETIME' },
    { name: 'extra', type: 'JSON' },
    { name: 'company', type: 'RELATION', targetEntity: 'company' },
  ],
};

function build(sdl: string): GraphQLSchema {
  return buildSubgraphSchema({ typeDefs: parse(sdl) });
}

/** Members of a type by name, as "type" or "(arguments) type". */
function shapeOf(schema: GraphQLSchema, name: string): Record<string, string> {
  const type = schema.getType(name);
  if (isObjectType(type)) {
    return Object.fromEntries(
      Object.values(type.getFields()).map((field) => {
        const args = field.args.map((arg) => `${arg.name}: ${String(arg.type)}`).join(', ');
        return [field.name, args ? `(${args}) ${String(field.type)}` : String(field.type)];
      }),
    );
  }
  if (isInputObjectType(type))
    return Object.fromEntries(
      Object.values(type.getFields()).map((field) => [field.name, String(field.type)]),
    );
  if (isEnumType(type))
    return Object.fromEntries(type.getValues().map((value) => [value.name, value.description ?? '']));
  throw new Error(`${name} is ${String(type)}`);
}

describe('the SDL of definitions', () => {
  const schema = build(buildEntitiesSdl(defineModel(company, contact)));

  it('has the type with its fields, relation and system fields', () => {
    expect(shapeOf(schema, 'Contact')).toEqual({
      id: 'ID!',
      name: 'String!',
      taxId: 'String',
      age: 'Int!',
      score: 'Float',
      status: 'ContactStatus',
      tags: '[ContactTags!]',
      born: 'Date',
      seenAt: 'DateTime',
      extra: 'JSON',
      company: 'Company',
      companyId: 'ID',
      version: 'Int!',
      createdAt: 'DateTime!',
      updatedAt: 'DateTime!',
      createdBy: 'User',
      deletedAt: 'DateTime',
    });
    expect(shapeOf(schema, 'Company')['contacts']).toBe(
      '(first: Int, after: String, filter: ContactFilter, orderBy: [ContactOrder!]) ContactConnection!',
    );
    expect(schema.getType('Contact')?.description).toBe('Ends """ here \\ and "there"');
  });

  it('has the queries and mutations', () => {
    const page = 'first: Int, after: String, last: Int, before: String, offset: Int';
    expect(shapeOf(schema, 'Query')).toMatchObject({
      contact: '(id: ID!) Contact',
      contactByTaxId: '(taxId: String!) Contact',
      contacts: `(${page}, filter: ContactFilter, orderBy: [ContactOrder!], search: String, includeDeleted: Boolean) ContactConnection!`,
      companyByName: '(name: String!) Company',
    });
    expect(shapeOf(schema, 'Mutation')).toMatchObject({
      createContact: '(input: CreateContactInput!, idempotencyKey: String) Contact!',
      createContacts: '(inputs: [CreateContactInput!]!, idempotencyKey: String) [Contact!]!',
      updateContact:
        '(id: ID!, input: UpdateContactInput!, expectedVersion: Int, idempotencyKey: String) Contact!',
      updateContacts: '(inputs: [UpdateContactsInput!]!, idempotencyKey: String) [Contact!]!',
      upsertContact: '(on: ContactUniqueField!, input: CreateContactInput!, idempotencyKey: String) Contact!',
      upsertContacts:
        '(on: ContactUniqueField!, inputs: [CreateContactInput!]!, idempotencyKey: String) [Contact!]!',
      deleteContact: '(id: ID!, expectedVersion: Int, idempotencyKey: String) Contact!',
      deleteContacts: '(ids: [ID!]!, idempotencyKey: String) [Contact!]!',
      restoreContact: '(id: ID!, idempotencyKey: String) Contact!',
      restoreContacts: '(ids: [ID!]!, idempotencyKey: String) [Contact!]!',
    });
  });

  it('has the inputs, enums and connections', () => {
    const optional = {
      taxId: 'String',
      score: 'Float',
      status: 'ContactStatus',
      tags: '[ContactTags!]',
      born: 'Date',
      seenAt: 'DateTime',
      extra: 'JSON',
      companyId: 'ID',
      company: 'CompanyRelationInput',
    };
    expect(shapeOf(schema, 'CreateContactInput')).toEqual({ name: 'String!', age: 'Int', ...optional });
    expect(shapeOf(schema, 'UpdateContactInput')).toEqual({ name: 'String', age: 'Int', ...optional });
    expect(shapeOf(schema, 'CompanyRelationInput')).toEqual({
      connect: 'ID',
      create: 'CreateCompanyInput',
      disconnect: 'Boolean',
    });
    expect(shapeOf(schema, 'ContactListInput')).toEqual({
      connect: '[ID!]',
      create: '[CreateContactInput!]',
      disconnect: '[ID!]',
      set: '[ID!]',
    });
    expect(shapeOf(schema, 'CreateCompanyInput')).toMatchObject({ contacts: 'ContactListInput' });
    expect(schema.getType('CompanyListInput')).toBeUndefined();
    expect(schema.getType('ContactRelationInput')).toBeUndefined();
    expect(shapeOf(schema, 'ContactUniqueField')).toEqual({ TAX_ID: 'The field taxId.' });
    expect(shapeOf(schema, 'ContactStatus')).toEqual({ NEW: 'Brand "new"', OLD: 'OLD' });
    expect(shapeOf(schema, 'ContactConnection')).toEqual({
      edges: '[ContactEdge!]!',
      nodes: '[Contact!]!',
      pageInfo: 'PageInfo!',
      totalCount: 'Int!',
    });
    expect(shapeOf(schema, 'ContactEdge')).toEqual({ cursor: 'String!', node: 'Contact!' });
    expect(shapeOf(schema, 'ContactOrder')).toMatchObject({
      name: 'OrderDirection',
      company: 'CompanyOrder',
      createdAt: 'OrderDirection',
    });
    expect(shapeOf(schema, 'ContactOrder')).not.toHaveProperty('score');
    expect(shapeOf(schema, 'ContactFilter')).toMatchObject({
      and: '[ContactFilter!]',
      name: 'StringComparison',
      status: 'ContactStatusComparison',
      company: 'CompanyFilter',
    });
    expect(shapeOf(schema, 'ContactFilter')).not.toHaveProperty('score');
  });

  it('is equal for equal definitions, and holds no id, key or slot', () => {
    const first = defineModel(company, contact);
    const second = defineModel(company, contact);
    expect(first.entities[0]?.id).not.toBe(second.entities[0]?.id);
    expect(buildEntitiesSdl(first)).toBe(buildEntitiesSdl(second));
    for (const entity of first.entities)
      for (const { id } of [entity, ...entity.fields]) expect(buildEntitiesSdl(first)).not.toContain(id);
    // Another key and slot behind the same name.
    const again = changeModel(second, (draft) => {
      const at = draft.findEntity('contact')?.fields.find((field) => field.name === 'taxId')?.position ?? 0;
      draft.deleteField('contact', 'taxId');
      draft.createField('contact', { name: 'taxId', type: 'TEXT', isUnique: true, position: at });
    }).model;
    expect(buildEntitiesSdl(again)).toBe(buildEntitiesSdl(first));
  });

  it('is one schema for all models with it', () => {
    const schemas = createEntitiesSchemas();
    const [first, second] = [defineModel(company, contact), defineModel(company, contact)];
    expect(schemas.getSchema(first)).toBe(schemas.getSchema(second));
    expect(schemas.getSchema(defineModel(company))).not.toBe(schemas.getSchema(first));
  });

  it('is whole without entities, and with entities without fields', () => {
    expect(shapeOf(build(buildEntitiesSdl(modelOf([]))), 'Query')).toMatchObject({
      entityDefinitions: '[EntityDefinition!]!',
    });
    const bare = build(buildEntitiesSdl(defineModel({ name: 'marker' })));
    expect(shapeOf(bare, 'Mutation')).toMatchObject({
      createMarker: '(idempotencyKey: String) Marker!',
      deleteMarker: '(id: ID!, expectedVersion: Int, idempotencyKey: String) Marker!',
    });
    expect(shapeOf(bare, 'Mutation')).not.toHaveProperty('updateMarker');
    expect(
      createEntitiesSchemas()
        .getSchema(defineModel({ name: 'marker' }))
        .getType('Marker'),
    ).toBeDefined();
  });
});
