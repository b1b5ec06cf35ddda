/** Many-to-many relations through the subgraph: definition, both ends, filters, nested writes, events, deletion. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Anything,
  createEntitiesFixture,
  type EntitiesFixture,
  type EntitiesTenant,
} from './fixture.ts';

let fixture: EntitiesFixture;
let tenant: EntitiesTenant;
let other: EntitiesTenant;

async function define(on: EntitiesTenant): Promise<void> {
  await on.createEntity({ name: 'tag', fields: [{ name: 'name', type: 'TEXT', isUnique: true }] });
  await on.createEntity({
    name: 'post',
    fields: [
      { name: 'title', type: 'TEXT', isRequired: true },
      { name: 'tags', type: 'MULTI_RELATION', targetEntity: 'tag' },
      { name: 'related', type: 'MULTI_RELATION', targetEntity: 'post', inverseName: 'relatedFrom' },
    ],
  });
}

beforeAll(async () => {
  fixture = await createEntitiesFixture();
  [tenant, other] = await Promise.all([fixture.addTenant(), fixture.addTenant()]);
  await define(tenant);
  await define(other);
});
afterAll(() => fixture[Symbol.asyncDispose]());

const byName = 'orderBy: [{ name: ASC }]';
const byTitle = 'orderBy: [{ title: ASC }]';
const postMembers = `id version title tags(${byName}) { totalCount nodes { id name } }`;
const tagMembers = `id version name posts(${byTitle}) { totalCount nodes { id title } }`;

async function createPost(input: Anything, on = tenant): Promise<Anything> {
  const text = `mutation ($input: CreatePostInput!) { createPost(input: $input) { ${postMembers} } }`;
  return (await on.query(text, { input })).createPost;
}

async function createTag(input: Anything, on = tenant): Promise<Anything> {
  const text = `mutation ($input: CreateTagInput!) { createTag(input: $input) { ${tagMembers} } }`;
  return (await on.query(text, { input })).createTag;
}

const updatePostText = `mutation ($id: ID!, $input: UpdatePostInput!, $version: Int) { updatePost(id: $id, input: $input, expectedVersion: $version) { ${postMembers} } }`;
const updateTagText = `mutation ($id: ID!, $input: UpdateTagInput!) { updateTag(id: $id, input: $input) { ${tagMembers} } }`;

const updatePost = async (id: string, input: Anything): Promise<Anything> =>
  (await tenant.query(updatePostText, { id, input })).updatePost;
const updateTag = async (id: string, input: Anything): Promise<Anything> =>
  (await tenant.query(updateTagText, { id, input })).updateTag;
const readPost = async (id: string): Promise<Anything> =>
  (await tenant.query(`query ($id: ID!) { post(id: $id) { ${postMembers} } }`, { id })).post;

const labels = (connection: Anything): string[] =>
  connection.nodes.map((node: Anything) => node.name ?? node.title);

async function linkRows(ownerId: string): Promise<number> {
  const { rows } = await fixture.superuser.query(
    'select count(*)::int as n from record_links where tenant_id = $1 and owner_id = $2',
    [tenant.id, ownerId],
  );
  return rows[0].n;
}

async function lastEvents(count: number): Promise<Anything[]> {
  const { rows } = await fixture.superuser.query(
    `select record_id as id, operation, changed_fields as fields from events where tenant_id = $1 and kind = 'RECORD' order by seq desc limit $2`,
    [tenant.id, count],
  );
  return rows.toReversed();
}

/** All that a refused write may not have touched. */
async function state(of: EntitiesTenant): Promise<unknown> {
  const { rows } = await fixture.superuser.query(
    `select (select json_agg(r order by r.id) from records r where r.tenant_id = $1) as records,
      (select json_agg(l order by l.owner_id, l.target_id) from record_links l where l.tenant_id = $1) as links,
      (select seq from tenant_heads where tenant_id = $1) as seq`,
    [of.id],
  );
  return rows[0];
}

