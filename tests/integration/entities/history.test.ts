/** What became of a record: its history in the log and after it, going back to a version, and the end of it all. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEventStore } from '#subgraphs/realtime/store/event-log.ts';
import { createRetention } from '#subgraphs/realtime/log/retention.ts';
import { pino } from 'pino';
import {
  type Anything,
  createEntitiesFixture,
  type EntitiesFixture,
  type EntitiesTenant,
} from './fixture.ts';

const definitions = [
  { name: 'team', fields: [{ name: 'name', type: 'TEXT', isUnique: true }] },
  {
    name: 'player',
    fields: [
      { name: 'name', type: 'TEXT', isRequired: true },
      { name: 'score', type: 'INTEGER', validation: { max: 100 } },
      { name: 'tags', type: 'MULTI_SELECT', options: [{ value: 'A' }, { value: 'B' }] },
      { name: 'bornAt', type: 'DATETIME' },
      { name: 'extra', type: 'JSON' },
      { name: 'team', type: 'RELATION', targetEntity: 'team', onDelete: 'SET_NULL' },
    ],
  },
];
let fixture: EntitiesFixture;
let tenant: EntitiesTenant;

async function addTenant(): Promise<EntitiesTenant> {
  const added = await fixture.addTenant();
  for (const definition of definitions) await added.createEntity(definition);
  return added;
}
beforeAll(async () => {
  fixture = await createEntitiesFixture();
  tenant = await addTenant();
});
afterAll(() => fixture[Symbol.asyncDispose]());

const members = 'version operation at actor { id } changes { field from to } data';
const historyOf = async (id: string, of = tenant, page = ''): Promise<Anything> =>
  (
    await of.query(
      `query ($id: ID!) { playerHistory(id: $id${page}) { edges { cursor } nodes { ${members} } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`,
      { id },
    )
  ).playerHistory;
const create = async (input: Anything): Promise<string> =>
  (
    await tenant.query('mutation ($input: CreatePlayerInput!) { createPlayer(input: $input) { id } }', {
      input,
    })
  ).createPlayer.id;
const update = (id: string, input: Anything, of = tenant): Promise<Anything> =>
  of.query(
    'mutation ($id: ID!, $input: UpdatePlayerInput!) { updatePlayer(id: $id, input: $input) { version } }',
    {
      id,
      input,
    },
  );
const remove = (id: string) => tenant.query('mutation ($id: ID!) { deletePlayer(id: $id) { id } }', { id });
const createTeam = async (name: string = randomUUID()): Promise<string> =>
  (await tenant.query('mutation ($name: String) { createTeam(input: { name: $name }) { id } }', { name }))
    .createTeam.id;

/** Lets retention take everything that the log holds. */
async function outliveLog(): Promise<void> {
  await using retention = createRetention({
    store: createEventStore(fixture.database),
    logger: pino({ level: 'silent' }),
    batchSize: 7,
    keepMs: -60_000,
  });
  await retention.run();
  expect((await fixture.superuser.query('select from events')).rowCount).toBe(0);
}

