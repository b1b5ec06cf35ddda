/** Definitions as a document: exported, planned, applied here and elsewhere, and applied again without effect. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { templates } from '#subgraphs/entities/templates/templates.ts';
import {
  type Anything,
  createEntitiesFixture,
  type EntitiesFixture,
  type EntitiesTenant,
} from './fixture.ts';

let fixture: EntitiesFixture;
let tenant: EntitiesTenant;

beforeAll(async () => {
  fixture = await createEntitiesFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());
beforeEach(async () => {
  tenant = await fixture.addTenant();
});

const members = `steps { kind entity field changes lostValues } losesData`;
const plan = `query ($definitions: JSON!) { planDefinitions(definitions: $definitions) { ${members} } }`;
const apply = `mutation ($definitions: JSON!, $allowLoss: Boolean! = false) { applyDefinitions(definitions: $definitions, allowLoss: $allowLoss) { ${members} } }`;
const exported = async (of = tenant): Promise<Anything> =>
  (await of.query(`{ exportDefinitions }`)).exportDefinitions;
const sdlOf = async (of: EntitiesTenant) =>
  (await fixture.service.getSdl({ audience: 'TENANT', tenantId: of.id, version: await of.version() })).sdl;
const entityOf = (document: Anything, name: string): Anything =>
  document.entities.find((entity: Anything) => entity.name === name);

async function defineShop(): Promise<void> {
  await tenant.createEntity({ name: 'brand', fields: [{ name: 'name', type: 'TEXT', isUnique: true }] });
  await tenant.createEntity({
    name: 'product',
    label: 'Product',
    description: 'What we "sell"',
    icon: 'box',
    fields: [
      { name: 'name', type: 'TEXT', isRequired: true, validation: { maxLength: 80 } },
      { name: 'since', type: 'DATETIME', defaultValue: '2026-01-01T01:00:00+01:00' },
      {
        name: 'kind',
        type: 'SELECT',
        options: [{ value: 'A', label: 'Apfel' }, { value: 'B' }],
        defaultValue: 'A',
      },
      { name: 'brand', type: 'RELATION', targetEntity: 'brand', inverseName: 'goods' },
      { name: 'parent', type: 'RELATION', targetEntity: 'product', inverseName: null, onDelete: 'CASCADE' },
      { name: 'extra', type: 'JSON', uiConfig: { widget: 'tree', order: [2, 1] } },
      { name: 'hidden', type: 'INTEGER' },
    ],
  });
  await tenant.query(
    `mutation { updateField(entity: "product", name: "hidden", input: { isActive: false, position: 1 }) { name } renameField(entity: "product", name: "extra", to: "more") { name } renameEntity(name: "brand", to: "maker") { name } }`,
  );
}

it('gives the same graph in another tenant, and changes nothing the second time', async () => {
  await defineShop();
  const document = await exported();
  expect(JSON.stringify(document)).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}/);
  const other = await fixture.addTenant();
  const { applyDefinitions } = await other.query(apply, { definitions: document });
  expect(applyDefinitions.steps[0]).toEqual({
    kind: 'CREATE',
    entity: 'maker',
    field: null,
    changes: [],
    lostValues: 0,
  });
  // One transaction, one version.
  expect(await other.version()).toBe(2);
  expect(await sdlOf(other)).toBe(await sdlOf(tenant));
  expect(await exported(other)).toEqual(document);
  for (const one of [tenant, other]) {
    const version = await one.version();
    const again = await one.query(apply, { definitions: document });
    expect(again.applyDefinitions).toEqual({ steps: [], losesData: false });
    expect(await one.version()).toBe(version);
  }
});

it.each(templates.map((template) => template.name))('takes the template %s along', async (name) => {
  await tenant.query(`mutation ($name: String!) { applyTemplate(name: $name) { name } }`, { name });
  const document = await exported();
  const other = await fixture.addTenant();
  await other.query(apply, { definitions: document });
  expect(await sdlOf(other)).toBe(await sdlOf(tenant));
  expect((await tenant.query(plan, { definitions: document })).planDefinitions.steps).toEqual([]);
});

it('lists what changes and what is lost, refuses a loss, and does it where it is allowed', async () => {
  await defineShop();
  await tenant.query(
    `mutation { createMaker(input: { name: "Acme" }) { id } createProducts(inputs: [{ name: "1", kind: A }, { name: "two", kind: B }, { name: "3", kind: null }]) { id } }`,
  );
  const document = await exported();
  document.entities = document.entities.filter((entity: Anything) => entity.name !== 'maker');
  const product = entityOf(document, 'product');
  product.fields = product.fields.filter((field: Anything) => !['brand', 'kind'].includes(field.name));
  const named = product.fields.find((field: Anything) => field.name === 'name');
  Object.assign(named, { type: 'INTEGER', validation: null, isSearchable: false, isRequired: false });
  product.label = 'Ware';
  product.fields.push({ name: 'weight', type: 'NUMBER' });
  document.entities.push({ name: 'tag', fields: [{ name: 'name', type: 'TEXT' }] });

  const version = await tenant.version();
  const { planDefinitions } = await tenant.query(plan, { definitions: document });
  expect(planDefinitions.losesData).toBe(true);
  expect(planDefinitions.steps).toEqual(
    expect.arrayContaining([
      { kind: 'DELETE', entity: 'maker', field: null, changes: [], lostValues: 1 },
      { kind: 'DELETE', entity: 'product', field: 'kind', changes: [], lostValues: 2 },
      { kind: 'DELETE', entity: 'product', field: 'brand', changes: [], lostValues: 0 },
      { kind: 'RETYPE', entity: 'product', field: 'name', changes: ['type: TEXT → INTEGER'], lostValues: 1 },
      {
        kind: 'UPDATE',
        entity: 'product',
        field: null,
        changes: ['label: "Product" → "Ware"'],
        lostValues: 0,
      },
      { kind: 'CREATE', entity: 'product', field: 'weight', changes: [], lostValues: 0 },
      { kind: 'CREATE', entity: 'tag', field: null, changes: [], lostValues: 0 },
    ]),
  );
  expect(await tenant.version()).toBe(version);
  const refusal = await tenant.refusal(apply, { definitions: document });
  expect(refusal.code).toBe('CONFLICT');
  expect(refusal.fields.map(({ field }) => field)).toEqual(
    expect.arrayContaining(['maker', 'product.kind', 'product.brand']),
  );
  expect(await tenant.version()).toBe(version);

  await tenant.query(apply, { definitions: document, allowLoss: true });
  expect(await tenant.version()).toBe(version + 1);
  const { products, tags } = await tenant.query(
    `{ products(orderBy: [{ name: ASC }]) { nodes { name weight } } tags { totalCount } }`,
  );
  expect(products.nodes).toEqual([
    { name: 1, weight: null },
    { name: 3, weight: null },
    { name: null, weight: null },
  ]);
  expect(tags.totalCount).toBe(0);
  expect((await tenant.refusal(`{ makers { totalCount } }`)).code).toBe('GRAPHQL_VALIDATION_FAILED');
  await fixture.service.definitions.idle();
  expect((await tenant.query(plan, { definitions: document })).planDefinitions.steps).toEqual([]);
});

it('renames what is known by an old name of the document, with its records', async () => {
  await defineShop();
  await tenant.query(`mutation { createProduct(input: { name: "kept" }) { id } }`);
  const document = await exported();
  const product = entityOf(document, 'product');
  Object.assign(product, {
    name: 'article',
    pluralName: 'articles',
    aliases: [{ name: 'product', pluralName: 'products' }],
  });
  Object.assign(
    product.fields.find((field: Anything) => field.name === 'name'),
    { name: 'title', aliases: ['name'] },
  );
  product.fields.find((field: Anything) => field.name === 'parent').targetEntity = 'article';
  const { applyDefinitions } = await tenant.query(apply, { definitions: document });
  expect(applyDefinitions.steps.map(({ kind, entity, field }: Anything) => [kind, entity, field])).toEqual([
    ['RENAME', 'article', null],
    ['RENAME', 'article', 'title'],
    ['UPDATE', 'article', null],
    ['UPDATE', 'article', 'title'],
  ]);
  const { articles, products } = await tenant.query(
    `{ articles { nodes { title } } products { nodes { name } } }`,
  );
  expect([articles.nodes, products.nodes]).toEqual([[{ title: 'kept' }], [{ name: 'kept' }]]);
});

it('converts, indexes and makes unique in one document, with what follows in the background', async () => {
  await tenant.createEntity({
    name: 'item',
    fields: [{ name: 'code', type: 'TEXT', isFilterable: false, isSortable: false, isSearchable: false }],
  });
  await tenant.query(`mutation { createItems(inputs: [{ code: "1" }, { code: "2" }]) { id } }`);
  const document = await exported();
  Object.assign(document.entities[0].fields[0], {
    type: 'INTEGER',
    isUnique: true,
    isFilterable: true,
    isSearchable: true,
  });
  const { applyDefinitions } = await tenant.query(apply, { definitions: document });
  expect(applyDefinitions.steps.map((step: Anything) => step.kind)).toEqual(['RETYPE', 'UPDATE']);
  // What is on its way is wanted already.
  expect((await tenant.query(plan, { definitions: document })).planDefinitions.steps).toEqual([]);
  await fixture.service.definitions.idle();
  const { itemByCode, items } = await tenant.query(
    `{ itemByCode(code: 2) { code } items(search: "1", filter: { code: { lt: 2 } }) { totalCount } }`,
  );
  expect([itemByCode, items.totalCount]).toEqual([{ code: 2 }, 1]);
  expect((await tenant.refusal(`mutation { createItem(input: { code: 2 }) { id } }`)).code).toBe('CONFLICT');
  expect(await exported()).toEqual(document);
});

it('brings entities in order, also where they refer to each other', async () => {
  const relation = (name: string, targetEntity: string) => ({
    name,
    type: 'RELATION',
    targetEntity,
    inverseName: null,
  });
  const entities = [
    { name: 'first', fields: [relation('second', 'second')] },
    { name: 'second', fields: [relation('first', 'first'), { name: 'name', type: 'TEXT' }] },
  ];
  await tenant.query(apply, { definitions: { entities } });
  const document = await exported();
  expect(document.entities.map((entity: Anything) => entity.name)).toEqual(['first', 'second']);
  document.entities.reverse();
  document.entities[0].fields.reverse();
  await tenant.query(apply, { definitions: document });
  expect(await exported()).toEqual(document);
  await tenant.query(apply, { definitions: { entities: [] } });
  expect((await exported()).entities).toEqual([]);
});

it.each([
  ['no document', 7, 'definitions'],
  ['a list', [], 'definitions'],
  ['another format', { format: 2, entities: [] }, 'definitions.format'],
  ['an unknown member', { entities: [{ name: 'a', tenantId: 'x' }] }, 'definitions.entities.0'],
  [
    'an unknown type',
    { entities: [{ name: 'a', fields: [{ name: 'b', type: 'SQL' }] }] },
    'definitions.entities.0.fields.0.type',
  ],
  ['a name twice', { entities: [{ name: 'a' }, { name: 'a' }] }, 'definitions.entities'],
  ['a broken name', { entities: [{ name: 'a"; drop table records' }] }, 'a"; drop table records.name'],
  [
    'a target that is not there',
    { entities: [{ name: 'a', fields: [{ name: 'b', type: 'RELATION', targetEntity: 'c' }] }] },
    'a.b.targetEntity',
  ],
  ['a reserved name', { entities: [{ name: 'user' }] }, 'name'],
  [
    'an old name that is another’s',
    { entities: [{ name: 'a' }, { name: 'b', aliases: [{ name: 'a', pluralName: 'x' }] }] },
    'name',
  ],
  [
    'too many entities',
    { entities: Array.from({ length: 201 }, (_, index) => ({ name: `e${index}` })) },
    'definitions.entities',
  ],
])('refuses %s, says where, and changes nothing', async (_what, definitions, field) => {
  for (const document of [plan, apply]) {
    const refusal = await tenant.refusal(document, { definitions });
    expect(['BAD_USER_INPUT', 'CONFLICT']).toContain(refusal.code);
    expect(refusal.fields.map((broken) => broken.field)).toContain(field);
  }
  expect(await tenant.version()).toBe(1);
});

it('is for developers, and for their own tenant', async () => {
  await defineShop();
  const definitions = await exported();
  const user = tenant.as({ role: 'USER' });
  expect((await user.refusal(`{ exportDefinitions }`)).code).toBe('FORBIDDEN');
  expect((await user.refusal(plan, { definitions })).code).toBe('FORBIDDEN');
  expect((await user.refusal(apply, { definitions })).code).toBe('FORBIDDEN');
  const other = await fixture.addTenant();
  expect((await exported(other)).entities).toEqual([]);
});
