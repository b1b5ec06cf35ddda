/** Who may do what: other tenants, other people of the same, roles that end in the middle; and files that are too large or gone. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { anonymousClaims, type Claims } from '#schema/claims.ts';
import { createDiskFiles } from '#subgraphs/entities/files/disk-files.ts';
import { removeOldFiles } from '#subgraphs/entities/transfer/old-files.ts';
import type { TransferService } from '#subgraphs/entities/transfer/service.ts';
import type { Transfer } from '#subgraphs/entities/transfer/transfer.ts';
import {
  bytesOf,
  createTransferBench,
  download,
  ended,
  put,
  type TenantClaims,
  type TransferBench,
} from './transfer-bench.ts';

const note = { name: 'note', fields: [{ name: 'text', type: 'TEXT' }] } as const;

let bench: TransferBench;
let service: TransferService;
let admin: TenantClaims;
let user: TenantClaims;
beforeAll(async () => {
  bench = await createTransferBench();
  service = bench.service({ maxUploadBytes: 100_000 });
});
beforeEach(async () => {
  admin = await bench.addTenant(note);
  user = await bench.addUser(admin.tenantId, 'USER');
});
afterAll(() => bench[Symbol.asyncDispose]());

async function imported(claims: TenantClaims, text = 'text\nhello\n'): Promise<Transfer> {
  const transfer = await service.startImport(claims, { entity: 'note', format: 'CSV' });
  await put(service, claims, transfer, bytesOf(text));
  return ended(service, claims, transfer);
}

/** Everything that takes a transfer's id. */
function touches(claims: Claims, id: string): Record<string, () => Promise<unknown>> {
  const request = { claims, transferId: id, requestId: 'test' };
  return {
    resume: () => service.resume(claims, id, {}),
    stop: () => service.stop(claims, id),
    propose: () => service.propose(claims, id, null),
    follow: () => service.follow(claims, id),
    get: () => service.content.get(request),
    put: () => service.content.put({ ...request, body: bytesOf('text\nmine\n'), fileName: null }),
  };
}

async function codes(claims: Claims, id: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [name, call] of Object.entries(touches(claims, id))) {
    found[name] = await call().then(
      () => 'allowed',
      (error: { code?: string }) => String(error.code),
    );
  }
  return found;
}

const unknown = {
  resume: 'NOT_FOUND',
  stop: 'NOT_FOUND',
  propose: 'NOT_FOUND',
  follow: 'NOT_FOUND',
  get: 'NOT_FOUND',
  put: 'NOT_FOUND',
};

describe('another tenant’s transfer', () => {
  it('is exactly as unknown as one that never was, whoever asks', async () => {
    const transfer = await imported(user);
    const stranger = await bench.addTenant(note);
    for (const id of [
      transfer.id,
      '00000000-0000-4000-8000-000000000000',
      "x'; --",
      '../../etc/passwd',
      '',
    ]) {
      expect(await codes(stranger, id)).toEqual(unknown);
      expect(await service.find(stranger, id)).toBeNull();
    }
    expect((await service.list(stranger, { first: 10, after: null })).transfers).toEqual([]);
    await expect(service.list(stranger, { first: 10, after: transfer.id })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
    });
    expect(await service.errors(stranger, transfer, 10)).toEqual([]);
  });

  it('is not seen by a connection without claims, or of another tenant', async () => {
    await imported(user);
    const stranger = await bench.addTenant();
    const text = 'select id from transfers union all select transfer_id from transfer_errors';
    expect(await bench.database.read(stranger, { text })).toEqual([]);
    expect(await bench.database.read(admin, { text })).not.toEqual([]);
    const insert = {
      text: 'insert into transfer_errors values ($1, $2, 1, 1, 1, null, null, $3, $3)',
      values: [admin.tenantId, stranger.tenantId, 'x'],
    };
    await expect(bench.database.read(stranger, insert)).rejects.toMatchObject({ code: '42501' });
    await expect(bench.database.platform({ text: 'select settings from transfers' })).rejects.toMatchObject({
      code: '42501',
    });
    await expect(bench.database.platform({ text: 'select 1 from transfer_errors' })).rejects.toMatchObject({
      code: '42501',
    });
  });
});