describe('a history', () => {
  it('tells who changed which field from what to what, the latest first, also when the log has forgotten', async () => {
    const teamId = await createTeam();
    const id = await create({ name: 'Ada', tags: ['A'], extra: { a: [1] } });
    const colleague = tenant.as({ actorId: randomUUID() });
    await update(id, { name: 'Ada', score: 5, teamId, tags: ['A', 'B'] }, colleague);
    await update(id, { score: null, bornAt: '2000-01-01T00:00:00Z' }, tenant.as({ actorKind: 'SERVICE' }));
    await remove(id);
    await tenant.query('mutation ($id: ID!) { restorePlayer(id: $id) { id } }', { id });

    const history = await historyOf(id);
    const me = { id: tenant.claims.actorId };
    expect(history.nodes).toMatchObject([
      { version: 5, operation: 'RESTORED', actor: me, changes: [] },
      { version: 4, operation: 'DELETED', actor: me, changes: [] },
      {
        version: 3,
        operation: 'UPDATED',
        actor: null,
        changes: [
          { field: 'score', from: 5, to: null },
          { field: 'bornAt', from: null, to: '2000-01-01T00:00:00.000Z' },
        ],
      },
      {
        version: 2,
        operation: 'UPDATED',
        actor: { id: colleague.claims.actorId },
        changes: [
          { field: 'score', from: null, to: 5 },
          { field: 'tags', from: ['A'], to: ['A', 'B'] },
          { field: 'teamId', from: null, to: teamId },
        ],
        data: { name: 'Ada', score: 5, tags: ['A', 'B'], bornAt: null, extra: { a: [1] }, teamId },
      },
      {
        version: 1,
        operation: 'CREATED',
        actor: me,
        changes: [
          { field: 'name', from: null, to: 'Ada' },
          { field: 'tags', from: null, to: ['A'] },
          { field: 'extra', from: null, to: { a: [1] } },
        ],
      },
    ]);
    await outliveLog();
    expect(await historyOf(id)).toEqual(history);
    await update(id, { score: 6 });
    const [latest, ...earlier] = (await historyOf(id)).nodes;
    expect(latest).toMatchObject({ version: 6, changes: [{ field: 'score', from: null, to: 6 }] });
    expect(earlier).toEqual(history.nodes);
    const { recordHistory } = await tenant.query(
      `query ($id: ID!) { recordHistory(entity: "player", id: $id) { nodes { ${members} } } }`,
      { id },
    );
    expect(recordHistory.nodes).toEqual([latest, ...earlier]);
  });

  it('is read in pages that stay right over the edge of the log', async () => {
    const id = await create({ name: 'v1' });
    for (const i of [2, 3, 4]) await update(id, { name: `v${i}` });
    await outliveLog();
    for (const i of [5, 6]) await update(id, { name: `v${i}` });
    const seen: number[] = [];
    let after: string | null = null;
    do {
      const page: Anything = await historyOf(id, tenant, `, first: 2${after ? `, after: "${after}"` : ''}`);
      seen.push(...page.nodes.map((node: { version: number }) => node.version));
      expect(page.pageInfo.hasPreviousPage).toBe(after !== null);
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    } while (after);
    expect(seen).toEqual([6, 5, 4, 3, 2, 1]);
    for (const page of [', first: 0', ', first: 1001', ', after: "x"', ', after: "1 or 1=1"']) {
      const refusal = await tenant.refusal(
        `query ($id: ID!) { playerHistory(id: $id${page}) { nodes { version } } }`,
        { id },
      );
      expect(refusal.code).toBe('BAD_USER_INPUT');
    }
  });

  it('names fields as they are named now, and leaves out those that are gone', async () => {
    const other = await fixture.addTenant();
    await other.createEntity({
      name: 'note',
      fields: [
        { name: 'title', type: 'TEXT' },
        { name: 'body', type: 'TEXT' },
      ],
    });
    const { createNote } = await other.query(
      'mutation { createNote(input: { title: "t", body: "b" }) { id } }',
    );
    await other.query('mutation { deleteField(entity: "note", name: "body") }');
    const { noteHistory } = await other.query(
      'query ($id: ID!) { noteHistory(id: $id) { nodes { changes { field to } data } } }',
      { id: createNote.id },
    );
    expect(noteHistory.nodes).toEqual([{ changes: [{ field: 'title', to: 't' }], data: { title: 't' } }]);
  });

  it('is read by a viewer, and by nobody of another tenant, entity, or none', async () => {
    const id = await create({ name: 'mine' });
    expect((await historyOf(id, tenant.as({ role: 'VIEWER' }))).nodes).toHaveLength(1);
    const other = await addTenant();
    expect(await historyOf(id, other)).toBeNull();
    expect(await historyOf(randomUUID())).toBeNull();
    expect(await historyOf("'; drop table events; --")).toBeNull();
    const { teamHistory } = await tenant.query(
      'query ($id: ID!) { teamHistory(id: $id) { nodes { version } } }',
      {
        id,
      },
    );
    expect(teamHistory).toBeNull();
    await outliveLog();
    expect(await historyOf(id, other)).toBeNull();
    expect((await historyOf(id)).nodes).toHaveLength(1);
    const nobody = tenant.as({ actorKind: 'ANONYMOUS', role: null });
    const query = 'query ($id: ID!) { playerHistory(id: $id) { nodes { version } } }';
    expect((await nobody.refusal(query, { id })).code).toBe('UNAUTHENTICATED');
  });

  it('takes one statement', async () => {
    const id = await create({ name: 'counted' });
    const { statements } = await fixture.countStatements(() => historyOf(id));
    expect(statements).toHaveLength(1);
  });
});

