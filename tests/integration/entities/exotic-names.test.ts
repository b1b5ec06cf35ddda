/** Names and layouts that are allowed and unusual: they define, write, read, filter, order, compile and compose as any other. */
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createEntitiesFixture, type EntitiesFixture, type EntitiesTenant } from './fixture.ts';

let fixture: EntitiesFixture;
let tenant: EntitiesTenant;

beforeAll(async () => {
  fixture = await createEntitiesFixture();
  tenant = await fixture.addTenant();
});
afterAll(() => fixture[Symbol.asyncDispose]());

const fields = [
  ...[
    '_',
    '_x',
    'x_',
    'then',
    'toJSON',
    'await',
    'class',
    'function',
    'arguments',
    'eval',
    'default',
    'this',
    'null',
    'true',
    'undefined',
  ],
  ...[
    'name',
    'length',
    'prototype',
    'caller',
    'data',
    'entity',
    'record',
    'node',
    'nodes',
    'edges',
    'cursor',
    'pageInfo',
    'totalCount',
  ],
  ...[
    'first',
    'filter',
    'orderBy',
    'search',
    'on',
    'input',
    'type',
    'query',
    'fragment',
    'tenant_id',
    'select',
    'from',
    'A',
    'aB9',
    'x'.repeat(63),
  ],
];

it.each(['a', 'Z9', 'order', 'select', 'class', 'function', 'constructor', 'x'.repeat(61)])(
  'entity %s',
  async (name) => {
    const { typeName, pluralName } = await tenant.createEntity({
      name,
      fields: fields.map((field) => ({ name: field, type: 'TEXT' })),
    });
    const plural = pluralName.charAt(0).toUpperCase() + pluralName.slice(1);
    const values = Object.fromEntries(fields.map((field, index) => [field, `${field} ${index}`]));
    for (let use = 0; use < 4; use += 1) {
      const written = await tenant.query(
        `mutation ($inputs: [Create${typeName}Input!]!) { create${plural}(inputs: $inputs) { ${fields.join(' ')} } }`,
        { inputs: [values] },
      );
      expect(written[`create${plural}`]).toEqual([values]);
    }
    const list = `query ($filter: ${typeName}Filter, $orderBy: [${typeName}Order!]) { ${pluralName}(filter: $filter, orderBy: $orderBy, first: 1) { totalCount nodes { ${fields.join(' ')} } } }`;
    for (const field of ['then', 'null', 'select', '_', 'x'.repeat(63)]) {
      const found = await tenant.query(list, {
        filter: { [field]: { eq: values[field] } },
        orderBy: [{ [field]: 'DESC' }],
      });
      expect(found[pluralName]).toEqual({ totalCount: 4, nodes: [values] });
    }
  },
);

it('composes', async () => {
  const { sdl } = await fixture.service.getSdl({ audience: 'TENANT', tenantId: tenant.id, version: null });
  const composed = composeServices([
    { name: 'entities', url: 'http://entities', typeDefs: parse(String(sdl)) },
  ]);
  expect(composed.errors).toBeUndefined();
  expect(composed.hints?.filter((hint) => hint.definition.code.startsWith('INCONSISTENT'))).toEqual([]);
});

it('relates beyond the slots, one to one, and over every type that can be unique', async () => {
  const other = await fixture.addTenant();
  await other.createEntity({
    name: 'target',
    fields: [
      { name: 'number', type: 'NUMBER', isUnique: true },
      { name: 'day', type: 'DATE', isUnique: true },
      { name: 'at', type: 'DATETIME', isUnique: true },
      { name: 'choice', type: 'SELECT', isUnique: true, options: [{ value: 'A' }, { value: 'B' }] },
      { name: 'email', type: 'EMAIL', isUnique: true },
    ],
  });
  const relations = Array.from({ length: 12 }, (_, index) => `r${index}`);
  await other.createEntity({
    name: 'source',
    fields: [
      ...relations.map((name) => ({
        name,
        type: 'RELATION',
        targetEntity: 'target',
        inverseName: `of${name}`,
      })),
      { name: 'only', type: 'RELATION', targetEntity: 'target', isUnique: true, inverseName: null },
    ],
  });
  const target = {
    number: 1.5,
    day: '2026-01-02',
    at: '2026-01-02T03:04:05.006Z',
    choice: 'B',
    email: 'A@example.com',
  };
  const { createTarget } = await other.query(
    `mutation ($input: CreateTargetInput!) { createTarget(input: $input) { id } }`,
    { input: target },
  );
  for (const [query, value] of [
    ['targetByNumber(number: 1.5)', '2.5'],
    ['targetByDay(day: "2026-01-02")', '2026-01-03'],
    ['targetByAt(at: "2026-01-02T04:04:05.006+01:00")', '…'],
    ['targetByChoice(choice: B)', 'A'],
    ['targetByEmail(email: "a@EXAMPLE.com")', '…'],
  ]) {
    expect(value).toBeDefined();
    expect(Object.values(await other.query(`{ ${query} { id } }`)), query).toEqual([createTarget]);
  }
  expect(
    (await other.refusal(`mutation { createTarget(input: { email: "a@example.com" }) { id } }`)).code,
  ).toBe('CONFLICT');
  expect((await other.query(`{ targetByChoice(choice: A) { id } }`)).targetByChoice).toBeNull();

  const ids = Object.fromEntries([...relations, 'only'].map((name) => [`${name}Id`, createTarget.id]));
  const create = `mutation ($input: CreateSourceInput!) { createSource(input: $input) { id r11 { id } only { number } } }`;
  const { createSource } = await other.query(create, { input: ids });
  expect(createSource).toMatchObject({ r11: createTarget, only: { number: 1.5 } });
  expect((await other.refusal(create, { input: { onlyId: createTarget.id } })).code).toBe('CONFLICT');
  expect(
    (await other.query(`query ($id: ID!) { sourceByOnly(onlyId: $id) { id } }`, { id: createTarget.id }))
      .sourceByOnly,
  ).toEqual({ id: createSource.id });
  const { targets } = await other.query(
    `query ($id: ID!) { targets(filter: { ofr11: { some: { id: { eq: $id } } } }) { nodes { ofr0 { totalCount } ofr11 { totalCount nodes { id } } } } }`,
    { id: createSource.id },
  );
  expect(targets.nodes).toEqual([
    { ofr0: { totalCount: 1 }, ofr11: { totalCount: 1, nodes: [{ id: createSource.id }] } },
  ]);
  const { sources } = await other.query(
    `{ sources(filter: { r11: { number: { gt: 1 } } }, orderBy: [{ r11: { number: ASC } }]) { totalCount nodes { id } } }`,
  );
  expect(sources).toEqual({ totalCount: 1, nodes: [{ id: createSource.id }] });
});