describe('in one tenant', () => {
  it('a user’s transfers are that user’s and the admins’', async () => {
    const transfer = await imported(user);
    const other = await bench.addUser(admin.tenantId, 'DEVELOPER');
    expect(await codes(other, transfer.id)).toEqual(unknown);
    expect((await service.list(other, { first: 10, after: null })).transfers).toEqual([]);
    expect(await service.find(admin, transfer.id)).toMatchObject({ id: transfer.id });
    expect((await service.list(admin, { first: 10, after: null })).transfers).toHaveLength(1);
    expect(await service.count(user)).toBe(1);
    expect(await service.count(other)).toBe(0);
  });

  it('a viewer and a stranger may nothing', async () => {
    const viewer = await bench.addUser(admin.tenantId, 'VIEWER');
    const transfer = await imported(user);
    const calls = (claims: Claims) => [
      () => service.startImport(claims, { entity: 'note', format: 'CSV' }),
      () => service.startExport(claims, { entity: 'note', format: 'CSV' }),
      () => service.startTenant(claims, 'EXPORT'),
      () => service.list(claims, { first: 10, after: null }),
      () => service.find(claims, transfer.id),
      ...Object.values(touches(claims, transfer.id)),
    ];
    for (const call of calls(viewer)) await expect(call()).rejects.toMatchObject({ code: 'FORBIDDEN' });
    for (const call of calls(anonymousClaims))
      await expect(call()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    const nowhere: Claims = { ...admin, tenantId: null, actorKind: 'OPERATOR', role: 'OPERATOR' };
    for (const call of calls(nowhere))
      await expect(call()).rejects.toMatchObject({ code: 'TENANT_REQUIRED' });
  });

  it('a whole tenant is for admins alone, its file too', async () => {
    const developer = await bench.addUser(admin.tenantId, 'DEVELOPER');
    for (const kind of ['EXPORT', 'IMPORT'] as const) {
      await expect(service.startTenant(developer, kind)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    }
    const transfer = await service.startTenant(admin, 'EXPORT');
    await ended(service, admin, transfer);
    expect(await codes(developer, transfer.id)).toEqual(unknown);
    // Also for who started it as an admin and is one no more.
    expect(await codes({ ...admin, role: 'DEVELOPER' }, transfer.id)).toEqual(unknown);
  });

  it('pages of transfers follow each other without gap', async () => {
    const made = [];
    for (let index = 0; index < 5; index++) made.push(await service.startImport(user, { format: 'CSV' }));
    const seen: string[] = [];
    let after: string | null = null;
    for (;;) {
      const page: { transfers: Transfer[]; hasMore: boolean } = await service.list(user, { first: 2, after });
      seen.push(...page.transfers.map((transfer) => transfer.id));
      after = page.transfers.at(-1)?.id ?? null;
      if (!page.hasMore) break;
    }
    expect(new Set(seen)).toEqual(new Set(made.map((transfer) => transfer.id)));
    expect(seen).toHaveLength(5);
    await expect(service.list(user, { first: 0, after: null })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
    });
    await expect(service.list(user, { first: 1001, after: null })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
    });
  });
});

describe('rights that end while it runs', () => {
  const rows = Array.from({ length: 3_000 }, (_, index) => `t${index}`).join('\n');

  it.each([
    ['the user is deleted', 'update users set deleted_at = now() where id = $1', 'FORBIDDEN'],
    ['the user becomes a viewer', "update users set role = 'VIEWER' where id = $1", 'FORBIDDEN'],
    [
      'the tenant is suspended',
      "update tenants set status = 'SUSPENDED' where id = (select tenant_id from users where id = $1)",
      'TENANT_SUSPENDED',
    ],
  ])('stop it after the batch: %s', async (_, change, code) => {
    const strict = bench.service({
      store: {
        ...bench.store,
        async report(claims, id, lease, report) {
          if (report.rows === 1_000) await bench.sql(change, [user.actorId]);
          return bench.store.report(claims, id, lease, report);
        },
      },
    });
    const transfer = await strict.startImport(user, { entity: 'note', format: 'CSV' });
    await put(strict, user, transfer, bytesOf(`text\n${rows}\n`));
    expect(await ended(strict, admin, transfer)).toMatchObject({
      status: 'FAILED',
      rows: 1_000,
      failure: { code },
    });
    expect(await bench.all(admin, 'note')).toHaveLength(1_000);
  });
});