describe('going back to a version', () => {
  const restore = `mutation ($id: ID!, $version: Int!, $expected: Int) { restorePlayerVersion(id: $id, version: $version, expectedVersion: $expected) { version name score tags bornAt extra teamId } }`;

  it('writes what was, as a change of its own', async () => {
    const teamId = await createTeam();
    const was = {
      name: 'first',
      score: 7,
      tags: ['B'],
      bornAt: '2001-02-03T04:05:06.007Z',
      extra: { deep: [null] },
      teamId,
    };
    const id = await create(was);
    await update(id, { name: 'second', score: null, tags: null, bornAt: null, extra: null, teamId: null });
    await outliveLog();
    const { restorePlayerVersion } = await tenant.query(restore, { id, version: 1, expected: 2 });
    expect(restorePlayerVersion).toEqual({ ...was, version: 3 });
    const { restorePlayerVersion: again } = await tenant.query(restore, { id, version: 2 });
    expect(again).toMatchObject({ name: 'second', score: null, teamId: null, version: 4 });
    expect((await historyOf(id)).nodes.map((node: { operation: string }) => node.operation)).toEqual([
      'UPDATED',
      'UPDATED',
      'UPDATED',
      'CREATED',
    ]);
  });

  it('is refused as any update is', async () => {
    const teamId = await createTeam();
    const id = await create({ name: 'x', score: 90, teamId });
    await update(id, { score: 1, teamId: null });
    expect((await tenant.refusal(restore, { id, version: 9 })).code).toBe('NOT_FOUND');
    expect((await tenant.refusal(restore, { id: randomUUID(), version: 1 })).code).toBe('NOT_FOUND');
    expect((await tenant.refusal(restore, { id, version: 1, expected: 1 })).code).toBe('VERSION_CONFLICT');
    expect((await tenant.as({ role: 'VIEWER' }).refusal(restore, { id, version: 1 })).code).toBe('FORBIDDEN');
    const other = await addTenant();
    expect((await other.refusal(restore, { id, version: 1 })).code).toBe('NOT_FOUND');

    await tenant.query('mutation ($id: ID!) { deleteTeam(id: $id) { id } }', { id: teamId });
    expect(await tenant.refusal(restore, { id, version: 1 })).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: [{ field: 'teamId', rule: 'relation' }],
    });
    await tenant.query(
      'mutation { updateField(entity: "player", name: "score", input: { validation: { max: 50 } }) { name } }',
    );
    const refused = await tenant.refusal(restore, { id, version: 1 });
    expect(refused.fields.map(({ field }) => field)).toContain('score');
    await remove(id);
    expect((await tenant.refusal(restore, { id, version: 2 })).code).toBe('NOT_FOUND');
  });
});

