/** Search in some of the fields: what the others hold decides neither what is found nor its order. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EntityDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import { createDefinitionStore } from '#subgraphs/entities/store/definition-store.ts';
import type { StoreContext } from '#subgraphs/entities/store/record-store.ts';
import { createEntitiesFixture, type EntitiesFixture, type EntitiesTenant } from './fixture.ts';

let fixture: EntitiesFixture;
let tenant: EntitiesTenant;
let model: TenantModel;
beforeAll(async () => {
  fixture = await createEntitiesFixture();
  tenant = await fixture.addTenant();
  await tenant.createEntity({
    name: 'note',
    fields: [
      { name: 'title', type: 'TEXT', isSearchable: true },
      { name: 'secret', type: 'LONG_TEXT', isSearchable: true },
      { name: 'body', type: 'LONG_TEXT', isSearchable: true },
      {
        name: 'state',
        type: 'SELECT',
        isSearchable: true,
        options: [{ value: 'DRAFT', label: 'Entwurf' }],
      },
      { name: 'set', type: 'TEXT', isSearchable: false },
      { name: 'parent', type: 'RELATION', targetEntity: 'note', inverseName: 'children' },
    ],
  });
  await reload();
});
afterAll(() => fixture[Symbol.asyncDispose]());

async function reload(): Promise<void> {
  await fixture.service.definitions.idle();
  model = await createDefinitionStore(fixture.database).load(tenant.claims);
}
const context = (): StoreContext => ({ claims: tenant.claims, model, requestId: 'test' });
/** Of somebody who may read these fields alone. */
async function readerOf(...fields: string[]): Promise<StoreContext> {
  await tenant.query(
    `mutation ($permissions: [PermissionInput!]!) { setPermissions(entity: "note", permissions: $permissions) { name } }`,
    { permissions: [{ role: 'USER', readableFields: fields }] },
  );
  await reload();
  return { claims: tenant.as({ role: 'USER' }).claims, model, requestId: 'test' };
}
const note = (): EntityDefinition => model.entityByName.get('note') as EntityDefinition;

async function write(set: string, notes: Record<string, unknown>[]): Promise<string[]> {
  const records = await fixture.records.create(
    context(),
    note(),
    notes.map((data) => ({ ...data, set })),
  );
  return records.map(({ id }) => id);
}

async function find(set: string, search: string, ...fields: string[]): Promise<unknown[]> {
  return findAs(await readerOf(...new Set([...fields, 'set'])), set, search);
}

async function findAs(reader: StoreContext, set: string, search: string): Promise<unknown[]> {
  const choice = { entity: note(), search, filter: { set: { eq: set } } };
  const page = await fixture.records.list(reader, choice);
  expect(await fixture.records.count(reader, choice)).toBe(page.edges.length);
  const [figures] = await fixture.records.aggregate(reader, { ...choice, measures: [] });
  expect(figures?.count).toBe(page.edges.length);
  return page.edges.map(({ record }) => record.data['title']);
}

describe('what is found', () => {
  beforeAll(() =>
    write('found', [
      {
        title: 'Crème 😀 Brûlée',
        secret: 'vault\nof Zürich',
        body: 'first line\nsecond line',
        state: 'DRAFT',
      },
      { title: 'vault', secret: 'plain', body: '東京' },
      { title: 'quiet', secret: 'only secret' },
    ]),
  );

  it.each<[string, string[], string[]]>([
    ['vault', ['title', 'body', 'state'], ['vault']],
    ['vault', ['title', 'secret'], ['Crème 😀 Brûlée', 'vault']],
    ['vault', ['body'], []],
    ['zurich', ['title', 'body', 'state'], []],
    ['zurich', ['secret'], ['Crème 😀 Brûlée']],
    ['brulee', ['title'], ['Crème 😀 Brûlée']],
    ['😀', ['title'], ['Crème 😀 Brûlée']],
    ['second', ['body'], ['Crème 😀 Brûlée']],
    ['first creme', ['title', 'body'], ['Crème 😀 Brûlée']],
    ['first creme', ['title'], []],
    ['entwurf', ['state'], ['Crème 😀 Brûlée']],
    ['京', ['body', 'title'], ['vault']],
    ['only', ['title', 'body', 'state'], []],
    ['quiet', ['title', 'body', 'state'], ['quiet']],
    // Nothing of how the parts are kept is text.
    ['~v', ['title', 'secret'], []],
    ['title', ['title', 'body'], []],
    ['[1', ['title', 'body'], []],
    ['vault', [], []],
    // Not searchable.
    ['found', ['set'], []],
  ])('%s in %j', async (search, fields, titles) => {
    expect(await find('found', search, ...fields)).toEqual(titles);
  });

  it('is as ever where every searchable field may be looked into', async () => {
    const reader = await readerOf('title', 'secret', 'body', 'state');
    const { statements } = await fixture.countStatements(() =>
      fixture.records.list(reader, { entity: note(), search: 'vault' }),
    );
    expect(statements).toHaveLength(1);
    expect(statements.join()).not.toContain('search_part');
  });

  it('goes for the children of parents as well', async () => {
    const [parent] = await write('parents', [{ title: 'parent' }]);
    await write('children', [
      { title: 'a', secret: 'word', parentId: parent },
      { title: 'b word', parentId: parent },
    ]);
    const relation = note().fields.find(({ name }) => name === 'parent');
    const request = {
      entity: note(),
      relationFieldId: relation?.id as string,
      parentIds: [parent as string],
      search: 'word',
    };
    const reader = await readerOf('title', 'parent');
    const [page] = await fixture.records.listInverse(reader, { ...request, entity: note() });
    expect(page?.edges.map(({ record }) => record.data['title'])).toEqual(['b word']);
    expect(await fixture.records.countInverse(reader, { ...request, entity: note() })).toEqual([1]);
  });
});