describe('content', () => {
  it('arrives whole or not at all', async () => {
    const transfer = await service.startImport(user, { entity: 'note', format: 'CSV' });
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('text\nhello\n');
      throw new Error('the client hung up');
    }
    await expect(put(service, user, transfer, broken())).rejects.toThrow('hung up');
    expect(await service.find(user, transfer.id)).toMatchObject({ status: 'PENDING', fileBytes: null });
    await expect(
      service.content.get({ claims: user, transferId: transfer.id, requestId: 'test' }),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(put(service, user, transfer, bytesOf('x'.repeat(100_001)))).rejects.toMatchObject({
      fields: [{ rule: 'size' }],
    });
    expect(await readdir(join(bench.folder, user.tenantId)).catch(() => [])).toEqual([]);
  });

  it('may be replaced before it runs, and is read back as it was sent', async () => {
    const transfer = await service.startImport(user, { format: 'CSV' });
    await put(service, user, transfer, bytesOf('text\nfirst\n'));
    await put(service, user, transfer, bytesOf('text\nsecond\n'), 'C:\\fakepath\\no\u0000tes.csv');
    expect(await service.find(user, transfer.id)).toMatchObject({ fileName: 'notes.csv', fileBytes: 12 });
    expect((await download(service, user, transfer)).toString()).toBe('text\nsecond\n');
    expect(await readdir(join(bench.folder, user.tenantId))).toHaveLength(1);
    await service.resume(user, transfer.id, { entity: 'note' });
    await ended(service, user, transfer);
    expect((await bench.all(admin, 'note')).map((record) => record.data.text)).toEqual(['second']);
    await expect(put(service, user, transfer, bytesOf('text\nthird\n'))).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    const exported = await service.startExport(user, { entity: 'note', format: 'CSV' });
    await expect(put(service, user, exported, bytesOf('x'))).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  it('of a tenant is so much and no more', async () => {
    const small = bench.service({ maxTenantBytes: 100 });
    const [first, second] = [
      await small.startImport(user, { format: 'CSV' }),
      await small.startImport(user, { format: 'CSV' }),
    ];
    await put(small, user, first, bytesOf('x'.repeat(90)));
    await expect(put(small, user, second, bytesOf('x'.repeat(11)))).rejects.toMatchObject({
      fields: [{ rule: 'size' }],
    });
    await put(small, user, second, bytesOf('x'.repeat(10)));
    await expect(put(small, user, second, bytesOf('x'))).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    await expect(small.startExport(user, { entity: 'note', format: 'CSV' })).rejects.toMatchObject({
      code: 'QUOTA_EXCEEDED',
    });
    await expect(small.startTenant(admin, 'EXPORT')).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    const other = await bench.addTenant(note);
    expect(await small.startExport(other, { entity: 'note', format: 'CSV' })).toMatchObject({
      status: 'PENDING',
    });
  });

  it('is known by ids alone', async () => {
    const files = createDiskFiles(bench.folder);
    for (const [tenant, file] of [
      ['..', admin.tenantId],
      [admin.tenantId, '../../../tmp/x'],
      [admin.tenantId, ''],
    ] as const) {
      await expect(files.write(tenant, file, bytesOf('x'), 10)).rejects.toThrow('known by the ids');
      await expect(files.read(tenant, file)).rejects.toThrow('known by the ids');
    }
    expect(await files.read(admin.tenantId, crypto.randomUUID())).toBeNull();
  });

  it('goes a week after the end; the record of it stays', async () => {
    const transfer = await imported(user);
    const running = await service.startImport(user, { entity: 'note', format: 'CSV' });
    await removeOldFiles(
      { store: bench.store, files: bench.files, logger: { warn: () => {} } },
      new Date(Date.now() - 60_000),
    );
    expect(await download(service, user, transfer)).not.toHaveLength(0);
    await removeOldFiles(
      { store: bench.store, files: bench.files, logger: { warn: () => {} } },
      new Date(Date.now() + 60_000),
    );
    expect(await service.find(user, transfer.id)).toMatchObject({ status: 'DONE', fileBytes: null });
    await expect(download(service, user, transfer)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await readdir(join(bench.folder, user.tenantId))).toEqual([]);
    expect(await service.find(user, running.id)).toMatchObject({ status: 'PENDING' });
  });
});

describe('exports', () => {
  it('hold what was asked for: fields, filter, order of columns, a delimiter', async () => {
    await bench.define(admin, {
      name: 'task',
      fields: [
        { name: 'title', type: 'TEXT' },
        { name: 'note', type: 'RELATION', targetEntity: 'note' },
      ],
    });
    await imported(user, 'text\n"=1+1;""x"""\nplain\n');
    const [first] = await bench.all(admin, 'note');
    const tasks = await service.startImport(user, { entity: 'task', format: 'NDJSON' });
    await put(
      service,
      user,
      tasks,
      bytesOf(`{"title":"a","noteId":"${first?.id}"}\n{"title":"b"}\n{"title":"c"}\n`),
    );
    await ended(service, user, tasks);
    const transfer = await service.startExport(user, {
      entity: 'task',
      format: 'CSV',
      fields: ['note.text', 'title'],
      filter: { title: { in: ['a', 'b'] } },
      delimiter: ';',
    });
    expect(await ended(service, user, transfer)).toMatchObject({ status: 'DONE', rows: 2, totalCount: 2 });
    expect((await download(service, user, transfer)).toString()).toBe(
      'note.text;title\r\n"=1+1;""x""";a\r\n;b\r\n',
    );
  });

  it('are refused where they cannot be right', async () => {
    const start = (input: object) => service.startExport(user, { entity: 'note', format: 'CSV', ...input });
    await expect(start({ entity: 'nothing' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(start({ fields: ['nothing'] })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    await expect(start({ filter: { nothing: { eq: 1 } } })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    await expect(start({ filter: ['x'] })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });
});
