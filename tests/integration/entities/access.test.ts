/** Who may do what, and what nobody learns of another tenant. */
import { buildSchema, isObjectType } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anonymousClaims, type Claims } from '#schema/claims.ts';
import { createEntitiesFixture, type EntitiesFixture, type EntitiesTenant } from './fixture.ts';

let fixture: EntitiesFixture;
let tenant: EntitiesTenant;
let other: EntitiesTenant;
let own: { item: string; owner: string };
let foreign: { item: string; owner: string };

beforeAll(async () => {
  fixture = await createEntitiesFixture();
  [tenant, other] = await Promise.all([fixture.addTenant(), fixture.addTenant()]);
  const [first, second] = await Promise.all([tenant, other].map(fill));
  own = first as typeof own;
  foreign = second as typeof foreign;
});
afterAll(() => fixture[Symbol.asyncDispose]());

async function fill(subject: EntitiesTenant): Promise<typeof own> {
  await subject.createEntity({ name: 'owner', fields: [{ name: 'name', type: 'TEXT', isUnique: true }] });
  await subject.createEntity({
    name: 'item',
    fields: [
      { name: 'name', type: 'TEXT' },
      { name: 'owner', type: 'RELATION', targetEntity: 'owner', inverseName: 'items' },
    ],
  });
  const { createOwner } = await subject.query(
    `mutation ($name: String) { createOwner(input: { name: $name }) { id } }`,
    { name: subject.id },
  );
  const { createItem } = await subject.query(
    `mutation ($input: CreateItemInput!) { createItem(input: $input) { id } }`,
    {
      input: { name: `secret of ${subject.id}`, ownerId: createOwner.id },
    },
  );
  return { item: createItem.id, owner: createOwner.id };
}

describe('another tenant’s ids', () => {
  it('read as if they never were', async () => {
    const read = (ids: typeof own) =>
      tenant.send(
        `query ($item: ID!, $owner: ID!, $representations: [_Any!]!, $name: String!) {
          item(id: $item) { name }
          record(entity: "item", id: $item) { data }
          ownerByName(name: $name) { id }
          items(filter: { id: { eq: $item } }) { totalCount nodes { name } }
          byRelation: items(filter: { ownerId: { eq: $owner } }) { totalCount }
          through: owners(filter: { items: { some: { id: { eq: $item } } } }) { totalCount }
          untyped: records(entity: "item", filter: { id: { eq: "${ids.item}" } }) { totalCount }
          _entities(representations: $representations) { ... on Item { name } ... on Owner { items { totalCount } } }
        }`,
        {
          ...ids,
          name: other.id,
          representations: [
            { __typename: 'Item', id: ids.item },
            { __typename: 'Owner', id: ids.owner },
          ],
        },
      );
    const never = await read({ item: crypto.randomUUID(), owner: crypto.randomUUID() });
    const others = await read(foreign);
    expect(JSON.stringify(others)).toBe(JSON.stringify(never));
    expect(others.errors).toBeUndefined();
    expect(others.data).toMatchObject({
      item: null,
      record: null,
      ownerByName: null,
      items: { totalCount: 0 },
      _entities: [null, null],
    });
    expect((await read(own)).data).toMatchObject({
      items: { totalCount: 1 },
      _entities: [{ name: `secret of ${tenant.id}` }, { items: { totalCount: 1 } }],
    });
  });

  it.each([
    ['updateItem(id: $id, input: { name: "x" }) { id }', 'NOT_FOUND'],
    ['deleteItem(id: $id) { id }', 'NOT_FOUND'],
    ['restoreItem(id: $id) { id }', 'NOT_FOUND'],
    ['createItem(input: { ownerId: $id }) { id }', 'BAD_USER_INPUT'],
    ['createItems(inputs: [{ ownerId: $id }]) { id }', 'BAD_USER_INPUT'],
  ])('are refused as unknown ones are: %s', async (mutation, code) => {
    const attempt = async (id: string) => {
      const refusal = await tenant.refusal(`mutation ($id: ID!) { ${mutation} }`, { id });
      return { ...JSON.parse(JSON.stringify(refusal).replaceAll(id, '<id>')) };
    };
    const id = mutation.includes('ownerId') ? foreign.owner : foreign.item;
    const refused = await attempt(id);
    expect(refused.code).toBe(code);
    expect(refused).toEqual(await attempt(crypto.randomUUID()));
  });

  it('leave the other tenant as it was', async () => {
    const { items } = await other.query(
      `{ items(includeDeleted: true) { nodes { id name version deletedAt } } }`,
    );
    expect(items.nodes).toEqual([
      { id: foreign.item, name: `secret of ${other.id}`, version: 1, deletedAt: null },
    ]);
  });

  it('share one schema for equal definitions, and nothing else', async () => {
    const sdl = async (subject: EntitiesTenant) =>
      (await fixture.service.getSdl({ audience: 'TENANT', tenantId: subject.id, version: null })).sdl;
    expect(await sdl(tenant)).toBe(await sdl(other));
    await Promise.all(
      [tenant, other].flatMap((subject) =>
        Array.from({ length: 10 }, async () => {
          const { items } = await subject.query(
            `{ items { nodes { name owner { name items { nodes { name } } } } } }`,
          );
          const name = `secret of ${subject.id}`;
          expect(items.nodes).toEqual([{ name, owner: { name: subject.id, items: { nodes: [{ name }] } } }]);
        }),
      ),
    );
  });
});

