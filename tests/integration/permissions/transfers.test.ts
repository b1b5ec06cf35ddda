/** Exports, imports and files under permissions. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TransferService } from '#subgraphs/entities/transfer/service.ts';
import type { Transfer } from '#subgraphs/entities/transfer/transfer.ts';
import { bytesOf, download, ended, put } from '../transfer/transfer-bench.ts';
import { definePeople, fillPeople, type People, personFields, recordCount } from './people.ts';
import { createWorld, personId, type World } from './world.ts';

let world: World;
let people: People;
let transfers: TransferService;
beforeAll(async () => {
  world = await createWorld();
  await definePeople(world);
  people = await fillPeople(world, (n, field) =>
    field === 'ownerId' ? personId('USER', n <= 2 ? 1 : 2) : undefined,
  );
  transfers = world.entities.transfers as TransferService;
}, 60_000);
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(() => world.permit({ person: [], team: [] }));

const user = () => world.as('USER').claims;
const own = { role: 'USER', rowFilter: { ownerId: { eq: '$me' } } };

async function exported(
  fields: string[] = [],
  rest: object = {},
  n = 1,
): Promise<{ transfer: Transfer; text: string }> {
  const { claims } = world.as('USER', n);
  const started = await transfers.startExport(claims, { entity: 'person', format: 'CSV', fields, ...rest });
  const transfer = await ended(transfers, claims, started);
  if (transfer.status !== 'DONE') throw new Error(JSON.stringify(transfer.failure));
  return { transfer, text: (await download(transfers, claims, transfer)).toString() };
}

async function imported(text: string, settings: object = {}): Promise<Transfer> {
  const started = await transfers.startImport(user(), { entity: 'person', format: 'CSV', ...settings });
  await put(transfers, user(), started, bytesOf(text));
  return ended(transfers, user(), started);
}

const state = () => world.sql('select id, version from records order by id');

describe('an export', () => {
  it('has every field and every record of who is not restricted', async () => {
    const { text } = await exported();
    const [head, ...rows] = text.trim().split(/\r?\n/);
    const columns = personFields.flatMap(({ name, member }) =>
      // Of several entities: which, too.
      name === 'about' ? ['aboutType', member] : [member],
    );
    expect(head?.split(',')).toEqual(['id', ...columns]);
    expect(rows).toHaveLength(recordCount);
  });

  it('leaves out hidden columns, and refuses those that are asked for, before anything is begun', async () => {
    await world.permit({
      person: [{ role: 'USER', readableFields: ['name', 'level', 'team'] }],
      team: [{ role: 'USER', readableFields: ['region'] }],
    });
    const { text } = await exported();
    expect(text.split(/\r?\n/)[0]).toBe('id,name,level,teamId');
    expect(text).not.toMatch(/codeZq|noteZq|918273|docZq/);
    const { text: through } = await exported(['name', 'team.region', 'createdAt']);
    expect(through).toContain('EU');
    for (const request of [
      { fields: ['salary'] },
      { fields: ['name', 'mentorId'] },
      { fields: ['mentor.name'] },
      { fields: ['team.name'] },
      { fields: ['name'], filter: { salary: { gt: 1 } } },
      { fields: ['name'], filter: { team: { name: { eq: 'x' } } } },
    ]) {
      const start = transfers.startExport(user(), { entity: 'person', format: 'JSON', ...request });
      await expect(start, JSON.stringify(request)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    }
    // A search looks into what may be read.
    expect((await exported(['name'], { search: 'codeZq1x' })).text.trim()).toBe('name');
    expect((await exported(['name'], { search: 'nameZq1x' })).text).toContain('nameZq1x');
  });

  it('has the rows of its reader, and of what they refer to likewise', async () => {
    await world.permit({ person: [own] });
    expect((await exported(['name'])).text.trim().split(/\r?\n/)).toEqual(['name', 'nameZq1x', 'nameZq2x']);
    const { text } = await exported(['name', 'mentor.code'], {}, 2);
    // The third one's mentor is not theirs to see.
    expect(text.trim().split(/\r?\n/).slice(1)).toEqual([
      'nameZq3x,',
      'nameZq4x,codeZq3x',
      'nameZq5x,codeZq4x',
    ]);
  });

  it('needs READ', async () => {
    await world.permit({ person: [{ role: 'USER', operations: ['CREATE', 'UPDATE'] }] });
    const start = transfers.startExport(user(), { entity: 'person', format: 'CSV' });
    await expect(start).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  it('is not handed out once its reader may see less; to an admin always, and to nobody else', async () => {
    const { transfer } = await exported();
    await world.permit({ person: [{ role: 'USER', readableFields: ['name'] }] });
    await expect(download(transfers, user(), transfer)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(download(transfers, world.as('USER', 2).claims, transfer)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(download(transfers, world.as('DEVELOPER').claims, transfer)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    expect((await download(transfers, world.admin.claims, transfer)).toString()).toContain('codeZq1x');
    const { transfer: narrow } = await exported();
    expect((await download(transfers, user(), narrow)).toString()).not.toContain('codeZq');
  });

  it('of a whole tenant is for ADMIN', async () => {
    for (const role of ['USER', 'DEVELOPER', 'SERVICE'] as const) {
      await expect(transfers.startTenant(world.as(role).claims, 'EXPORT')).rejects.toMatchObject({
        code: 'FORBIDDEN',
      });
    }
  });
});

describe('an import', () => {
  it('needs CREATE, and UPDATE where it may find records', async () => {
    await world.permit({ person: [{ role: 'USER', operations: ['READ', 'UPDATE'] }] });
    await expect(transfers.startImport(user(), { entity: 'person', format: 'CSV' })).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
    await world.permit({ person: [{ role: 'USER', operations: ['READ', 'CREATE'] }] });
    const upsert = { entity: 'person', format: 'CSV', mode: 'UPSERT', upsertOn: 'name' } as const;
    await expect(transfers.startImport(user(), upsert)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(await imported('name\ncreated-by-import\n')).toMatchObject({
      status: 'DONE',
      counts: { created: 1 },
    });
  });

  it('refuses columns that may not be written, before a row is', async () => {
    await world.permit({ person: [{ role: 'USER', writableFields: ['name'] }] });
    const mapped = {
      entity: 'person',
      format: 'CSV',
      columns: [{ column: 'wages', field: 'salary' }],
    } as const;
    await expect(transfers.startImport(user(), mapped)).rejects.toMatchObject({
      code: 'FORBIDDEN',
      fields: [{ field: 'salary', rule: 'permission' }],
    });
    const before = await state();
    const failed = await imported('name,salary,code\na,1,b\n');
    expect(failed).toMatchObject({
      status: 'FAILED',
      failure: {
        code: 'FORBIDDEN',
        fields: [
          { field: 'salary', rule: 'permission' },
          { field: 'code', rule: 'permission' },
        ],
      },
    });
    expect(await state()).toEqual(before);
    const left = {
      columns: [
        { column: 'salary', field: null },
        { column: 'code', field: null },
      ],
    };
    expect(await imported('name,salary,code\nleft-out,1,b\n', left)).toMatchObject({ status: 'DONE' });
  });

  it('finds records by readable keys alone, and only those that are its own to see', async () => {
    await world.permit({ person: [{ role: 'USER', readableFields: ['code', 'ownerId', 'mentor'] }] });
    const upsert = { entity: 'person', format: 'CSV', mode: 'UPSERT', upsertOn: 'name' } as const;
    await expect(transfers.startImport(user(), upsert)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    const by = { entity: 'person', format: 'CSV', columns: [{ column: 'm', field: 'mentor.name' }] } as const;
    await expect(transfers.startImport(user(), by)).rejects.toMatchObject({ code: 'FORBIDDEN' });

    await world.permit({ person: [own] });
    const me = personId('USER');
    const columns = { columns: [{ column: 'm', field: 'mentor.code' }] };
    const rows = `name,ownerId,m\nsees-1,${me},codeZq1x\nsees-5,${me},codeZq5x\nsees-none,${me},codeZqNone\n`;
    for (const dryRun of [true, false]) {
      const transfer = await imported(rows, { ...columns, dryRun });
      expect(transfer.counts).toMatchObject({ created: 1, failed: 2 });
      const errors = await transfers.errors(user(), transfer, 10);
      const told = errors.map(({ message }) => message.replace(/codeZq\w+/, 'it'));
      // As unknown as one that never was.
      expect(told[0]).toBe(told[1]);
    }
  });

  it('writes no row that its writer may not see', async () => {
    await world.permit({ person: [own] });
    const before = await state();
    for (const text of ['name,ownerId\nnot-mine,somebody\n', 'name\nnobodys\n']) {
      const transfer = await imported(text);
      expect(transfer.counts.created).toBe(0);
    }
    const taken = await imported(`name,note\nnameZq5x,stolen\n`, { mode: 'UPSERT', upsertOn: 'name' });
    expect(taken.counts).toMatchObject({ created: 0, updated: 0 });
    expect(await state()).toEqual(before);
    expect(people.person).toHaveLength(recordCount + 1);
  });
});
