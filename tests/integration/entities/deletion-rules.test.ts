/** What a deletion does to records that point at the deleted one, through the API: RESTRICT, CASCADE, SET_NULL, cycles and depth. */
import { afterAll, beforeAll, expect, it } from 'vitest';
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
  tenant = await fixture.addTenant();
  const toFolder = { type: 'RELATION', targetEntity: 'folder' };
  await tenant.createEntity({
    name: 'folder',
    fields: [
      { name: 'name', type: 'TEXT' },
      { ...toFolder, name: 'parent', inverseName: 'children', onDelete: 'CASCADE' },
      { ...toFolder, name: 'shortcut', inverseName: 'shortcuts', onDelete: 'SET_NULL' },
      { ...toFolder, name: 'lockedBy', inverseName: 'locks', onDelete: 'RESTRICT' },
    ],
  });
});
afterAll(() => fixture[Symbol.asyncDispose]());

async function create(input: Anything): Promise<Anything> {
  const mutation = `mutation ($input: CreateFolderInput!) { createFolder(input: $input) { id } }`;
  return (await tenant.query(mutation, { input })).createFolder.id;
}

const remove = (id: string): Promise<Anything> =>
  tenant.send(`mutation ($id: ID!) { deleteFolder(id: $id) { deletedAt } }`, { id });

async function live(name: string): Promise<string[]> {
  const { folders } = await tenant.query(
    `query ($name: String) { folders(filter: { name: { startsWith: $name } }, orderBy: [{ name: ASC }], first: 1000) { nodes { name } } }`,
    { name },
  );
  return folders.nodes.map((node: Anything) => node.name);
}

it('takes children along, however deep, and clears what points into them', async () => {
  let parentId = await create({ name: 'deep 00' });
  const root = parentId;
  for (let level = 1; level < 30; level++) {
    parentId = await create({ name: `deep ${String(level).padStart(2, '0')}`, parentId });
  }
  const pointing = await create({ name: 'points', shortcutId: parentId });
  expect((await remove(root)).errors).toBeUndefined();
  expect(await live('deep')).toEqual([]);
  const { folder } = await tenant.query(`query ($id: ID!) { folder(id: $id) { shortcutId version } }`, {
    id: pointing,
  });
  expect(folder).toEqual({ shortcutId: null, version: 2 });
});

it('ends in cycles', async () => {
  const [a, b, c] = [
    await create({ name: 'ring a' }),
    await create({ name: 'ring b' }),
    await create({ name: 'ring c' }),
  ];
  const move = `mutation ($id: ID!, $parentId: ID) { updateFolder(id: $id, input: { parentId: $parentId }) { id } }`;
  for (const [id, parentId] of [
    [a, b],
    [b, c],
    [c, a],
  ])
    await tenant.query(move, { id, parentId });
  const self = await create({ name: 'self' });
  await tenant.query(move, { id: self, parentId: self });
  expect((await remove(b)).errors).toBeUndefined();
  expect(await live('ring')).toEqual([]);
  expect((await remove(self)).errors).toBeUndefined();
  expect(await live('self')).toEqual([]);
});

it('is refused while a record that stays restricts it, at any depth, and then changes nothing', async () => {
  const root = await create({ name: 'locked root' });
  const child = await create({ name: 'locked child', parentId: root });
  const lock = await create({ name: 'lock', lockedById: child });
  const { errors } = await remove(root);
  expect(errors[0].extensions).toMatchObject({ code: 'CONFLICT', recordId: lock, entity: 'folder' });
  expect(await live('locked')).toEqual(['locked child', 'locked root']);
  await remove(lock);
  expect((await remove(root)).errors).toBeUndefined();
});

it('is not refused by what goes along', async () => {
  const root = await create({ name: 'tree' });
  await create({ name: 'tree child', parentId: root, lockedById: root });
  expect((await remove(root)).errors).toBeUndefined();
  expect(await live('tree')).toEqual([]);
});

it('writes one event for each record, and a restored one comes back alone', async () => {
  const root = await create({ name: 'events' });
  const child = await create({ name: 'events child', parentId: root });
  const pointing = await create({ name: 'events pointing', shortcutId: child });
  const before = await fixture.superuser.query('select seq from tenant_heads where tenant_id = $1', [
    tenant.id,
  ]);
  await remove(root);
  const { rows } = await fixture.superuser.query(
    'select record_id as id, operation from events where tenant_id = $1 and seq > $2 order by seq',
    [tenant.id, before.rows[0].seq],
  );
  expect(rows).toEqual([
    { id: root, operation: 'DELETED' },
    { id: child, operation: 'DELETED' },
    { id: pointing, operation: 'UPDATED' },
  ]);
  const restore = `mutation ($id: ID!) { restoreFolder(id: $id) { id } }`;
  expect((await tenant.refusal(restore, { id: child })).code).toBe('CONFLICT');
  await tenant.query(restore, { id: root });
  expect(await live('events')).toEqual(['events', 'events pointing']);
  await tenant.query(restore, { id: child });
  expect(await live('events')).toEqual(['events', 'events child', 'events pointing']);
});