it('is defined as a type of field, with an inverse', async () => {
  const { entityDefinition } = await tenant.query(
    `{ entityDefinition(name: "post") { fields { name type targetEntity inverseName onDelete isRequired isSortable isUnique } } }`,
  );
  expect(entityDefinition.fields[1]).toEqual({
    name: 'tags',
    type: 'MULTI_RELATION',
    targetEntity: 'tag',
    inverseName: 'posts',
    onDelete: 'SET_NULL',
    isRequired: false,
    isSortable: false,
    isUnique: false,
  });
  const text = `mutation ($input: FieldInput!) { createField(entity: "post", input: $input) { id } }`;
  for (const [member, value] of [
    ['isRequired', true],
    ['isUnique', true],
    ['isSortable', true],
    ['isSearchable', true],
    ['onDelete', 'CASCADE'],
    ['defaultValue', []],
  ] as const) {
    const input = {
      name: 'broken',
      type: 'MULTI_RELATION',
      targetEntity: 'tag',
      inverseName: null,
      [member]: value,
    };
    const refusal = await tenant.refusal(text, { input });
    expect(refusal.fields.map((field) => field.field)).toContain(member);
  }
  const retype = `mutation { retypeField(entity: "post", name: "title", to: { type: MULTI_RELATION }) { __typename } }`;
  expect((await tenant.refusal(retype)).code).toBe('BAD_USER_INPUT');
  const aimless = await tenant.refusal(text, { input: { name: 'broken', type: 'MULTI_RELATION' } });
  expect(aimless.fields[0]).toMatchObject({ field: 'targetEntity', rule: 'required' });
});

describe('writing from either end', () => {
  it('creates, connects, disconnects and sets from the owning end; its record changes', async () => {
    const red = await createTag({ name: 'red' });
    const post = await createPost({
      title: 'Colours',
      tags: { create: [{ name: 'green' }, { name: 'blue' }], connect: [red.id] },
    });
    expect(labels(post.tags)).toEqual(['blue', 'green', 'red']);
    expect(post.tags.totalCount).toBe(3);
    expect(await linkRows(post.id)).toBe(3);
    const without = await updatePost(post.id, { tags: { disconnect: [red.id] } });
    expect(labels(without.tags)).toEqual(['blue', 'green']);
    expect(without.version).toBe(2);
    expect(await lastEvents(1)).toEqual([{ id: post.id, operation: 'UPDATED', fields: ['tags'] }]);
    const set = await updatePost(post.id, { tags: { set: [red.id], create: [{ name: 'grey' }] } });
    expect(labels(set.tags)).toEqual(['grey', 'red']);
    expect(labels((await updatePost(post.id, { tags: { set: [] } })).tags)).toEqual([]);
    expect(await linkRows(post.id)).toBe(0);
    // As it is asked for already: nothing is written.
    const before = await state(tenant);
    await updatePost(post.id, { tags: { set: [], disconnect: null } });
    await updatePost(post.id, { tags: { disconnect: [red.id] } });
    expect(await state(tenant)).toEqual(before);
  });

  it('is cleared by null, and so by an earlier version that had none', async () => {
    const post = await createPost({ title: 'first without' });
    const { id: tag } = await createTag({ name: 'later' });
    await updatePost(post.id, { tags: { connect: [tag] } });
    expect(labels((await updatePost(post.id, { tags: null })).tags)).toEqual([]);
    await updatePost(post.id, { tags: { connect: [tag] } });
    const { restorePostVersion } = await tenant.query(
      `mutation ($id: ID!) { restorePostVersion(id: $id, version: 1) { ${postMembers} } }`,
      { id: post.id },
    );
    expect(restorePostVersion).toMatchObject({ version: 5, tags: { totalCount: 0 } });
    expect(await linkRows(post.id)).toBe(0);
  });

  it('does the same from the other end; the owning records change', async () => {
    const [a, b] = [await createPost({ title: 'a' }), await createPost({ title: 'b' })];
    const tag = await createTag({ name: 'inverse', posts: { connect: [a.id], create: [{ title: 'c' }] } });
    expect(labels(tag.posts)).toEqual(['a', 'c']);
    expect(await lastEvents(3)).toEqual([
      { id: tag.id, operation: 'CREATED', fields: ['name'] },
      { id: tag.posts.nodes[1].id, operation: 'CREATED', fields: expect.arrayContaining(['title', 'tags']) },
      { id: a.id, operation: 'UPDATED', fields: ['tags'] },
    ]);
    const set = await updateTag(tag.id, { posts: { set: [b.id, tag.posts.nodes[1].id] } });
    expect(labels(set.posts)).toEqual(['b', 'c']);
    expect(set.version).toBe(1);
    expect(labels((await readPost(a.id)).tags)).toEqual([]);
    expect(labels((await updateTag(tag.id, { posts: { disconnect: [b.id] } })).posts)).toEqual(['c']);
  });

  it('links records of one entity, both ways apart', async () => {
    const text = `query ($id: ID!) { post(id: $id) { related { nodes { title } } relatedFrom { nodes { title } } } }`;
    const first = await createPost({ title: 'first' });
    const second = await createPost({ title: 'second', related: { connect: [first.id] } });
    expect((await tenant.query(text, { id: second.id })).post).toEqual({
      related: { nodes: [{ title: 'first' }] },
      relatedFrom: { nodes: [] },
    });
    expect((await tenant.query(text, { id: first.id })).post).toEqual({
      related: { nodes: [] },
      relatedFrom: { nodes: [{ title: 'second' }] },
    });
    const self = await updatePost(first.id, { related: { connect: [first.id] } });
    expect((await tenant.query(text, { id: self.id })).post.relatedFrom.nodes).toHaveLength(2);
  });

  it('is whole when many write the same record at once', async () => {
    const post = await createPost({ title: 'contested' });
    const tags = await Promise.all(
      Array.from({ length: 8 }, (_, i) => createTag({ name: `contested ${i}` })),
    );
    await Promise.all([
      ...tags.slice(0, 4).map((tag) => updatePost(post.id, { tags: { connect: [tag.id] } })),
      ...tags.slice(4).map((tag) => updateTag(tag.id, { posts: { connect: [post.id] } })),
    ]);
    const { tags: all, version } = await readPost(post.id);
    expect([all.totalCount, version]).toEqual([8, 9]);
    expect(await linkRows(post.id)).toBe(8);
  });

  it('honours expectedVersion', async () => {
    const post = await createPost({ title: 'versions', tags: { create: [{ name: 'v' }] } });
    const input = { tags: { set: [] } };
    const refusal = await tenant.refusal(updatePostText, { id: post.id, input, version: 7 });
    expect(refusal.code).toBe('VERSION_CONFLICT');
    expect((await readPost(post.id)).tags.totalCount).toBe(1);
  });
});