describe('a purge', () => {
  const purge =
    'mutation ($ids: [ID!], $before: DateTime) { count: purgePlayers(ids: $ids, deletedBefore: $before) }';
  const developer = () => tenant.as({ role: 'DEVELOPER' });
  const restore = 'mutation ($id: ID!) { restorePlayer(id: $id) { id } }';
  const left = async (id: string): Promise<number> =>
    (
      await fixture.superuser.query(
        `select (select count(*) from records where id = $1) + (select count(*) from record_history where record_id = $1)
           + (select count(*) from record_keys where record_id = $1) as n`,
        [id],
      )
    ).rows[0].n * 1;

  it('removes rows, keys and history, of what is deleted only, and what the log still has never becomes history', async () => {
    const [old, fresh, live] = [
      await create({ name: 'a' }),
      await create({ name: 'b' }),
      await create({ name: 'c' }),
    ];
    await outliveLog();
    await update(old, { name: 'still in the log' });
    await remove(old);
    await remove(fresh);
    const refusal = await developer().refusal(purge, { ids: [old, live] });
    expect(refusal).toMatchObject({ code: 'CONFLICT', fields: [{ field: 'ids.1', rule: 'deleted' }] });
    expect(await left(old)).toBe(2);
    expect((await developer().query(purge, { ids: [old, fresh] })).count).toBe(2);
    await outliveLog();
    for (const id of [old, fresh]) {
      expect(await left(id)).toBe(0);
      expect(await historyOf(id)).toBeNull();
      expect((await tenant.refusal(restore, { id })).code).toBe('NOT_FOUND');
      expect((await developer().refusal(purge, { ids: [id] })).code).toBe('NOT_FOUND');
    }
    expect((await historyOf(live)).nodes).toHaveLength(1);
  });

  it('takes those deleted before a time', async () => {
    const ids = [
      await create({ name: 'a' }),
      await create({ name: 'b' }),
      await create({ name: 'c' }),
    ] as const;
    await remove(ids[0]);
    await remove(ids[1]);
    await fixture.superuser.query(
      "update records set deleted_at = now() - interval '40 days' where id = $1",
      [ids[0]],
    );
    const before = new Date(Date.now() - 30 * 24 * 60 * 60 * 1000).toISOString();
    expect((await developer().query(purge, { before })).count).toBe(1);
    expect((await developer().query(purge, { before })).count).toBe(0);
    expect(await Promise.all(ids.map(left))).toEqual([0, 1, 1]);
  });

  it('says what it wants', async () => {
    const fieldOf = async (variables: Anything) =>
      (await developer().refusal(purge, variables)).fields[0]?.field;
    expect(await fieldOf({})).toBe('ids');
    expect(await fieldOf({ ids: [], before: new Date().toISOString() })).toBe('ids');
    expect(await fieldOf({ ids: Array.from({ length: 1_001 }, randomUUID) })).toBe('ids');
    const id = randomUUID();
    expect(await fieldOf({ ids: [id, id] })).toBe('ids.1');
  });

  it('is for developers and above, and for the own tenant', async () => {
    const id = await create({ name: 'guarded' });
    await remove(id);
    for (const role of ['VIEWER', 'USER'] as const) {
      expect((await tenant.as({ role }).refusal(purge, { ids: [id] })).code).toBe('FORBIDDEN');
    }
    const other = (await addTenant()).as({ role: 'ADMIN' });
    expect((await other.refusal(purge, { ids: [id] })).code).toBe('NOT_FOUND');
    expect((await other.query(purge, { before: new Date(Date.now() + 1000).toISOString() })).count).toBe(0);
    expect(await left(id)).toBe(1);
  });

  it('leaves no record that points at nothing', async () => {
    const teamId = await createTeam();
    const player = await create({ name: 'p', teamId });
    await remove(player);
    await tenant.query('mutation ($id: ID!) { deleteTeam(id: $id) { id } }', { id: teamId });
    await developer().query('mutation ($id: ID!) { purgeTeams(ids: [$id]) }', { id: teamId });
    expect((await tenant.refusal(restore, { id: player })).code).toBe('CONFLICT');
  });

  it('and a restoration at the same time: one of them wins, whole', async () => {
    const ids = await Promise.all(Array.from({ length: 8 }, () => create({ name: 'contested' })));
    await Promise.all(ids.map(remove));
    const [purged] = await Promise.all([
      developer().send(purge, { ids }),
      ...ids.map((id) => tenant.send(restore, { id })),
    ]);
    const rows = await Promise.all(ids.map(left));
    // All or nothing: a single restored record stops the purge of all.
    expect(new Set(rows)).toEqual(new Set([purged.errors ? 1 : 0]));
  });

  it('of a whole entity goes with its definition', async () => {
    const other = await addTenant();
    const { createPlayer } = await other.query('mutation { createPlayer(input: { name: "x" }) { id } }');
    await outliveLog();
    expect(await left(createPlayer.id)).toBe(2);
    await other.query('mutation ($id: ID!) { updatePlayer(id: $id, input: { name: "y" }) { id } }', {
      id: createPlayer.id,
    });
    await other.query('mutation { deleteEntity(name: "player") }');
    await expect.poll(() => left(createPlayer.id)).toBe(0);
    await outliveLog();
    expect(await left(createPlayer.id)).toBe(0);
  });
});
