/** Permissions through the product as it is: real people of each role, one gateway, and every trick that was thought of. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '#tests/harness/client.ts';
import { startProduct, type Product } from '#tests/harness/product.ts';
import { addUser, registerTenant, type TestTenant } from '#tests/harness/tenant.ts';

let product: Product;
let tenant: TestTenant;
let viewer: Client;
let ann: Client;
let ben: Client;
let developer: Client;
const ids: Record<string, string> = {};

const set = `mutation ($entity: String!, $permissions: [PermissionInput!]!) {
  setPermissions(entity: $entity, permissions: $permissions) { permissions { role } }
}`;
const readable = ['name', 'team', 'boss', 'ownerId'];
const own = { or: [{ ownerId: { eq: '$me' } }, { createdBy: { eq: '$me' } }] };
const permissions = [
  { role: 'VIEWER', operations: ['READ'], readableFields: ['name'], rowFilter: { isPublic: { eq: true } } },
  { role: 'USER', readableFields: readable, writableFields: ['name', 'ownerId', 'team'], rowFilter: own },
  { role: 'DEVELOPER', readableFields: readable },
];

beforeAll(async () => {
  product = await startProduct();
  tenant = await registerTenant(product);
  [viewer, ann, ben, developer] = await Promise.all([
    addUser(product, tenant, 'VIEWER'),
    addUser(product, tenant, 'USER'),
    addUser(product, tenant, 'USER'),
    addUser(product, tenant, 'DEVELOPER'),
  ]);
  await tenant.admin.query(`mutation { createEntity(input: { name: "team", fields: [
    { name: "name", type: TEXT, isUnique: true }, { name: "budget", type: INTEGER }
  ] }) { id } }`);
  await tenant.admin.query(`mutation { createEntity(input: { name: "employee", fields: [
    { name: "name", type: TEXT, isUnique: true }, { name: "salary", type: INTEGER }, { name: "taxId", type: TEXT, isUnique: true },
    { name: "ownerId", type: TEXT }, { name: "isPublic", type: BOOLEAN },
    { name: "team", type: RELATION, targetEntity: "team", inverseName: "members" },
    { name: "boss", type: RELATION, targetEntity: "employee", inverseName: "reports" }
  ] }) { id } }`);
  const create = async (type: string, input: Record<string, unknown>): Promise<void> => {
    const mutation = `mutation ($input: Create${type}Input!) { one: create${type}(input: $input) { id } }`;
    ids[String(input['name'])] = (await tenant.admin.query(mutation, { input })).one.id;
  };
  const idOf = async (client: Client): Promise<string> => (await client.query('{ me { id } }')).me.id;
  const [annId, benId] = await Promise.all([idOf(ann), idOf(ben)]);
  await create('Team', { name: 'red', budget: 5 });
  await create('Employee', { name: 'a1', salary: 1000, taxId: 'x1', ownerId: annId, teamId: ids['red'] });
  await create('Employee', { name: 'a2', salary: 2000, ownerId: annId, bossId: ids['a1'] });
  await create('Employee', {
    name: 'b1',
    salary: 3000,
    taxId: 'x3',
    ownerId: benId,
    isPublic: true,
    bossId: ids['a1'],
  });
  await tenant.admin.query(set, { entity: 'employee', permissions });
  const budget = [
    { role: 'USER', readableFields: ['name'] },
    { role: 'DEVELOPER', operations: [] },
  ];
  await tenant.admin.query(set, { entity: 'team', permissions: budget });
});
afterAll(() => product[Symbol.asyncDispose]());

const list = '{ employees { totalCount nodes { name createdBy { email } } } }';
const namesOf = async (client: Client): Promise<string[]> =>
  (await client.query(list)).employees.nodes.map((node: { name: string }) => node.name);

async function codeOf(client: Client, query: string, variables?: Record<string, unknown>): Promise<unknown> {
  const answer = await client.send(query, variables);
  const told = JSON.stringify(answer);
  expect(told, query).not.toMatch(/\b[123]000\b|\bx[13]\b|"budget":/);
  return answer.errors?.[0]?.extensions.code;
}

describe('rows', () => {
  it('are one’s own, also where many ask the same at once', async () => {
    const rounds = Array.from({ length: 15 }, () =>
      Promise.all([namesOf(ann), namesOf(ben), namesOf(viewer), namesOf(tenant.admin), namesOf(developer)]),
    );
    for (const answers of await Promise.all(rounds)) {
      expect(answers).toEqual([['a1', 'a2'], ['b1'], ['b1'], ['a1', 'a2', 'b1'], ['a1', 'a2', 'b1']]);
    }
  });

  it('of others are unknown, by every way to one', async () => {
    const id = ids['b1'];
    const { employee, employeeByName, record, teams } = await ann.query(
      `query ($id: ID!) {
        employee(id: $id) { name } employeeByName(name: "b1") { name } record(entity: "employee", id: $id) { id }
        teams { nodes { members { totalCount nodes { name boss { name } reports { nodes { name } } } } } }
      }`,
      { id },
    );
    expect([employee, employeeByName, record]).toEqual([null, null, null]);
    expect(teams.nodes[0].members).toEqual({
      totalCount: 1,
      nodes: [{ name: 'a1', boss: null, reports: { nodes: [{ name: 'a2' }] } }],
    });
    // Whose boss one is not shown is no boss.
    expect((await ben.query('{ employees { nodes { boss { name } } } }')).employees.nodes).toEqual([
      { boss: null },
    ]);
  });

  it('are written as they are seen', async () => {
    const update =
      'mutation ($id: ID!, $input: UpdateEmployeeInput!) { updateEmployee(id: $id, input: $input) { name } }';
    expect(await codeOf(ann, update, { id: ids['b1'], input: { name: 'mine' } })).toBe('NOT_FOUND');
    expect(await codeOf(ann, update, { id: ids['a1'], input: { ownerId: 'nobody' } })).toBe('FORBIDDEN');
    expect(
      await codeOf(ann, 'mutation ($id: ID!) { deleteEmployee(id: $id) { id } }', { id: ids['b1'] }),
    ).toBe('NOT_FOUND');
    // Created by oneself is one's own.
    const { createEmployee } = await ann.query(
      'mutation { createEmployee(input: { name: "a3" }) { id createdBy { email } } }',
    );
    expect(createEmployee.createdBy.email).toContain('user-');
    expect(await namesOf(ben)).toEqual(['b1']);
    await ann.query('mutation ($id: ID!) { deleteEmployee(id: $id) { id } }', { id: createEmployee.id });
  });
});

describe('hidden fields', () => {
  const attacks = [
    '{ employees { nodes { salary } } }',
    '{ employees { nodes { name: salary } } }',
    '{ employees { nodes { ...A } } } fragment A on Employee { ...B } fragment B on Employee { salary }',
    'query ($yes: Boolean = true) { employees { nodes { ... @include(if: $yes) { salary } } } }',
    '{ teams { nodes { members { nodes { salary } } } } }',
    '{ employeeByTaxId(taxId: "x3") { id } }',
    '{ employees(filter: { salary: { gt: 1 } }) { totalCount } }',
    '{ employees(filter: { boss: { salary: { gt: 1 } } }) { totalCount } }',
    '{ teams(filter: { members: { some: { salary: { gt: 1 } } } }) { totalCount } }',
    '{ employees(orderBy: [{ salary: ASC }]) { nodes { id } } }',
    '{ employees(orderBy: [{ boss: { salary: ASC } }]) { nodes { id } } }',
    '{ employeesAggregate { max { salary } } }',
    '{ employeesAggregate(groupBy: [{ salary: true }]) { count } }',
    '{ employeesAggregate(groupBy: [{ name: true }], having: { sum: { salary: { gt: 1 } } }) { count } }',
    '{ records(entity: "employee", filter: { salary: { gt: 1 } }) { totalCount } }',
    '{ records(entity: "employee", orderBy: [{ field: "boss.salary" }]) { nodes { id } } }',
  ];
  it.each(attacks)('are told to none of them: %s', async (query) => {
    for (const client of [viewer, ann, developer]) {
      for (let time = 1; time <= 4; time += 1) expect(await codeOf(client, query)).toBe('FORBIDDEN');
    }
    expect((await tenant.admin.send(query)).errors).toBeUndefined();
  });

  it('are not told by the answer of a write, which is not done then', async () => {
    expect(await codeOf(ann, 'mutation { createEmployee(input: { name: "z" }) { id salary } }')).toBe(
      'FORBIDDEN',
    );
    expect((await tenant.admin.query('{ employeeByName(name: "z") { id } }')).employeeByName).toBeNull();
  });

  it('are not written', async () => {
    const create = 'mutation ($input: CreateEmployeeInput!) { createEmployee(input: $input) { id } }';
    const { errors } = await ann.send(create, { input: { name: 'z', salary: 9 } });
    expect(errors?.[0]?.extensions).toMatchObject({
      code: 'FORBIDDEN',
      fields: [{ field: 'salary', rule: 'permission' }],
    });
    expect(await codeOf(viewer, create, { input: { name: 'z' } })).toBe('FORBIDDEN');
  });
});

describe('whoever defines', () => {
  const developerMay = async (query: string, variables?: Record<string, unknown>) =>
    codeOf(developer, query, variables);

  it('cannot lift what they are held to', async () => {
    expect(await developerMay(set, { entity: 'employee', permissions: [] })).toBe('FORBIDDEN');
    const { exportDefinitions } = await developer.query('{ exportDefinitions }');
    for (const entity of exportDefinitions.entities) entity.permissions = [];
    const apply = 'mutation ($d: JSON!) { applyDefinitions(definitions: $d) { losesData } }';
    expect(await developerMay(apply, { d: exportDefinitions })).toBe('FORBIDDEN');
    expect(
      await developerMay(
        '{ planRetype(entity: "employee", name: "salary", to: { type: TEXT }) { problems { value } } }',
      ),
    ).toBe('FORBIDDEN');
    expect(await developerMay('{ teams { totalCount } }')).toBe('FORBIDDEN');
    await developer.query('mutation { renameField(entity: "employee", name: "salary", to: "pay") { id } }');
    expect(await developerMay('{ employees { nodes { pay } } }')).toBe('FORBIDDEN');
    expect(await developerMay('{ employees { nodes { salary } } }')).toBe('FORBIDDEN');
    await developer.query(
      'mutation { renameField(entity: "employee", name: "pay", to: "salary", keepAlias: false) { id } }',
    );
    // A new field is nobody's who has a list of fields.
    await developer.query(
      'mutation { createField(entity: "employee", input: { name: "extra", type: TEXT }) { id } }',
    );
    expect(await developerMay('{ employees { nodes { extra } } }')).toBe('FORBIDDEN');
  });

  it('of another tenant reaches none of it', async () => {
    const other = await registerTenant(product);
    const { errors } = await other.admin.send(set, { entity: 'employee', permissions: [] });
    expect(errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    expect(await codeOf(ann, '{ employees { nodes { salary } } }')).toBe('FORBIDDEN');
  });
});

it('an API key counts as the role that it has, and its $me is itself', async () => {
  const key = async (role: string): Promise<Client> => {
    const mutation = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key } }';
    const { createApiKey } = await tenant.admin.query(mutation, { input: { name: role, role } });
    return product.client({ authorization: `ApiKey ${createApiKey.key}` });
  };
  const [reader, writer] = [await key('VIEWER'), await key('USER')];
  expect(await namesOf(reader)).toEqual(['b1']);
  expect(await codeOf(reader, '{ employees { nodes { salary } } }')).toBe('FORBIDDEN');
  expect(await namesOf(writer)).toEqual([]);
});

it('a change holds from the next request on', async () => {
  const salaries = '{ employees { nodes { salary } } }';
  const withSalary = permissions.map((one) =>
    one.role === 'USER' ? { ...one, readableFields: [...readable, 'salary'] } : one,
  );
  await tenant.admin.query(set, { entity: 'employee', permissions: withSalary });
  expect((await ben.query(salaries)).employees.nodes).toEqual([{ salary: 3000 }]);
  await tenant.admin.query(set, { entity: 'employee', permissions });
  expect(await codeOf(ben, salaries)).toBe('FORBIDDEN');
});
