/** Clients of an old name go on while others use the new one: on the same records. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createEntitiesFixture, type EntitiesFixture, type EntitiesTenant } from './fixture.ts';

let fixture: EntitiesFixture;
let tenant: EntitiesTenant;

beforeAll(async () => {
  fixture = await createEntitiesFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());
beforeEach(async () => {
  tenant = await fixture.addTenant();
  await tenant.createEntity({ name: 'company', fields: [{ name: 'name', type: 'TEXT' }] });
  await tenant.createEntity({
    name: 'contact',
    fields: [
      { name: 'name', type: 'TEXT', isRequired: true, isUnique: true },
      { name: 'status', type: 'SELECT', options: [{ value: 'NEW' }, { value: 'OLD' }] },
      { name: 'company', type: 'RELATION', targetEntity: 'company' },
    ],
  });
});

const renameEntity = `mutation ($name: String!, $to: String!, $pluralName: String, $keepAlias: Boolean! = true) { renameEntity(name: $name, to: $to, pluralName: $pluralName, keepAlias: $keepAlias) { name pluralName typeName aliases } }`;
const renameField = `mutation ($name: String!, $to: String!, $keepAlias: Boolean! = true) { renameField(entity: "person", name: $name, to: $to, keepAlias: $keepAlias) { name aliases } }`;

it('counts, groups and writes nested under the old names of fields', async () => {
  await tenant.query(
    `mutation { createContact(input: { name: "Ann", status: NEW, company: { create: { name: "Acme" } } }) { id } }`,
  );
  await tenant.createField('contact', { name: 'age', type: 'INTEGER' });
  await tenant.query(renameEntity, { name: 'contact', to: 'person' });
  for (const [name, to] of Object.entries({ status: 'state', company: 'employer', age: 'years' }))
    await tenant.query(renameField, { name, to });
  await tenant.query(
    `mutation { createPerson(input: { name: "Bob", status: OLD, years: 3, company: { create: { name: "Best" } } }) { id } }`,
  );
  await tenant.query(
    `mutation { createCompany(input: { name: "Cold", contacts: { create: [{ name: "Cy", status: OLD, age: 4 }] } }) { id } }`,
  );
  const { old, now } = await tenant.query(
    `{ old: contactsAggregate(groupBy: [{ status: true }], having: { sum: { age: { gt: 1 } } }, orderBy: [{ group: { status: ASC } }]) { group { status } count sum { age } max { age } countDistinct { companyId status } }
       now: peopleAggregate(groupBy: [{ state: true }], having: { sum: { years: { gt: 1 } } }, orderBy: [{ group: { state: ASC } }]) { group { state } count sum { years age } max { years } countDistinct { employerId state } } }`,
  );
  expect(old).toEqual([
    {
      group: { status: 'OLD' },
      count: 2,
      sum: { age: 7 },
      max: { age: 4 },
      countDistinct: { companyId: 2, status: 1 },
    },
  ]);
  expect(now).toEqual([
    {
      group: { state: 'OLD' },
      count: 2,
      sum: { years: 7, age: 7 },
      max: { years: 4 },
      countDistinct: { employerId: 2, state: 1 },
    },
  ]);
  const { groups } = await tenant.query(
    `{ groups: peopleAggregate(groupBy: [{ company: { name: true } }], orderBy: [{ group: { company: { name: ASC } } }]) { count group { company { name } } } }`,
  );
  expect(groups.map((group: { group: unknown }) => group.group)).toEqual(
    ['Acme', 'Best', 'Cold'].map((name) => ({ company: { name } })),
  );
});

it('keeps every operation of the old names working, on the same records', async () => {
  const operations = {
    create: `mutation ($input: CreateContactInput!) { createContact(input: $input) { __typename id name status companyId } }`,
    list: `query ($filter: ContactFilter, $orderBy: [ContactOrder!]) { contacts(filter: $filter, orderBy: $orderBy) { totalCount nodes { __typename id name status company { name contacts { nodes { id } } } ... on Contact { version } } } }`,
    update: `mutation ($id: ID!, $input: UpdateContactInput!) { updateContact(id: $id, input: $input) { name status } }`,
    unique: `{ contactByName(name: "Ann") { id __typename } }`,
    upsert: `mutation { upsertContact(on: NAME, input: { name: "Ann", status: OLD }) { id status } }`,
  };
  const { createCompany } = await tenant.query(`mutation { createCompany(input: { name: "Acme" }) { id } }`);
  const { createContact: before } = await tenant.query(operations.create, {
    input: { name: 'Ann', status: 'NEW', companyId: createCompany.id },
  });

  const renamed = await tenant.query(renameEntity, { name: 'contact', to: 'person' });
  expect(renamed.renameEntity).toEqual({
    name: 'person',
    pluralName: 'people',
    typeName: 'Person',
    aliases: ['contact'],
  });
  expect((await tenant.query(renameField, { name: 'name', to: 'fullName' })).renameField).toEqual({
    name: 'fullName',
    aliases: ['name'],
  });
  await tenant.query(renameField, { name: 'status', to: 'state' });
  await tenant.query(renameField, { name: 'company', to: 'employer' });

  const { createContact: after } = await tenant.query(operations.create, {
    input: { name: 'Bob', status: 'OLD', companyId: createCompany.id },
  });
  expect(after).toMatchObject({
    __typename: 'Contact',
    name: 'Bob',
    status: 'OLD',
    companyId: createCompany.id,
  });
  const { contacts } = await tenant.query(operations.list, {
    filter: {
      status: { in: ['NEW', 'OLD'] },
      name: { startsWith: 'b', mode: 'INSENSITIVE' },
      company: { name: { eq: 'Acme' } },
    },
    orderBy: [{ company: { name: 'ASC' } }, { name: 'DESC' }],
  });
  expect(contacts).toMatchObject({
    totalCount: 1,
    nodes: [{ __typename: 'Contact', id: after.id, name: 'Bob', version: 1, company: { name: 'Acme' } }],
  });
  expect(contacts.nodes[0].company.contacts.nodes).toHaveLength(2);
  await tenant.query(operations.update, { id: after.id, input: { name: 'Rob' } });
  expect((await tenant.query(operations.unique)).contactByName).toEqual({
    id: before.id,
    __typename: 'Contact',
  });
  expect((await tenant.query(operations.upsert)).upsertContact).toEqual({ id: before.id, status: 'OLD' });

  const { people } = await tenant.query(
    `{ people(orderBy: [{ fullName: ASC }]) { nodes { __typename fullName name state status employerId companyId } } }`,
  );
  expect(people.nodes).toEqual(
    ['Ann', 'Rob'].map((name) => ({
      __typename: 'Person',
      fullName: name,
      name,
      state: 'OLD',
      status: 'OLD',
      employerId: createCompany.id,
      companyId: createCompany.id,
    })),
  );
  const { _entities } = await tenant.query(
    `query ($of: [_Any!]!) { _entities(representations: $of) { __typename ... on Contact { name } ... on Person { fullName } } }`,
    { of: ['Contact', 'Person'].map((type) => ({ __typename: type, id: before.id })) },
  );
  expect(_entities).toEqual([
    { __typename: 'Contact', name: 'Ann' },
    { __typename: 'Person', fullName: 'Ann' },
  ]);
  const { record, records } = await tenant.query(
    `query ($id: ID!) { record(entity: "contact", id: $id) { data } records(entity: "person", filter: { name: { eq: "Ann" } }) { totalCount } }`,
    { id: before.id },
  );
  expect(record.data).toMatchObject({ fullName: 'Ann', state: 'OLD' });
  expect(records.totalCount).toBe(1);
});

it('still wants what is required, and not both names at once', async () => {
  await tenant.query(renameEntity, { name: 'contact', to: 'person' });
  await tenant.query(renameField, { name: 'name', to: 'fullName' });
  const create = `mutation ($input: CreatePersonInput!) { createPerson(input: $input) { id } }`;
  expect(await tenant.refusal(create, { input: {} })).toMatchObject({
    code: 'BAD_USER_INPUT',
    fields: [{ field: 'fullName', rule: 'required' }],
  });
  expect(await tenant.refusal(create, { input: { name: 'a', fullName: 'b' } })).toMatchObject({
    code: 'BAD_USER_INPUT',
    fields: [{ rule: 'duplicate' }],
  });
});

it('ends an old name when the admin says so, which is free again', async () => {
  await tenant.query(renameEntity, { name: 'contact', to: 'person' });
  await tenant.query(renameField, { name: 'name', to: 'fullName' });
  expect((await tenant.refusal(`mutation { createEntity(input: { name: "contact" }) { id } }`)).code).toBe(
    'CONFLICT',
  );
  const drop = `mutation ($field: String, $alias: String!) { dropAlias(entity: "person", field: $field, alias: $alias) { aliases fields { name aliases } } }`;
  expect((await tenant.refusal(drop, { alias: 'person' })).code).toBe('NOT_FOUND');
  expect((await tenant.as({ role: 'USER' }).refusal(drop, { alias: 'contact' })).code).toBe('FORBIDDEN');
  expect((await tenant.as({ role: 'USER' }).refusal(renameEntity, { name: 'person', to: 'x' })).code).toBe(
    'FORBIDDEN',
  );
  await tenant.query(drop, { field: 'fullName', alias: 'name' });
  const { dropAlias } = await tenant.query(drop, { alias: 'contact' });
  expect(dropAlias).toMatchObject({ aliases: [] });
  expect((await tenant.refusal(`{ contacts { totalCount } }`)).code).toBe('GRAPHQL_VALIDATION_FAILED');
  expect((await tenant.refusal(`{ people { nodes { name } } }`)).code).toBe('GRAPHQL_VALIDATION_FAILED');
  await tenant.createEntity({ name: 'contact', fields: [{ name: 'name', type: 'TEXT' }] });
  await tenant.createField('person', { name: 'name', type: 'INTEGER' });
});

it('keeps no old name where none is wanted', async () => {
  const { renameEntity: renamed } = await tenant.query(renameEntity, {
    name: 'contact',
    to: 'person',
    pluralName: 'persons',
    keepAlias: false,
  });
  expect(renamed).toMatchObject({ pluralName: 'persons', aliases: [] });
  expect((await tenant.refusal(`{ contacts { totalCount } }`)).code).toBe('GRAPHQL_VALIDATION_FAILED');
  expect((await tenant.refusal(renameEntity, { name: 'person', to: 'company' })).code).toBe('CONFLICT');
  expect((await tenant.refusal(renameEntity, { name: 'contact', to: 'x' })).code).toBe('NOT_FOUND');
});