describe('reading', () => {
  let posts: Anything[];

  beforeAll(async () => {
    const names = ['r0', 'r1', 'r2'];
    const tags = await Promise.all(names.map((name) => createTag({ name })));
    const text = `mutation ($inputs: [CreatePostInput!]!) { createPosts(inputs: $inputs) { id } }`;
    const inputs = Array.from({ length: 60 }, (_, i) => ({
      title: `read ${String(i).padStart(2, '0')}`,
      tags: { connect: tags.slice(0, i % 4).map((tag) => tag.id) },
    }));
    posts = (await tenant.query(text, { inputs })).createPosts;
  });

  it('reads each level with one statement, however many parents', async () => {
    const text = `query ($first: Int) { posts(first: $first, filter: { title: { startsWith: "read" } }, ${byTitle}) { nodes { title tags(first: 2, ${byName}) { totalCount nodes { name posts(first: 3, ${byTitle}) { totalCount nodes { title } } } } } } }`;
    const few = await fixture.countStatements(() => tenant.query(text, { first: 4 }));
    const many = await fixture.countStatements(() => tenant.query(text, { first: 60 }));
    expect(many.statements.length).toBe(few.statements.length);
    expect(many.statements.length).toBe(5);
    const [none, , , three] = many.result.posts.nodes;
    expect(none.tags).toEqual({ totalCount: 0, nodes: [] });
    expect(three.tags.totalCount).toBe(3);
    expect(labels(three.tags)).toEqual(['r0', 'r1']);
    expect(three.tags.nodes[0].posts.totalCount).toBe(45);
    expect(labels(three.tags.nodes[0].posts)).toEqual(['read 01', 'read 02', 'read 03']);
  });

  it.each<[string, Anything, number]>([
    ['some', { tags: { some: { name: { eq: 'r1' } } } }, 30],
    ['none', { tags: { none: { name: { eq: 'r1' } } } }, 30],
    ['every', { tags: { every: { name: { in: ['r0', 'r1'] } } } }, 45],
    ['some of anything', { tags: { some: {} } }, 45],
    ['not some', { not: { tags: { some: {} } } }, 15],
    ['through both ends', { tags: { some: { posts: { some: { title: { eq: 'read 03' } } } } } }, 45],
  ])('filters by %s', async (_, filter, count) => {
    const { posts: found } = await tenant.query(
      `query ($filter: PostFilter) { posts(filter: $filter) { totalCount } }`,
      { filter: { and: [filter, { title: { startsWith: 'read' } }] } },
    );
    expect(found.totalCount).toBe(count);
  });

  it('pages and filters each list by itself', async () => {
    const text = `query ($id: ID!, $after: String) { post(id: $id) { tags(first: 2, after: $after, ${byName}) { nodes { name } pageInfo { hasNextPage endCursor } } few: tags(filter: { name: { eq: "r2" } }) { totalCount nodes { name } } } }`;
    const { id } = posts[3];
    const { post } = await tenant.query(text, { id });
    expect(post.few).toEqual({ totalCount: 1, nodes: [{ name: 'r2' }] });
    expect(post.tags.pageInfo.hasNextPage).toBe(true);
    const next = await tenant.query(text, { id, after: post.tags.pageInfo.endCursor });
    expect(labels(next.post.tags)).toEqual(['r2']);
  });

  it('filters from the other end', async () => {
    const { tags } = await tenant.query(
      `{ tags(filter: { posts: { some: { title: { eq: "read 02" } } } }, ${byName}) { nodes { name } } }`,
    );
    expect(labels(tags)).toEqual(['r0', 'r1']);
  });
});

