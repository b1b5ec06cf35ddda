/** Ranked search: what is found, in which order, by which index, and that it is never another tenant's. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { foldText } from '#subgraphs/model/fold.ts';
import { createEntitiesFixture, type EntitiesFixture, type EntitiesTenant } from './fixture.ts';

let fixture: EntitiesFixture;
let tenant: EntitiesTenant;
beforeAll(async () => {
  fixture = await createEntitiesFixture();
  tenant = await fixture.addTenant();
  await define(tenant);
});
afterAll(() => fixture[Symbol.asyncDispose]());

const options = [{ value: 'DRAFT', label: 'Entwurf' }];

function define(of: EntitiesTenant) {
  return of.createEntity({
    name: 'note',
    fields: [
      { name: 'title', type: 'TEXT', isSearchable: true },
      { name: 'body', type: 'LONG_TEXT', isSearchable: true },
      { name: 'secret', type: 'TEXT', isSearchable: false },
      { name: 'state', type: 'SELECT', options, isSearchable: true },
      { name: 'set', type: 'TEXT', isSearchable: false },
    ],
  });
}

async function write(of: EntitiesTenant, notes: Record<string, unknown>[]): Promise<string[]> {
  const { createNotes } = await of.query(
    'mutation ($inputs: [CreateNoteInput!]!) { createNotes(inputs: $inputs) { id } }',
    { inputs: notes },
  );
  return createNotes.map((row: { id: string }) => row.id);
}

/** Another connection as superuser. */
function connection(): pg.Client {
  const { host, port, user, database } = fixture.superuser;
  return new pg.Client({ host, port, user: user as string, database: database as string });
}

interface Listed {
  titles: string[];
  total: number;
  endCursor: string | null;
  hasNextPage: boolean;
}

async function find(of: EntitiesTenant, variables: Record<string, unknown>): Promise<Listed> {
  const { notes } = await of.query(
    `query ($search: String, $filter: NoteFilter, $orderBy: [NoteOrder!], $first: Int, $after: String, $last: Int, $before: String, $includeDeleted: Boolean) {
      notes(search: $search, filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before, includeDeleted: $includeDeleted) {
        nodes { title } totalCount pageInfo { startCursor endCursor hasNextPage hasPreviousPage } } }`,
    variables,
  );
  return {
    titles: notes.nodes.map((node: { title: string }) => node.title),
    total: notes.totalCount,
    ...notes.pageInfo,
  };
}

