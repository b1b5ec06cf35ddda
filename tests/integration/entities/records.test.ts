/** Define, write and read, through the subgraph: every type of field, relations, inverses, filters, and how many statements it takes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEntitiesFixture, type EntitiesFixture, type EntitiesTenant } from './fixture.ts';

let fixture: EntitiesFixture;
let tenant: EntitiesTenant;

beforeAll(async () => {
  fixture = await createEntitiesFixture();
  tenant = await fixture.addTenant();
});
afterAll(() => fixture[Symbol.asyncDispose]());

const options = [
  { value: 'RED', label: 'Red' },
  { value: 'deep_blue', label: 'Deep "blue"' },
];
const everyType: [type: string, name: string, value: unknown, extra?: Record<string, unknown>][] = [
  ['TEXT', 'text', 'Ünïcödé 🎬 "quoted" \\ % _'],
  ['LONG_TEXT', 'longText', 'line\nline\t'.repeat(300)],
  ['EMAIL', 'email', 'ada@example.com'],
  ['URL', 'url', 'https://example.com/a?b=c#d'],
  ['PHONE', 'phone', '+41441234567'],
  ['INTEGER', 'integer', -2147483648],
  ['NUMBER', 'number', 9007199254740991],
  ['BOOLEAN', 'boolean', false],
  ['DATE', 'date', '1999-12-31'],
  ['DATETIME', 'dateTime', '2026-11-21T03:04:05.678Z'],
  ['JSON', 'json', { a: [1, null, 'x', { b: false }] }],
  ['SELECT', 'select', 'deep_blue', { options }],
  ['MULTI_SELECT', 'multiSelect', ['RED', 'deep_blue'], { options }],
];

describe('every type of field', () => {
  const names = everyType.map(([, name]) => name).join(' ');
  const input = Object.fromEntries(everyType.map(([, name, value]) => [name, value]));

  beforeAll(() =>
    tenant.createEntity({
      name: 'specimen',
      fields: everyType.map(([type, name, , extra]) => ({ type, name, ...extra })),
    }),
  );

  it('keeps its value, through variables, and reads null where there is none', async () => {
    const { createSpecimen } = await tenant.query(
      `mutation ($input: CreateSpecimenInput!) { createSpecimen(input: $input) { id ${names} version createdBy { id } deletedAt } }`,
      { input },
    );
    expect(createSpecimen).toEqual({
      ...input,
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      version: 1,
      createdBy: { id: tenant.claims.actorId },
      deletedAt: null,
    });
    const { specimen } = await tenant.query(`query ($id: ID!) { specimen(id: $id) { ${names} } }`, {
      id: createSpecimen.id,
    });
    expect(specimen).toEqual(input);

    const nothing = Object.fromEntries(everyType.map(([, name]) => [name, null]));
    const { updateSpecimen } = await tenant.query(
      `mutation ($id: ID!, $input: UpdateSpecimenInput!) { updateSpecimen(id: $id, input: $input, expectedVersion: 1) { ${names} version } }`,
      { id: createSpecimen.id, input: nothing },
    );
    expect(updateSpecimen).toEqual({ ...nothing, version: 2 });
  });

  it('keeps its value through literals', async () => {
    const { createSpecimen } = await tenant.query(
      `mutation { createSpecimen(input: { text: "a", dateTime: "2026-11-21T01:00:00+02:00", date: "2024-02-29", json: { a: [1] }, select: RED, multiSelect: [RED] }) { text dateTime date json select multiSelect number } }`,
    );
    expect(createSpecimen).toEqual({
      text: 'a',
      dateTime: '2026-11-20T23:00:00.000Z',
      date: '2024-02-29',
      json: { a: [1] },
      select: 'RED',
      multiSelect: ['RED'],
      number: null,
    });
  });

  it.each([
    ['email', 'nobody', 'email'],
    ['url', 'javascript:alert(1)', 'url'],
    ['phone', '044 123', 'phone'],
    ['date', '2023-02-29', 'date'],
    ['dateTime', '2023-02-28', 'dateTime'],
    ['text', 'nul \u0000', 'characters'],
  ])('refuses %s = %j by name and rule', async (name, value, rule) => {
    const refusal = await tenant.refusal(
      `mutation ($input: CreateSpecimenInput!) { createSpecimen(input: $input) { id } }`,
      {
        input: { [name]: value },
      },
    );
    expect(refusal.code).toBe('BAD_USER_INPUT');
    expect(refusal.fields).toMatchObject([{ field: name, rule }]);
  });

  it.each([
    ['integer', 2147483648],
    ['select', 'GREEN'],
    ['boolean', 'yes'],
    ['unknown', 1],
  ])('refuses %s = %j before it reaches the store', async (name, value) => {
    const refusal = await tenant.refusal(
      `mutation ($input: CreateSpecimenInput!) { createSpecimen(input: $input) { id } }`,
      {
        input: { [name]: value },
      },
    );
    expect(refusal.code).toBe('BAD_USER_INPUT');
    expect(refusal.message).toContain(name);
  });

  it.each(everyType.filter(([type]) => type !== 'JSON' && type !== 'MULTI_SELECT'))(
    'is filtered: %s',
    async (_type, name, value) => {
      const { createSpecimen } = await tenant.query(
        `mutation ($input: CreateSpecimenInput!) { createSpecimen(input: $input) { id } }`,
        { input },
      );
      const { specimens } = await tenant.query(
        `query ($filter: SpecimenFilter) { specimens(filter: $filter, first: 1000) { nodes { id ${name} } totalCount } }`,
        { filter: { [name]: { eq: value } } },
      );
      expect(specimens.nodes.map((node: { id: string }) => node.id)).toContain(createSpecimen.id);
      for (const node of specimens.nodes) expect(node[name]).toEqual(value);
      expect(specimens.totalCount).toBe(specimens.nodes.length);
    },
  );
});

describe('relations', () => {
  let companyIds: string[];

  beforeAll(async () => {
    await tenant.createEntity({
      name: 'company',
      fields: [
        { name: 'name', type: 'TEXT', isRequired: true, isUnique: true },
        { name: 'parent', type: 'RELATION', targetEntity: 'company', inverseName: 'subsidiaries' },
      ],
    });
    await tenant.createEntity({
      name: 'person',
      fields: [
        { name: 'name', type: 'TEXT', isRequired: true },
        { name: 'company', type: 'RELATION', targetEntity: 'company' },
      ],
    });
    const { createCompanies } = await tenant.query(
      `mutation ($inputs: [CreateCompanyInput!]!) { createCompanies(inputs: $inputs) { id } }`,
      {
        inputs: Array.from({ length: 40 }, (_, index) => ({
          name: `Company ${String(index).padStart(2, '0')}`,
        })),
      },
    );
    companyIds = createCompanies.map((row: { id: string }) => row.id);
    await tenant.query(
      `mutation ($id: ID!, $parentId: ID) { updateCompany(id: $id, input: { parentId: $parentId }) { id } }`,
      {
        id: companyIds[1],
        parentId: companyIds[0],
      },
    );
    await tenant.query(`mutation ($inputs: [CreatePersonInput!]!) { createPeople(inputs: $inputs) { id } }`, {
      inputs: Array.from({ length: 120 }, (_, index) => ({
        name: `Person ${index}`,
        companyId: index % 10 === 9 ? null : companyIds[index % 40],
      })),
    });
  });

  it('takes the plural name as the inverse where nothing is said, and none where null is', async () => {
    const { entityDefinition } = await tenant.query(
      `{ entityDefinition(name: "person") { pluralName fields { name targetEntity inverseName onDelete isIndexed } } }`,
    );
    expect(entityDefinition.pluralName).toBe('people');
    expect(entityDefinition.fields[1]).toEqual({
      name: 'company',
      targetEntity: 'company',
      inverseName: 'people',
      onDelete: 'SET_NULL',
      isIndexed: true,
    });
    const field = await tenant.createField('person', {
      name: 'formerCompany',
      type: 'RELATION',
      targetEntity: 'company',
      inverseName: null,
    });
    expect(field.inverseName).toBeNull();
    const again = await tenant.createField('person', {
      name: 'otherCompany',
      type: 'RELATION',
      targetEntity: 'company',
    });
    expect(again.inverseName).toBeNull();
  });

  it('reads each level with one statement, however many parents', async () => {
    const query = `query ($first: Int) {
      people(first: $first) { nodes { name companyId company { name parent { name } subsidiaries { totalCount } people(first: 2) { totalCount nodes { name company { name } } } } } }
    }`;
    await tenant.query(query, { first: 1 });
    const few = await fixture.countStatements(() => tenant.query(query, { first: 5 }));
    const many = await fixture.countStatements(() => tenant.query(query, { first: 120 }));
    // people, company, parent + its count, people + its count; company of people was read already.
    expect(many.statements.length).toBeLessThanOrEqual(8);
    expect(many.statements.length).toBe(few.statements.length);
    const [first] = many.result.people.nodes;
    expect(first.company.name).toBe('Company 00');
    expect(first.company.people.totalCount).toBe(3);
    expect(first.company.people.nodes).toHaveLength(2);
    expect(many.result.people.nodes[1].company.parent).toEqual({ name: 'Company 00' });
    expect(first.company.subsidiaries.totalCount).toBe(1);
  });

  it('counts only when asked', async () => {
    const { statements } = await fixture.countStatements(() => tenant.query(`{ people { nodes { name } } }`));
    expect(statements).toHaveLength(1);
    const counted = await fixture.countStatements(() =>
      tenant.query(`{ people { totalCount nodes { name } } }`),
    );
    expect(counted.statements).toHaveLength(2);
    expect(counted.result.people.totalCount).toBe(120);
  });

  it('filters and orders through a relation, in both directions', async () => {
    const { people } = await tenant.query(
      `{ people(filter: { company: { name: { in: ["Company 03", "Company 07"] } } }, orderBy: [{ company: { name: DESC } }, { name: ASC }]) { nodes { company { name } } totalCount } }`,
    );
    expect(people.totalCount).toBe(6);
    expect(people.nodes.map((node: { company: { name: string } }) => node.company.name)).toEqual([
      'Company 07',
      'Company 07',
      'Company 07',
      'Company 03',
      'Company 03',
      'Company 03',
    ]);
    const { companies } = await tenant.query(
      `{ companies(filter: { people: { none: {} } }, first: 100) { nodes { name } } }`,
    );
    expect(companies.nodes.map((node: { name: string }) => node.name)).toContain('Company 09');
    expect(companies.nodes.map((node: { name: string }) => node.name)).not.toContain('Company 08');
  });

  it('finds by a unique field and upserts on it', async () => {
    const { companyByName } = await tenant.query(`{ companyByName(name: "Company 05") { id } }`);
    expect(companyByName.id).toBe(companyIds[5]);
    expect((await tenant.query(`{ companyByName(name: "none") { id } }`)).companyByName).toBeNull();
    const upsert = `mutation ($input: CreateCompanyInput!) { upsertCompany(on: NAME, input: $input) { id parentId version } }`;
    const { upsertCompany: updated } = await tenant.query(upsert, {
      input: { name: 'Company 05', parentId: companyIds[0] },
    });
    expect(updated).toEqual({ id: companyIds[5], parentId: companyIds[0], version: 2 });
    const { upsertCompany: created } = await tenant.query(upsert, { input: { name: 'Company 40' } });
    expect(companyIds).not.toContain(created.id);
    const refusal = await tenant.refusal(`mutation { createCompany(input: { name: "Company 05" }) { id } }`);
    expect(refusal.code).toBe('CONFLICT');
    expect(refusal.message).toContain('name');
  });

  it('resolves references, each its own, in one statement', async () => {
    const representations = [
      ...companyIds.slice(0, 20).map((id) => ({ __typename: 'Company', id })),
      { __typename: 'Company', id: crypto.randomUUID() },
      { __typename: 'Company', id: "'; drop table records; --" },
    ];
    const query = `query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on Company { id name } } }`;
    const { result, statements } = await fixture.countStatements(() =>
      tenant.query(query, { representations }),
    );
    expect(result._entities.slice(0, 2)).toEqual([
      { id: companyIds[0], name: 'Company 00' },
      { id: companyIds[1], name: 'Company 01' },
    ]);
    expect(result._entities.slice(20)).toEqual([null, null]);
    expect(statements).toHaveLength(1);
  });

  it('lists deleted records only when told to, and restores them', async () => {
    const { createPerson } = await tenant.query(`mutation { createPerson(input: { name: "Gone" }) { id } }`);
    const byId = { id: createPerson.id };
    const { deletePerson } = await tenant.query(
      `mutation ($id: ID!) { deletePerson(id: $id) { name deletedAt } }`,
      byId,
    );
    expect(deletePerson).toEqual({ name: 'Gone', deletedAt: expect.any(String) });
    const list = `query ($id: ID!, $all: Boolean) { person(id: $id) { id } people(filter: { id: { eq: $id } }, includeDeleted: $all) { nodes { id } } }`;
    expect(await tenant.query(list, { ...byId, all: false })).toEqual({
      person: null,
      people: { nodes: [] },
    });
    expect((await tenant.query(list, { ...byId, all: true })).people.nodes).toEqual([byId]);
    expect(
      (await tenant.query(`mutation ($id: ID!) { restorePerson(id: $id) { deletedAt } }`, byId))
        .restorePerson,
    ).toEqual({ deletedAt: null });
    expect((await tenant.query(list, byId)).person).toEqual(byId);
  });

  it('serves any entity through the untyped twin', async () => {
    const { records } = await tenant.query(
      `query ($filter: JSON) { records(entity: "person", first: 2, filter: $filter, orderBy: [{ field: "company.name", direction: ASC }, { field: "name" }]) { totalCount nodes { id entity data version } pageInfo { hasNextPage } } }`,
      { filter: { company: { name: { startsWith: 'Company 0' } } } },
    );
    expect(records.nodes[0]).toMatchObject({
      entity: 'person',
      data: { name: 'Person 0', companyId: companyIds[0] },
    });
    expect(records.pageInfo.hasNextPage).toBe(true);
    const { record } = await tenant.query(`query ($id: ID!) { record(entity: "person", id: $id) { data } }`, {
      id: records.nodes[0].id,
    });
    expect(record.data).toEqual(records.nodes[0].data);
    expect((await tenant.refusal(`{ records(entity: "nobody") { totalCount } }`)).code).toBe('NOT_FOUND');
    expect(
      (await tenant.refusal(`{ records(entity: "person", filter: { salary: { gt: 1 } }) { totalCount } }`))
        .code,
    ).toBe('BAD_USER_INPUT');
  });
});

it('answers the same when an operation has come often enough to be compiled', async () => {
  const representations = (await tenant.query(`{ people(first: 3) { nodes { __typename id } } }`)).people
    .nodes;
  const query = `query ($representations: [_Any!]!, $with: Boolean!) {
    _entities(representations: $representations) {
      __typename
      ... on Person { id name createdAt createdBy { __typename id } company @include(if: $with) { name people(first: 1) { totalCount nodes { company { name } } edges { cursor } pageInfo { endCursor hasNextPage } } } }
    }
    people(first: 2, filter: { company: { name: { ne: null } } }) { totalCount pageInfo { hasNextPage startCursor } edges { cursor node { name ...names } } }
    specimens(first: 3) { nodes { text date dateTime json select multiSelect boolean number integer version deletedAt } }
    record(entity: "person", id: "nothing") { data }
    records(entity: "person", first: 1) { nodes { id data createdBy { id } createdAt } totalCount }
    entityDefinition(name: "person") { typeName fields { name type isIndexed targetEntity options { value } } }
  }
  fragment names on Person { company { name parent { name } } }`;
  const first = await tenant.query(query, { representations, with: true });
  expect(first._entities[0].company.people.totalCount).toBe(3);
  for (let use = 0; use < 5; use += 1)
    expect(await tenant.query(query, { representations, with: true })).toEqual(first);
  const { _entities } = await tenant.query(query, { representations, with: false });
  expect(_entities[0]).not.toHaveProperty('company');

  const create = `mutation ($inputs: [CreatePersonInput!]!) { createPeople(inputs: $inputs) { id name company { name } createdAt } }`;
  for (let use = 0; use < 5; use += 1) {
    const { createPeople } = await tenant.query(create, {
      inputs: [{ name: 'Again', companyId: first._entities[0].companyId }, { name: 'Twice' }],
    });
    expect(createPeople).toMatchObject([{ name: 'Again' }, { name: 'Twice', company: null }]);
    const refusal = await tenant.refusal(create, {
      inputs: [{ name: 'Good' }, { name: 'Bad', companyId: 'no id' }],
    });
    expect(refusal.fields).toMatchObject([{ field: 'inputs.1.companyId' }]);
  }
});