describe('the order', () => {
  it('is of the fields that are looked into, whatever the others hold', async () => {
    await write('ranked', [
      { title: 'part unwarmed', secret: 'warm' },
      { title: 'beginning warmth', secret: 'warm' },
      { title: 'whole warm', secret: 'cold' },
    ]);
    expect(await find('ranked', 'warm', 'title')).toEqual([
      'whole warm',
      'beginning warmth',
      'part unwarmed',
    ]);
  });

  it("refuses a cursor of a search in other fields: it holds their rank's place", async () => {
    const request = { search: 'warm', first: 1 };
    const page = await fixture.records.list(await readerOf('secret'), { ...request, entity: note() });
    const after = page.edges[0]?.cursor as string;
    const other = await readerOf('title');
    await expect(fixture.records.list(other, { ...request, entity: note(), after })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
    });
  });
});

describe('what writes records', () => {
  it('keeps the fields apart through updates, deletion, new required fields and deleted ones', async () => {
    const [id] = await write('kept', [{ title: 'one', secret: 'alpha', body: 'omega' }]);
    await fixture.records.update(context(), note(), id as string, {
      secret: 'αβγ\n\nδ',
      title: 'much longer',
    });
    expect(await find('kept', 'omega', 'body')).toEqual(['much longer']);
    expect(await find('kept', 'γ', 'body', 'title')).toEqual([]);

    await tenant.createField('note', {
      name: 'level',
      type: 'TEXT',
      isRequired: true,
      isSearchable: true,
      defaultValue: 'basement',
    });
    await reload();
    expect(await find('kept', 'basement', 'level')).toEqual(['much longer']);
    expect(await find('kept', 'basement', 'title', 'body')).toEqual([]);
    expect(await find('kept', 'omega', 'body')).toEqual(['much longer']);

    await tenant.query('mutation { deleteField(entity: "note", name: "level") }');
    await reload();
    expect(await find('kept', 'omega', 'body')).toEqual(['much longer']);
    expect(await find('kept', 'basement', 'title', 'secret', 'body')).toEqual([]);
  });

  it('is asked of a field that became searchable once its records were gone through', async () => {
    await write('late', [{ title: 'late', body: 'x' }]);
    const update =
      'mutation ($on: Boolean) { updateField(entity: "note", name: "set", input: { isSearchable: $on }) { name } }';
    await tenant.query(update, { on: true });
    await reload();
    expect(await find('late', 'late', 'set')).toEqual(['late']);
    await tenant.query(update, { on: false });
    await reload();
    expect(await find('late', 'late', 'set')).toEqual([]);
  });
});

describe('records of a release that did not keep the fields apart', () => {
  const forget = "update records set search_parts = null where tenant_id = $1 and data ->> 'set' = $2";
  const unsplit = `select count(*)::int as count from records
    where tenant_id = $1 and search is not null and (search_parts ->> '~v')::int is distinct from version`;
  const countUnsplit = async (): Promise<number> =>
    (await fixture.superuser.query(unsplit, [tenant.id])).rows[0].count;

  it('are found at once, and told apart by it', async () => {
    await write('old', [
      { title: 'old', secret: 'needle' },
      { title: 'needle', secret: 'old' },
      { title: 'hay', secret: 'hay' },
    ]);
    // A change of definitions would have them gone through.
    const reader = await readerOf('title', 'set');
    await fixture.superuser.query(forget, [tenant.id, 'old']);
    expect(await findAs(reader, 'old', 'needle')).toEqual(['needle']);
    // Those that could be found, and no others.
    expect(await countUnsplit()).toBe(1);
  });

  it('are not trusted where such a release wrote them again', async () => {
    const [id] = await write('again', [{ title: 'hidden hidden', secret: 'x' }]);
    // As it would: the text and the version, and nothing else.
    const text =
      'update records set data = data || $3::jsonb, search = $4, version = version + 1 where tenant_id = $1 and id = $2';
    const data = JSON.stringify({ title: 'x', secret: 'hidden hidden' });
    const reader = await readerOf('title', 'set');
    await fixture.superuser.query(text, [tenant.id, id, data, 'x\nhidden hidden']);
    expect(await findAs(reader, 'again', 'hidden')).toEqual([]);
    expect(await find('again', 'hidden', 'secret')).toEqual(['x']);
  });

  it('are gone through by the next process, more than a batch of them, with no version or event', async () => {
    const set = 'many';
    for (let batch = 0; batch < 2; batch++)
      await write(
        set,
        Array.from({ length: 600 }, (_, n) => ({ title: `t${batch}-${n}`, secret: 'wood' })),
      );
    await fixture.superuser.query(forget, [tenant.id, set]);
    const state = `select sum(version)::int as versions, max(updated_at)::text as updated, (select seq::int from tenant_heads where tenant_id = $1)
      from records where tenant_id = $1`;
    const before = (await fixture.superuser.query(state, [tenant.id])).rows[0];
    expect(await countUnsplit()).toBeGreaterThan(1_000);
    const next = fixture.createService();
    await fixture.tenantOf(next, tenant.claims).query('{ notes { totalCount } }');
    await next.definitions.idle();
    expect(await countUnsplit()).toBe(0);
    expect((await fixture.superuser.query(state, [tenant.id])).rows[0]).toEqual(before);
  });
});