describe('roles', () => {
  const writes = [
    'createItem(input: { name: "x" }) { id }',
    `createItems(inputs: [{ name: "x" }]) { id }`,
    'upsertOwner(on: NAME, input: { name: "y" }) { id }',
  ];
  const definitions = [
    'createEntity(input: { name: "thing" }) { id }',
    'updateEntity(name: "item", input: { label: "x" }) { id }',
    'deleteEntity(name: "item")',
    'createField(entity: "item", input: { name: "thing", type: TEXT }) { id }',
    'updateField(entity: "item", name: "name", input: { label: "x" }) { id }',
    'deleteField(entity: "item", name: "name")',
    'applyTemplate(name: "crm") { id }',
  ];

  it.each(['VIEWER', 'USER', 'DEVELOPER', 'ADMIN', 'SERVICE', 'OPERATOR'] as const)('%s', async (role) => {
    const subject = tenant.as({ role });
    await subject.query(
      `{ items { nodes { name owner { name } } } entityDefinitions { name } records(entity: "item") { totalCount } }`,
    );
    const codeOf = async (mutation: string) =>
      (await subject.send(`mutation { ${mutation} }`)).errors?.[0]?.extensions['code'];
    for (const mutation of writes)
      expect(await codeOf(mutation), mutation).toBe(role === 'VIEWER' ? 'FORBIDDEN' : undefined);
    if (role !== 'VIEWER' && role !== 'USER') return;
    for (const mutation of definitions) expect(await codeOf(mutation), mutation).toBe('FORBIDDEN');
    for (const mutation of [
      'updateItem(id: $id, input: { name: "x" }) { id }',
      'deleteItem(id: $id) { id }',
      'restoreItem(id: $id) { id }',
    ]) {
      const result = await subject.send(`mutation ($id: ID!) { ${mutation} }`, { id: own.item });
      expect(result.errors?.[0]?.extensions['code'], mutation).toBe(
        role === 'VIEWER' ? 'FORBIDDEN' : undefined,
      );
    }
  });

  it.each([
    ['nobody', anonymousClaims, 'UNAUTHENTICATED'],
    ['the gateway', { ...anonymousClaims, actorKind: 'GATEWAY' }, 'UNAUTHENTICATED'],
    [
      'an operator without a tenant',
      { ...anonymousClaims, actorKind: 'OPERATOR', role: 'OPERATOR' },
      'TENANT_REQUIRED',
    ],
  ] as [string, Claims, string][])('%s gets nothing', async (_who, claims, code) => {
    for (const query of [
      '{ entityDefinitions { name } }',
      '{ templates { name } }',
      'mutation { createEntity(input: { name: "thing" }) { id } }',
      `{ _entities(representations: []) { __typename } }`,
    ]) {
      const result = await fixture.service.execute({
        query,
        claims,
        definitionsVersion: null,
        requestId: 'test',
        clientAddress: null,
      });
      expect(result.errors?.[0]?.extensions['code'], query).toBe(code);
    }
  });

  it('does not answer an unknown tenant', async () => {
    const stranger = fixture.tenantOf(fixture.service, { ...tenant.claims, tenantId: crypto.randomUUID() });
    expect((await stranger.refusal(`{ entityDefinitions { name } }`)).code).toBe('TENANT_NOT_FOUND');
  });
});

it('publishes nothing to the public, the static part to the platform, and describes every type, field and argument', async () => {
  expect(await fixture.service.getSdl({ audience: 'PUBLIC', tenantId: null, version: null })).toEqual({
    sdl: null,
    version: null,
  });
  const platform = await fixture.service.getSdl({ audience: 'PLATFORM', tenantId: null, version: null });
  expect(platform.sdl).toContain('entityDefinitions');
  expect(platform.sdl).not.toContain('type Item');

  const { sdl } = await fixture.service.getSdl({ audience: 'TENANT', tenantId: tenant.id, version: null });
  const schema = buildSchema(String(sdl).replace(/extend schema @link[^\n]*\n/, ''), {
    assumeValidSDL: true,
  });
  const undescribed: string[] = [];
  for (const type of Object.values(schema.getTypeMap())) {
    if (
      type.name.startsWith('__') ||
      ['Query', 'Mutation', 'String', 'Int', 'Float', 'Boolean', 'ID'].includes(type.name)
    )
      continue;
    if (!type.description) undescribed.push(type.name);
  }
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('__') || !isObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      if (!field.description) undescribed.push(`${type.name}.${field.name}`);
      for (const arg of field.args)
        if (!arg.description) undescribed.push(`${type.name}.${field.name}(${arg.name}:)`);
    }
  }
  expect(undescribed).toEqual([]);
});