describe('deletion', () => {
  const remove = (type: string, id: string): Promise<Anything> =>
    tenant.query(`mutation ($id: ID!) { delete${type}(id: $id) { id } }`, { id });
  const restore = (type: string, id: string): Promise<Anything> =>
    tenant.query(`mutation ($id: ID!) { restore${type}(id: $id) { id } }`, { id });

  it('of a target takes its links along, with an event of each owning record', async () => {
    const post = await createPost({ title: 'loses', tags: { create: [{ name: 'kept' }, { name: 'goes' }] } });
    const [goes] = post.tags.nodes;
    await remove('Tag', goes.id);
    const after = await readPost(post.id);
    expect(labels(after.tags)).toEqual(['kept']);
    expect(after.version).toBe(2);
    expect(await linkRows(post.id)).toBe(1);
    expect(await lastEvents(2)).toEqual([
      { id: goes.id, operation: 'DELETED', fields: [] },
      { id: post.id, operation: 'UPDATED', fields: ['tags'] },
    ]);
    await restore('Tag', goes.id);
    expect(labels((await readPost(post.id)).tags)).toEqual(['kept']);
  });

  it('of an owning record hides its links, and restoring it shows them again', async () => {
    const post = await createPost({
      title: 'returns',
      tags: { create: [{ name: 'stays' }, { name: 'dies' }] },
    });
    const [dies, stays] = post.tags.nodes;
    await remove('Post', post.id);
    expect((await updateTag(stays.id, {})).posts.totalCount).toBe(0);
    await remove('Tag', dies.id);
    await restore('Post', post.id);
    // What was deleted meanwhile is not there.
    expect(labels((await readPost(post.id)).tags)).toEqual(['stays']);
    expect((await updateTag(stays.id, {})).posts.totalCount).toBe(1);
    // And does not stand in the way of the next change.
    const changed = await updatePost(post.id, { tags: { create: [{ name: 'new' }] } });
    expect(labels(changed.tags)).toEqual(['new', 'stays']);
  });

  it('for good takes the links at both ends along', async () => {
    const post = await createPost({ title: 'purged', tags: { create: [{ name: 'purged' }] } });
    await remove('Post', post.id);
    expect(await linkRows(post.id)).toBe(1);
    await tenant
      .as({ role: 'ADMIN' })
      .query(`mutation ($ids: [ID!]) { purgePosts(ids: $ids) }`, { ids: [post.id] });
    expect(await linkRows(post.id)).toBe(0);
  });

  it('of the field takes all links along', async () => {
    await tenant.createField('post', {
      name: 'flags',
      type: 'MULTI_RELATION',
      targetEntity: 'tag',
      inverseName: 'flagged',
    });
    const post = await createPost({ title: 'flagged', flags: { create: [{ name: 'flag' }] } });
    expect(await linkRows(post.id)).toBe(1);
    await tenant.query(`mutation { deleteField(entity: "post", name: "flags") }`);
    expect(await linkRows(post.id)).toBe(0);
    expect((await readPost(post.id)).title).toBe('flagged');
  });
});