describe('what is found', () => {
  const set = { filter: { set: { eq: 'found' } } };
  beforeAll(() =>
    write(
      tenant,
      [
        { title: 'Crème Brûlée', body: 'Dessert. Élan vital!' },
        { title: 'STRASSENBAHN', body: 'fährt im Takt', state: 'DRAFT' },
        { title: 'Привет, мир', body: 'Ёлка' },
        { title: '東京タワー', body: '観光地です' },
        { title: 'percent', body: '100% of under_score and back\\slash' },
        { title: 'mail', body: 'write to ada.lovelace@example.com' },
        { title: 'quiet', body: null, secret: 'hidden treasure' },
      ].map((note) => ({ ...note, set: 'found' })),
    ),
  );

  it.each([
    ['brulee', ['Crème Brûlée']],
    ['BRÛLÉE creme', ['Crème Brûlée']],
    ['elan', ['Crème Brûlée']],
    ['rulé', ['Crème Brûlée']],
    ['straßenbahn', []],
    ['strassen', ['STRASSENBAHN']],
    ['fahrt', ['STRASSENBAHN']],
    ['entwurf', ['STRASSENBAHN']],
    ['draft', ['STRASSENBAHN']],
    ['ПРИВЕТ', ['Привет, мир']],
    ['елка', ['Привет, мир']],
    ['京タ', ['東京タワー']],
    ['光', ['東京タワー']],
    ['100%', ['percent']],
    ['%', ['percent']],
    ['r_s', ['percent']],
    ['k\\s', ['percent']],
    ['_', ['percent']],
    ['ada.lovelace@example.com', ['mail']],
    ['lovelace', ['mail']],
    ['treasure', []],
    ["'; drop table records; --", []],
    ['brulee strassen', []],
  ])('%s', async (search, titles) => {
    const found = await find(tenant, { search, ...set });
    expect(found.titles).toEqual(titles);
    expect(found.total).toBe(titles.length);
  });

  it('is everything where nothing is searched for', async () => {
    expect((await find(tenant, { search: ' \n\t', ...set })).titles).toHaveLength(7);
    expect((await find(tenant, { search: '', ...set })).titles).toHaveLength(7);
  });

  it('goes with a filter, an order, an aggregate and the untyped twin', async () => {
    const found = await find(tenant, { search: 'e', ...set, orderBy: [{ title: 'DESC' }], first: 2 });
    expect(found.titles).toEqual(['STRASSENBAHN', 'quiet']);
    const { notesAggregate } = await tenant.query(
      'query ($filter: NoteFilter) { notesAggregate(search: "lovelace", filter: $filter) { count } }',
      set,
    );
    expect(notesAggregate).toEqual([{ count: 1 }]);
    const { records } = await tenant.query(
      '{ records(entity: "note", search: "lovelace") { nodes { data } totalCount } }',
    );
    expect(records).toMatchObject({ nodes: [{ data: { title: 'mail' } }], totalCount: 1 });
  });

  it.each([
    ['x'.repeat(501), 'maxLength'],
    [Array.from({ length: 21 }, (_, i) => `w${i}`).join(' '), 'words'],
    ['a\0b', 'characters'],
    ['\ud800', 'characters'],
  ])('refuses %j', async (search, rule) => {
    const refusal = await tenant.refusal(
      'query ($search: String) { notes(search: $search) { totalCount } }',
      {
        search,
      },
    );
    expect(refusal).toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ field: 'search', rule }] });
  });

  it('finds what a change made of a record, and no deleted one', async () => {
    const [id] = await write(tenant, [{ title: 'chrysalis', set: 'changed' }]);
    await tenant.query(
      'mutation ($id: ID!) { updateNote(id: $id, input: { title: "butterfly" }) { id } deleteNote(id: $id) { id } }',
      { id },
    );
    expect((await find(tenant, { search: 'chrysalis', includeDeleted: true })).titles).toEqual([]);
    expect((await find(tenant, { search: 'butterfly' })).titles).toEqual([]);
    expect((await find(tenant, { search: 'butterfly', includeDeleted: true })).titles).toEqual(['butterfly']);
  });
});

describe('the order of answers', () => {
  const titles = [
    'unwarmed',
    'warmth of a warmer',
    'warm',
    'The (warm) one',
    'luke-warm',
    'lukewarmish',
    'warming',
    'cold and warm',
  ];
  const whole = ['warm', 'The (warm) one', 'luke-warm', 'cold and warm'];
  const beginnings = ['warmth of a warmer', 'warming'];
  const parts = ['unwarmed', 'lukewarmish'];
  beforeAll(() =>
    write(
      tenant,
      titles.map((title) => ({ title, set: 'ranked' })),
    ),
  );
  const set = { filter: { set: { eq: 'ranked' } } };

  it('is whole words, then beginnings, then parts; equal ones in order of creation', async () => {
    const found = await find(tenant, { search: 'WÄRM', ...set });
    expect(found.titles).toEqual([...whole, ...beginnings, ...parts]);
  });

  it('adds up the words', async () => {
    const found = await find(tenant, { search: 'warm col', ...set });
    expect(found.titles).toEqual(['cold and warm']);
    const both = await find(tenant, { search: 'warm luke', ...set });
    expect(both.titles).toEqual(['luke-warm', 'lukewarmish']);
  });

  it.each([1, 2, 3, 5])('stays the same over pages of %i, while records come and go', async (first) => {
    const seen: string[] = [];
    let after: string | null = null;
    const extra: string[] = [];
    for (let page = 0; page < 20; page++) {
      const found: Listed = await find(tenant, { search: 'warm', ...set, first, after });
      seen.push(...found.titles);
      after = found.endCursor;
      // Before every cursor, and not in the way of what comes after it.
      extra.push(...(await write(tenant, [{ title: 'cool', set: 'ranked' }])));
      if (!found.hasNextPage) break;
    }
    expect(seen).toEqual([...whole, ...beginnings, ...parts]);
    await fixture.superuser.query('delete from records where id = any($1)', [extra]);
  });

  it('reads from the end as well, and back', async () => {
    const all = [...whole, ...beginnings, ...parts];
    const last = await find(tenant, { search: 'warm', ...set, last: 3 });
    expect(last.titles).toEqual(all.slice(-3));
    const before = (last as unknown as { startCursor: string }).startCursor;
    const previous = await find(tenant, { search: 'warm', ...set, last: 3, before });
    expect(previous.titles).toEqual(all.slice(-6, -3));
  });

  it("refuses another search's cursor, and another order's", async () => {
    const { endCursor } = await find(tenant, { search: 'warm', ...set, first: 2 });
    const query =
      'query ($search: String, $after: String) { notes(search: $search, after: $after) { totalCount } }';
    for (const search of ['warming', null]) {
      const refusal = await tenant.refusal(query, { search, after: endCursor });
      expect(refusal).toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ field: 'after', rule: 'cursor' }] });
    }
  });
});

