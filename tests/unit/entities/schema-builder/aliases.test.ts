/** Old names in a tenant's graph: everything a second time, deprecated, and the same in both subgraphs. */
import { composeServices } from '@apollo/composition';
import { buildSchema, type GraphQLSchema, isEnumType, isInputObjectType, isObjectType, parse } from 'graphql';
import { expect, it } from 'vitest';
import { buildEntitiesSdl } from '#subgraphs/entities/schema-builder/sdl.ts';
import type { TenantModel } from '#subgraphs/model/definition.ts';
import { buildRealtimeSdl } from '#subgraphs/realtime/schema-builder/sdl.ts';
import { readStaticSdl, sharedSdl } from '#subgraphs/server/static-sdl.ts';
import { changeModel, defineModel } from '../model.ts';

const before = defineModel(
  { name: 'company', fields: [{ name: 'name', type: 'TEXT', isRequired: true, isUnique: true }] },
  {
    name: 'contact',
    fields: [
      { name: 'status', type: 'SELECT', options: [{ value: 'NEW' }] },
      { name: 'company', type: 'RELATION', targetEntity: 'company' },
    ],
  },
);
const { model } = changeModel(before, (draft) => {
  draft.renameEntity('contact', { to: 'person', pluralName: 'people' });
  draft.renameField('company', 'name', { to: 'title' });
  draft.renameField('person', 'status', { to: 'state' });
  draft.renameField('person', 'company', { to: 'employer' });
});

function compose(of: TenantModel): GraphQLSchema {
  const { errors, hints, supergraphSdl } = composeServices([
    { name: 'tenants', url: 'http://tenants', typeDefs: parse(`${readStaticSdl('tenants')}\n${sharedSdl}`) },
    { name: 'entities', url: 'http://entities', typeDefs: parse(buildEntitiesSdl(of)) },
    { name: 'realtime', url: 'http://realtime', typeDefs: parse(buildRealtimeSdl(of)) },
  ]);
  if (errors) throw new Error(errors.map((error) => error.message).join('\n'));
  expect(
    hints?.filter((hint) => hint.definition.code === 'INCONSISTENT_INPUT_OBJECT_FIELD').map(String),
  ).toEqual([]);
  return buildSchema(supergraphSdl, { assumeValidSDL: true });
}

/** Members by name, with why they are deprecated; null where they are not. */
function reasons(schema: GraphQLSchema, name: string): Record<string, string | null> {
  const type = schema.getType(name);
  const members = isEnumType(type)
    ? type.getValues()
    : isObjectType(type) || isInputObjectType(type)
      ? Object.values(type.getFields())
      : [];
  return Object.fromEntries(members.map((member) => [member.name, member.deprecationReason ?? null]));
}

it('keeps every type and root field of a renamed entity, and says what it is named now', () => {
  const [old, schema] = [compose(before), compose(model)];
  // What is written through a relation is named at its other end, which knows the new name only.
  const own = /^(Contact|CreateContact|UpdateContact)(?!(List|Relation)Input)/;
  for (const name of Object.keys(old.getTypeMap()).filter((type) => own.test(type)))
    expect(schema.getType(name), name).toBeDefined();
  for (const root of [old.getQueryType(), old.getMutationType(), old.getSubscriptionType()]) {
    const members = reasons(schema, root?.name ?? '');
    for (const name of Object.keys(root?.getFields() ?? {}).filter((field) => /contact/i.test(field)))
      expect(members[name], name).toBe('It is named person now.');
    for (const name of Object.keys(members).filter((field) => /person|people/i.test(field)))
      expect(members[name], name).toBeNull();
  }
  // The other end lists them once.
  expect(Object.keys(reasons(schema, 'Company')).filter((name) => /contacts|people/.test(name))).toEqual([
    'contacts',
  ]);
});

it('keeps a renamed field in types, inputs, filters, orders, unique queries and enums', () => {
  const schema = compose(model);
  const titled = 'It is named title now.';
  for (const type of ['Company', 'CreateCompanyInput', 'UpdateCompanyInput', 'CompanyFilter', 'CompanyOrder'])
    expect(reasons(schema, type), type).toMatchObject({ title: null, name: titled });
  expect(reasons(schema, 'CompanyUniqueField')).toEqual({ TITLE: null, NAME: titled });
  expect(reasons(schema, 'Query')).toMatchObject({ companyByTitle: null, companyByName: titled });
  for (const type of ['Person', 'Contact', 'PersonFilter', 'ContactFilter'])
    expect(reasons(schema, type), type).toMatchObject({
      state: null,
      status: 'It is named state now.',
      employer: null,
      employerId: null,
      company: 'It is named employer now.',
      companyId: 'It is named employer now.',
    });
  // Documents that name the old enum go on.
  expect(schema.getType('PersonStatus')).toBeDefined();
  const input = schema.getType('CreateCompanyInput');
  expect(isInputObjectType(input) && String(input.getFields()['title']?.type)).toBe('String');
  expect(isObjectType(schema.getType('Company')) && reasons(schema, 'Company')['title']).toBeNull();
});

it('refuses names that meet an old one, and lets a rename back', () => {
  const attempt = (plan: Parameters<typeof changeModel>[1]) => () => changeModel(model, plan);
  for (const name of ['contact', 'CONTACT', 'contactFilter'])
    expect(
      attempt((draft) => draft.createEntity({ name })),
      name,
    ).toThrow(/contact/i);
  for (const name of ['status', 'COMPANY', 'companyId'])
    expect(
      attempt((draft) => draft.createField('person', { name, type: 'TEXT' })),
      name,
    ).toThrow(/an old name of|the id of/);
  expect(attempt((draft) => draft.renameEntity('company', { to: 'firm', pluralName: 'companies' }))).toThrow(
    /companies/,
  );
  expect(attempt((draft) => draft.renameEntity('company', { to: 'user' }))).toThrow(/own names/);
  expect(attempt((draft) => draft.renameField('person', 'state', { to: 'createdAt' }))).toThrow(/createdAt/);
  expect(attempt((draft) => draft.renameField('person', 'state', { to: 'a b' }))).toThrow(/letters/);
  expect(attempt((draft) => draft.dropAlias('person', null, 'nobody'))).toThrow(/no old name/);

  const back = changeModel(model, (draft) =>
    draft.renameEntity('person', { to: 'contact', pluralName: 'contacts', keepAlias: false }),
  ).model;
  expect(back.entityByName.get('contact')).toMatchObject({ name: 'contact', aliases: [] });
  const many = Array.from({ length: 6 }, (_, index) => `name${index}`);
  expect(
    attempt((draft) => {
      for (const to of many)
        draft.renameField('company', draft.findEntity('company')?.fields[0]?.name ?? '', { to });
    }),
  ).toThrow(/at most 5/);
});