describe("another tenant's ids", () => {
  let foreignPost: Anything;
  let own: Anything;
  let ownTag: Anything;

  beforeAll(async () => {
    // What an earlier test deleted is cleared in the background.
    await fixture.service.definitions.idle();
    foreignPost = await createPost({ title: 'foreign', tags: { create: [{ name: 'foreign' }] } }, other);
    own = await createPost({ title: 'own', tags: { create: [{ name: 'own' }] } });
    [ownTag] = own.tags.nodes;
  });

  it.each<[string, string, () => Anything]>([
    ['tags.connect.0', updatePostText, () => ({ tags: { connect: [foreignPost.tags.nodes[0].id] } })],
    ['tags.disconnect.0', updatePostText, () => ({ tags: { disconnect: [foreignPost.tags.nodes[0].id] } })],
    ['tags.set.0', updatePostText, () => ({ tags: { set: [foreignPost.tags.nodes[0].id] } })],
    ['posts.connect.0', updateTagText, () => ({ posts: { connect: [foreignPost.id] } })],
    ['posts.disconnect.0', updateTagText, () => ({ posts: { disconnect: [foreignPost.id] } })],
    ['posts.set.0', updateTagText, () => ({ posts: { set: [foreignPost.id] } })],
    [
      'related.connect.0',
      updatePostText,
      () => ({ related: { connect: ["'; drop table record_links; --"] } }),
    ],
  ])('are exactly as unknown in %s as ids that never were', async (path, text, inputOf) => {
    const before = [await state(tenant), await state(other)];
    const id = text === updatePostText ? own.id : ownTag.id;
    const hit = await tenant.refusal(text, { id, input: inputOf() });
    const blind = JSON.parse(
      JSON.stringify(inputOf()).replaceAll(/"[0-9a-f-]{36}"/g, JSON.stringify(crypto.randomUUID())),
    );
    const miss = await tenant.refusal(text, { id, input: blind });
    expect(hit.code).toBe('BAD_USER_INPUT');
    expect(hit.fields.map((field) => field.field)).toEqual([path]);
    const hide = (refusal: unknown): string => JSON.stringify(refusal).replaceAll(/[0-9a-f-]{36}/g, 'ID');
    expect(hide(hit)).toBe(hide(miss));
    expect([await state(tenant), await state(other)]).toEqual(before);
  });

  it('stay out of links under row-level security', async () => {
    const count = 'select count(*)::int as n from record_links where tenant_id = $1';
    const read = (of: EntitiesTenant): Promise<Anything[]> =>
      fixture.database.read(tenant.claims, { text: count, values: [of.id] });
    expect((await read(other))[0].n).toBe(0);
    expect((await read(tenant))[0].n).toBeGreaterThan(0);
    const plant = fixture.database.transaction(tenant.claims, (tx) =>
      tx.query({
        text: 'insert into record_links (tenant_id, field_id, owner_id, target_id) values ($1, $2, $2, $2)',
        values: [other.id, crypto.randomUUID()],
      }),
    );
    await expect(plant).rejects.toThrow(/row-level security/);
  });
});

it('brings back the links of an earlier version, none of them too', async () => {
  const [a, b] = [await createTag({ name: 'back-a' }), await createTag({ name: 'back-b' })];
  const { id } = await createPost({ title: 'bare' });
  await updatePost(id, { tags: { connect: [a.id] } });
  await updatePost(id, { tags: { set: [b.id] } });
  const restore = `mutation ($id: ID!, $version: Int!) { restorePostVersion(id: $id, version: $version) { ${postMembers} } }`;
  const back = async (version: number): Promise<string[]> =>
    labels((await tenant.query(restore, { id, version })).restorePostVersion.tags);
  expect(await back(2)).toEqual(['back-a']);
  expect(await back(1)).toEqual([]);
  expect(await back(3)).toEqual(['back-b']);
});