describe('among many records of others', () => {
  let entityId: string;
  const ours = 1_500;
  const theirs = 30_000;
  const fill = `insert into records (tenant_id, entity_id, id, data, search)
    select $1, $2, gen_random_uuid(), '{}', 'common words of number ' || n || case when n % 500 = 0 then ' zebrafish зебра 斑馬魚' else ' заяц 兎' end
    from generate_series(1, $3::int) as n`;
  beforeAll(async () => {
    const { rows } = await fixture.superuser.query(
      "select id from entity_definitions where tenant_id = $1 and name = 'note'",
      [tenant.id],
    );
    entityId = rows[0].id;
    await fixture.superuser.query(fill, [tenant.id, entityId, ours]);
    for (let n = 0; n < 3; n++) {
      const other = await fixture.addTenant();
      await fixture.superuser.query(fill, [other.id, entityId, theirs / 3]);
    }
    await fixture.superuser.query('vacuum analyze records');
  }, 120_000);

  it.each(['zebrafish', 'Зебра', '斑馬'])(
    'uses the index on trigrams within the tenant for %s, and joins the ids by key',
    async (word) => {
      const { statements } = await fixture.countStatements(() => find(tenant, { search: word, first: 20 }));
      const statement = statements.find((text) => text.includes('search_rank'));
      expect(statement).toBeDefined();
      const plans = await explain(statement as string, foldText(word));

      const inner = plans.find((plan) => plan.includes('Query Text: select r.id from public.records r'));
      expect(inner, 'the statement inside search_records').toBeDefined();
      expect(inner).toContain('Bitmap Index Scan on records_search');
      expect(inner).toMatch(/Bitmap Heap Scan on records r .*rows=3(\.00)? loops=1/);
      expect(inner).not.toMatch(/Rows Removed by (Index Recheck|Filter): [1-9]\d{2}/);

      const outer = plans.find((plan) => plan.includes('search_rank('));
      expect(outer).toMatch(/Index (Only )?Scan (using|on) records_pkey .*rows=3/);
      expect(outer).toMatch(/Index Cond: .*id = ANY/);
      expect(outer).not.toContain('Seq Scan on records');
    },
  );

  /** Runs a statement as the product would, with the plans of everything within it. */
  async function explain(text: string, word: string): Promise<string[]> {
    const client = connection();
    await client.connect();
    try {
      const plans: string[] = [];
      client.on('notice', (notice) => plans.push(String(notice.message)));
      await client.query("load 'auto_explain'");
      const settings = [
        'log_min_duration = 0',
        'log_nested_statements = on',
        'log_analyze = on',
        'log_timing = off',
      ];
      for (const setting of settings) await client.query(`set auto_explain.${setting}`);
      await client.query('set client_min_messages = log');
      await client.query('begin');
      await client.query("select set_config('request.jwt.claims', $1, true)", [
        JSON.stringify({ tenant_id: tenant.id }),
      ]);
      await client.query('set local role tenantry_app');
      // In the order in which the statement is built: tenant, entity, words twice.
      await client.query(text, [tenant.id, entityId, [word], [word]]);
      await client.query('rollback');
      return plans;
    } finally {
      await client.end();
    }
  }

  it('finds only our own', async () => {
    expect((await find(tenant, { search: 'zebrafish' })).total).toBe(3);
    const stranger = await fixture.addTenant();
    await define(stranger);
    expect((await find(stranger, { search: 'zebrafish' })).total).toBe(0);
  });

  it('takes the tenant from the claims and from nowhere else', async () => {
    const call = 'select search_records($1, $2) as id';
    const values = [entityId, ['zebrafish']];
    const stranger = await fixture.addTenant();
    // Our entity's id, and their claims.
    expect(await fixture.database.read(stranger.claims, { text: call, values })).toEqual([]);
    expect(await fixture.database.read(tenant.claims, { text: call, values })).toHaveLength(3);
    // A search path of one's own changes nothing.
    const traps = await fixture.database
      .transaction(tenant.claims, async (tx) => {
        await tx.query({
          text: 'create temporary table records (tenant_id uuid, entity_id uuid, id uuid, search text)',
        });
        await tx.query({
          text: "insert into records values ($1, $2, '00000000-0000-7000-8000-000000000001', 'zebrafish')",
          values: [tenant.id, entityId],
        });
        await tx.query({ text: 'set local search_path = pg_temp, public' });
        return tx.query<{ id: string }>({ text: 'select public.search_records($1, $2) as id', values });
      })
      .catch((error: unknown) => error);
    if (Array.isArray(traps))
      expect(traps.map(({ id }) => id)).not.toContain('00000000-0000-7000-8000-000000000001');
    // Without claims, and as another role.
    const client = connection();
    await client.connect();
    try {
      await client.query('set role tenantry_app');
      expect((await client.query(call, values)).rows).toEqual([]);
      await client.query('set role tenantry_platform');
      await expect(client.query(call, values)).rejects.toMatchObject({ code: '42501' });
      await client.query('set role tenantry_search');
      await expect(client.query('select data from records')).rejects.toMatchObject({ code: '42501' });
    } finally {
      await client.end();
    }
  });

  it('has an owner that can do nothing else', async () => {
    const { rows } = await fixture.superuser.query(`
      select p.prosecdef, p.proconfig, r.rolname, r.rolcanlogin, r.rolsuper, r.rolbypassrls, has_schema_privilege(r.oid, 'public', 'create') as creates,
        has_function_privilege('tenantry_app', p.oid, 'execute') as app, has_function_privilege('tenantry_platform', p.oid, 'execute') as platform
      from pg_proc p join pg_roles r on r.oid = p.proowner where p.proname = 'search_records'`);
    const owned = {
      prosecdef: true,
      proconfig: ['search_path=pg_catalog, pg_temp'],
      rolname: 'tenantry_search',
      rolcanlogin: false,
      rolsuper: false,
      rolbypassrls: false,
      creates: false,
      app: true,
      platform: false,
    };
    // For all searchable fields, and for some.
    expect(rows).toEqual([owned, owned]);
  });
});

describe('a server without the extensions', () => {
  it('finds the same', async () => {
    await using bare = await createEntitiesFixture();
    await bare.superuser.query('drop extension pg_trgm cascade; drop extension btree_gin cascade');
    const { rows } = await bare.superuser.query("select 1 from pg_class where relname = 'records_search'");
    expect(rows).toEqual([]);
    const someone = await bare.addTenant();
    await define(someone);
    await write(someone, [{ title: 'warming' }, { title: 'warm' }, { title: 'cold' }]);
    expect((await find(someone, { search: 'warm' })).titles).toEqual(['warm', 'warming']);
  });
});
