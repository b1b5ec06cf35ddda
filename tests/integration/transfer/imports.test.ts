/** Imports: what is refused and reported, dry runs, upserts, references, stops, and processes that die in the middle. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CreateEntityInput } from '#subgraphs/entities/definitions/definition-input.ts';
import type { TransferService } from '#subgraphs/entities/transfer/service.ts';
import type { Transfer, TransferStore } from '#subgraphs/entities/transfer/transfer.ts';
import type { StartImportInput } from '#subgraphs/entities/transfer/transfer-input.ts';
import {
  bytesOf,
  createTransferBench,
  ended,
  put,
  type TenantClaims,
  type TransferBench,
} from './transfer-bench.ts';

let bench: TransferBench;
let service: TransferService;
beforeAll(async () => {
  bench = await createTransferBench();
  service = bench.service();
});
afterAll(() => bench[Symbol.asyncDispose]());

const company: CreateEntityInput = {
  name: 'company',
  pluralName: 'companies',
  fields: [
    { name: 'name', type: 'TEXT', isRequired: true },
    { name: 'taxId', type: 'TEXT', isUnique: true },
    { name: 'mail', type: 'EMAIL', isUnique: true },
  ],
};
const contact: CreateEntityInput = {
  name: 'contact',
  fields: [
    { name: 'email', type: 'EMAIL', isRequired: true, isUnique: true },
    { name: 'age', type: 'INTEGER', validation: { min: 0, max: 150 } },
    {
      name: 'kind',
      type: 'SELECT',
      options: [
        { value: 'LEAD', label: 'Lead' },
        { value: 'FRIEND', label: 'Old friend' },
      ],
      isRequired: true,
      defaultValue: 'LEAD',
    },
    { name: 'company', type: 'RELATION', targetEntity: 'company' },
  ],
};

async function run(
  claims: TenantClaims,
  text: string,
  input: StartImportInput = {},
  using = service,
): Promise<Transfer> {
  const transfer = await using.startImport(claims, { entity: 'contact', format: 'CSV', ...input });
  await put(using, claims, transfer, bytesOf(text));
  return ended(using, claims, transfer);
}

const errorsOf = async (claims: TenantClaims, transfer: Transfer) =>
  (await service.errors(claims, transfer, 1_000)).map(({ row, line, column, field, rule }) => [
    row,
    line,
    column,
    field,
    rule,
  ]);

const emails = async (claims: TenantClaims) =>
  (await bench.all(claims, 'contact')).map((record) => record.data.email);

describe('rows that are refused', () => {
  it('are reported with line, column, field and rule; the others are imported', async () => {
    const claims = await bench.addTenant(company, contact);
    const transfer = await run(
      claims,
      [
        'E-Mail,Age,Kind,company.taxId',
        'a@example.com,5,Old friend,',
        'nonsense,200,Enemy,CH-1',
        'b@example.com,old,,',
        ',7,LEAD,',
        'a@example.com,1,,,,x',
        'A@example.com,8,lead,',
        'c@example.com,9,,',
      ].join('\n'),
      { columns: [{ column: 'E-Mail', field: 'email' }] },
    );
    expect(transfer).toMatchObject({
      status: 'DONE',
      rows: 7,
      counts: { created: 2, updated: 0, failed: 5 },
      errorCount: 8,
    });
    expect(await errorsOf(claims, transfer)).toEqual([
      [2, 3, 'company.taxId', 'companyId', 'relation'],
      [2, 3, 'E-Mail', 'email', 'email'],
      [2, 3, 'Age', 'age', 'max'],
      [2, 3, 'Kind', 'kind', 'option'],
      [3, 4, 'Age', 'age', 'type'],
      [4, 5, 'E-Mail', 'email', 'required'],
      [5, 6, null, null, 'columns'],
      [6, 7, 'E-Mail', 'email', 'unique'],
    ]);
    const records = await bench.all(claims, 'contact');
    expect(records.map((record) => record.data)).toMatchObject([
      { email: 'a@example.com', age: 5, kind: 'FRIEND' },
      { email: 'c@example.com', age: 9, kind: 'LEAD' },
    ]);
    expect(records[0]).toMatchObject({ version: 1, createdBy: claims.actorId });
  });

  it('are counted all and kept a thousand', async () => {
    const claims = await bench.addTenant(company, contact);
    const rows = Array.from(
      { length: 2_500 },
      (_, index) => `u${index}@example.com,${index % 2 ? 'x' : index % 100}`,
    );
    const transfer = await run(claims, `email,age\n${rows.join('\n')}\n`);
    expect(transfer).toMatchObject({
      status: 'DONE',
      rows: 2_500,
      counts: { created: 1_250, failed: 1_250 },
      errorCount: 1_250,
    });
    expect(await errorsOf(claims, transfer)).toHaveLength(1_000);
  });

  it('end the import where that was asked for, which then goes on with a mended mapping', async () => {
    const claims = await bench.addTenant(company, contact);
    const rows = Array.from(
      { length: 1_500 },
      (_, index) => `u${index}@example.com,${index === 1_200 ? 'n.k.' : index % 100}`,
    );
    const failed = await run(claims, `email,age\n${rows.join('\n')}\n`, { onError: 'STOP' });
    expect(failed).toMatchObject({
      status: 'FAILED',
      rows: 1_200,
      counts: { created: 1_200, failed: 0 },
      errorCount: 0,
    });
    expect(failed.failure?.message).toContain('Row 1201 (line 1202)');
    await expect(
      service.resume(claims, failed.id, { mode: 'UPSERT', upsertOn: 'email' }),
    ).rejects.toMatchObject({ code: 'CONFLICT' });
    await service.resume(claims, failed.id, { nullTexts: ['n.k.'] });
    expect(await ended(service, claims, failed)).toMatchObject({
      status: 'DONE',
      rows: 1_500,
      counts: { created: 1_500 },
    });
    expect(await emails(claims)).toEqual(rows.map((row) => row.split(',')[0]));
  });

  it('are found one by one where only the store knows why', async () => {
    const claims = await bench.addTenant(company, contact);
    const none = '00000000-0000-4000-8000-000000000000';
    const rows = Array.from(
      { length: 1_000 },
      (_, index) => `u${index}@example.com,${index % 333 === 7 ? none : ''}`,
    );
    const transfer = await run(claims, `email,companyId\n${rows.join('\n')}\n`);
    expect(transfer).toMatchObject({ status: 'DONE', counts: { created: 997, failed: 3 } });
    expect((await errorsOf(claims, transfer))[0]).toEqual([8, 9, 'companyId', 'companyId', 'relation']);
  });
});

describe('files that cannot be imported at all', () => {
  it.each([
    ['a column for what every record needs', 'age\n5\n', {}, 'BAD_USER_INPUT'],
    ['any column', 'x,y\n1,2\n', { entity: 'company' }, 'BAD_USER_INPUT'],
    ['a header', '', {}, 'BAD_USER_INPUT'],
    ['its end', '[{"email":"a@example.com"}', { format: 'JSON' }, 'BAD_USER_INPUT'],
  ] as const)('lack %s', async (_, text, input, code) => {
    const claims = await bench.addTenant(company, contact);
    expect(await run(claims, text, input)).toMatchObject({ status: 'FAILED', failure: { code } });
  });

  it('are refused before the upload where the settings cannot be right', async () => {
    const claims = await bench.addTenant(company, contact);
    const start = (input: StartImportInput) =>
      service.startImport(claims, { entity: 'contact', format: 'CSV', ...input });
    await expect(start({ entity: 'nothing' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(start({ format: null, fileName: 'data.xlsx' })).rejects.toMatchObject({
      fields: [{ field: 'format' }],
    });
    await expect(start({ mode: 'UPSERT' })).rejects.toMatchObject({ fields: [{ field: 'upsertOn' }] });
    await expect(start({ mode: 'UPSERT', upsertOn: 'age' })).rejects.toMatchObject({
      fields: [{ field: 'upsertOn' }],
    });
    await expect(start({ delimiter: 'ab' })).rejects.toMatchObject({ fields: [{ field: 'delimiter' }] });
    await expect(start({ columns: [{ column: 'x', field: 'nothing' }] })).rejects.toMatchObject({
      fields: [{ field: 'columns.0.field' }],
    });
    await expect(start({ columns: [{ column: 'x', field: 'age', dateFormat: 'YY' }] })).rejects.toMatchObject(
      { fields: [{ field: 'columns.0.dateFormat' }] },
    );
    await expect(start({ columns: [{ column: 'a\0', field: 'age' }] })).rejects.toMatchObject({
      fields: [{ rule: 'characters' }],
    });
  });

  it('survive any characters in columns and cells', async () => {
    const claims = await bench.addTenant(company, contact);
    const rows = [
      { email: 'a@example.com', 'x\0\ud800': 1 },
      { email: 'b\0\ud800@example.com', kind: '\0' },
      { email: "'; drop table records; --" },
    ];
    const transfer = await run(claims, JSON.stringify(rows), { format: 'JSON' });
    expect(transfer).toMatchObject({ status: 'DONE', counts: { created: 1, failed: 2 } });
  });
});

describe('references', () => {
  it('find records by their ids or by a unique field, whatever its case where case does not count', async () => {
    const claims = await bench.addTenant(company, contact);
    await run(claims, 'name,taxId,mail\nÄrzte AG,CH-1,Info@Aerzte.example\nB,Zoe\u0308,\n', {
      entity: 'company',
    });
    const [first, second] = await bench.all(claims, 'company');
    const byKey = await run(
      claims,
      'email,company.taxId\na@example.com,CH-1\nb@example.com,Zoë\nc@example.com,ch-1\n',
    );
    expect(byKey).toMatchObject({ counts: { created: 2, failed: 1 } });
    const byMail = await run(claims, 'email,company.mail\nd@example.com,info@aerzte.EXAMPLE\n');
    expect(byMail).toMatchObject({ counts: { created: 1, failed: 0 } });
    const byId = await run(claims, `email,company\ne@example.com,${second?.id.toUpperCase()}\n`);
    expect(byId).toMatchObject({ counts: { created: 1, failed: 0 } });
    const companies = (await bench.all(claims, 'contact')).map((record) => [
      record.data.email,
      record.data.company,
    ]);
    expect(companies).toEqual([
      ['a@example.com', first?.id],
      ['b@example.com', second?.id],
      ['d@example.com', first?.id],
      ['e@example.com', second?.id],
    ]);
  });

  it('never reach another tenant’s records', async () => {
    const victim = await bench.addTenant(company, contact);
    await run(victim, 'name,taxId\nVictim,V-1\n', { entity: 'company' });
    const [record] = await bench.all(victim, 'company');
    const attacker = await bench.addTenant(company, contact);
    const transfer = await run(attacker, `email,companyId\na@example.com,${record?.id}\n`);
    expect(transfer).toMatchObject({ counts: { created: 0, failed: 1 } });
    expect(await run(attacker, 'email,company.taxId\na@example.com,V-1\n')).toMatchObject({
      counts: { created: 0, failed: 1 },
    });
  });
});

it('upserts on a unique field: the last row of a key wins, and a repetition changes nothing', async () => {
  const claims = await bench.addTenant(company, contact);
  await run(claims, 'email,age\na@example.com,1\nb@example.com,2\n');
  const file = 'email,age,kind\na@example.com,10,\nc@example.com,3,FRIEND\nc@example.com,4,\nnone,1,\n,5,\n';
  const transfer = await run(claims, file, {
    mode: 'UPSERT',
    upsertOn: 'email',
    columns: [{ column: 'kind', field: null }],
  });
  expect(transfer).toMatchObject({ status: 'DONE', rows: 5, counts: { created: 1, updated: 2, failed: 2 } });
  const ages = async () =>
    (await bench.all(claims, 'contact')).map((record) => [record.data.email, record.data.age]);
  const expected = [
    ['a@example.com', 10],
    ['b@example.com', 2],
    ['c@example.com', 4],
  ];
  expect(await ages()).toEqual(expected);
  await run(claims, file, { mode: 'UPSERT', upsertOn: 'email', columns: [{ column: 'kind', field: null }] });
  expect(await ages()).toEqual(expected);
});

describe('a dry run', () => {
  const file =
    'email,age,companyId\na@example.com,1,\nold@example.com,2,\na@example.com,3,\nb@example.com,x,\nc@example.com,4,00000000-0000-4000-8000-000000000000\n';

  it('says what an import would do and writes nothing; then the import does it', async () => {
    const claims = await bench.addTenant(company, contact);
    await run(claims, 'email\nold@example.com\n');
    const dry = await run(claims, file, { dryRun: true });
    expect(dry).toMatchObject({ status: 'DONE', rows: 5, counts: { created: 1, failed: 4 }, errorCount: 4 });
    expect(await errorsOf(claims, dry)).toMatchObject([
      [2, 3, 'email', 'email', 'unique'],
      [3, 4, 'email', 'email', 'unique'],
      [4, 5, 'age', 'age', 'type'],
      [5, 6, 'companyId', 'companyId', 'relation'],
    ]);
    expect(await emails(claims)).toEqual(['old@example.com']);

    await service.resume(claims, dry.id, {});
    const real = await ended(service, claims, dry);
    expect(real).toMatchObject({
      status: 'DONE',
      rows: 5,
      counts: dry.counts,
      errorCount: 4,
      settings: { isDryRun: false },
    });
    expect(await emails(claims)).toEqual(['old@example.com', 'a@example.com']);
    await expect(service.resume(claims, dry.id, {})).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  it('of an upsert tells what is new', async () => {
    const claims = await bench.addTenant(company, contact);
    await run(claims, 'email\nold@example.com\n');
    const dry = await run(claims, 'email\nOLD@example.com\nnew@example.com\n', {
      dryRun: true,
      mode: 'UPSERT',
      upsertOn: 'email',
    });
    expect(dry.counts).toEqual({ created: 1, updated: 1, failed: 0 });
  });

  it('remembers keys over batches', async () => {
    const claims = await bench.addTenant(company, contact);
    const rows = Array.from({ length: 1_500 }, (_, index) => `u${index % 1_200}@example.com`);
    const dry = await run(claims, `email\n${rows.join('\n')}\n`, { dryRun: true });
    expect(dry.counts).toEqual({ created: 1_200, updated: 0, failed: 300 });
  });
});

/** So many contacts, one to a line. */
async function* manyContacts(count: number): AsyncGenerator<Uint8Array> {
  yield Buffer.from('email,age\n');
  for (let start = 0; start < count; start += 500) {
    const rows = Array.from(
      { length: Math.min(500, count - start) },
      (_, i) => `user${start + i}@example.com,${(start + i) % 120}\n`,
    );
    yield Buffer.from(rows.join(''));
  }
}

/** As the bench's store, with what happens at each report. */
function watching(
  store: TransferStore,
  onReport: (report: Parameters<TransferStore['report']>[3]) => Promise<void>,
): TransferStore {
  return {
    ...store,
    async report(claims, id, lease, report) {
      await onReport(report);
      return store.report(claims, id, lease, report);
    },
  };
}

describe('stopping and going on', () => {
  it('stops after the batch, and goes on from there', async () => {
    const claims = await bench.addTenant(company, contact);
    let transfer: Transfer | null = null;
    const stopping = bench.service({
      store: watching(bench.store, async ({ rows }) => {
        if (rows === 2_000 && transfer) await service.stop(claims, transfer.id);
      }),
    });
    transfer = await stopping.startImport(claims, { entity: 'contact', format: 'CSV' });
    await put(stopping, claims, transfer, manyContacts(5_000));
    expect(await ended(service, claims, transfer)).toMatchObject({
      status: 'STOPPED',
      rows: 2_000,
      counts: { created: 2_000 },
    });
    await expect(put(service, claims, transfer, bytesOf('email\n'))).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    await service.resume(claims, transfer.id, {});
    expect(await ended(service, claims, transfer)).toMatchObject({
      status: 'DONE',
      rows: 5_000,
      counts: { created: 5_000, failed: 0 },
    });
    expect(new Set(await emails(claims)).size).toBe(5_000);
  });

  it('stops one that waits for its file at once', async () => {
    const claims = await bench.addTenant(company, contact);
    const transfer = await service.startImport(claims, { entity: 'contact', format: 'CSV' });
    expect(await service.stop(claims, transfer.id)).toMatchObject({ status: 'STOPPED' });
    await expect(service.resume(claims, transfer.id, {})).rejects.toMatchObject({ code: 'CONFLICT' });
    await put(service, claims, transfer, bytesOf('email\na@example.com\n'));
    await service.resume(claims, transfer.id, {});
    expect(await ended(service, claims, transfer)).toMatchObject({ status: 'DONE', counts: { created: 1 } });
  });

  it('gives way to other tenants again and again, and loses nothing by it', async () => {
    const order: string[] = [];
    const shared = bench.service({
      ...{ maxRunning: 1, sliceMs: 0 },
      store: {
        ...bench.store,
        async report(claims, id, lease, report) {
          order.push(id);
          return bench.store.report(claims, id, lease, report);
        },
      },
    });
    const [one, other] = [await bench.addTenant(company, contact), await bench.addTenant(company, contact)];
    const start = async (claims: TenantClaims) => {
      const transfer = await shared.startImport(claims, { format: 'CSV' });
      await put(shared, claims, transfer, manyContacts(4_000));
      return transfer;
    };
    const [first, second] = [await start(one), await start(other)];
    await shared.resume(one, first.id, { entity: 'contact' });
    await shared.resume(other, second.id, { entity: 'contact' });
    for (const [claims, transfer] of [
      [one, first],
      [other, second],
    ] as const) {
      expect(await ended(shared, claims, transfer)).toMatchObject({
        status: 'DONE',
        rows: 4_000,
        counts: { created: 4_000, failed: 0 },
      });
      expect(new Set(await emails(claims)).size).toBe(4_000);
    }
    const turns = order.filter((id, index) => id !== order[index - 1]);
    expect(turns.length).toBeGreaterThan(4);
  });

  it('leaves what it runs to the next process when it goes down', async () => {
    const claims = await bench.addTenant(company, contact);
    const reached = Promise.withResolvers<void>();
    const going = bench.service({
      store: watching(bench.store, async ({ rows }) => {
        if (rows === 2_000) reached.resolve();
      }),
    });
    const transfer = await going.startImport(claims, { entity: 'contact', format: 'CSV' });
    await put(going, claims, transfer, manyContacts(20_000));
    await reached.promise;
    await going[Symbol.asyncDispose]();
    expect(await service.find(claims, transfer.id)).toMatchObject({ status: 'PENDING' });
    await using next = bench.service();
    next.runner.start();
    expect(await ended(next, claims, transfer)).toMatchObject({
      status: 'DONE',
      counts: { created: 20_000, failed: 0 },
    });
    expect(new Set(await emails(claims)).size).toBe(20_000);
  });
});

describe('a process that dies', () => {
  it('between writing a batch and noting it down doubles nothing', async () => {
    const claims = await bench.addTenant(company, contact);
    const died = Promise.withResolvers<void>();
    const afterlife = Promise.withResolvers<void>();
    const dying = bench.service({
      store: {
        ...watching(bench.store, async ({ rows }) => {
          if (rows < 2_000) return;
          died.resolve();
          await afterlife.promise;
          throw new Error('dead');
        }),
      },
    });
    const transfer = await dying.startImport(claims, { entity: 'contact', format: 'CSV' });
    await put(dying, claims, transfer, manyContacts(3_500));
    await died.promise;
    expect(await bench.all(claims, 'contact')).toHaveLength(2_000);
    expect(await service.find(claims, transfer.id)).toMatchObject({ status: 'RUNNING', rows: 1_000 });
    // One of the records is deleted before anybody goes on: it must not come back.
    const [, , lost] = (await bench.all(claims, 'contact')).slice(1_000);
    const model = await bench.definitions.load(claims);
    const entity = model.entityByName.get('contact');
    if (!lost || !entity) throw new Error('nothing was written');
    await bench.records.delete({ claims, model, requestId: 'test' }, entity, lost.id);

    // Its lease runs out.
    await bench.sql("update transfers set lease_until = now() - interval '1 second' where id = $1", [
      transfer.id,
    ]);
    service.runner.wake(claims.tenantId, transfer.id);
    expect(await ended(service, claims, transfer)).toMatchObject({
      status: 'DONE',
      rows: 3_500,
      counts: { created: 3_500, failed: 0 },
    });
    expect(new Set(await emails(claims)).size).toBe(3_499);
    afterlife.resolve();
    await dying.runner.idle();
    expect(await service.find(claims, transfer.id)).toMatchObject({ status: 'DONE' });
  });

  it('killed for real, is gone on with by the next, once for each row and in order', {
    timeout: 120_000,
  }, async () => {
    const claims = await bench.addTenant(company, contact);
    const total = 30_000;
    const transfer = await service.startImport(claims, { format: 'CSV', fileName: 'contacts.csv' });
    await put(service, claims, transfer, manyContacts(total));
    await bench.store.request(claims, (await service.find(claims, transfer.id)) as Transfer, {
      entity: 'contact',
      settings: {},
      startsOver: false,
    });
    const [row] = await bench.sql<{ name: string }>('select current_database() as name');
    const child = spawn(process.execPath, [new URL('import-process.ts', import.meta.url).pathname], {
      env: {
        ...process.env,
        IMPORT_DATABASE: row?.name,
        IMPORT_FOLDER: bench.folder,
        IMPORT_TENANT: claims.tenantId,
        IMPORT_TRANSFER: transfer.id,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    // It says when it noted down its first batches; the kill falls wherever it is then.
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    const [left] = await bench.sql<{ rows: number; status: string }>(
      'select row_count::int as rows, status from transfers where id = $1',
      [transfer.id],
    );
    expect(left?.status).toBe('RUNNING');
    expect(left?.rows).toBeGreaterThan(0);
    expect(left?.rows).toBeLessThan(total);

    await bench.sql("update transfers set lease_until = now() - interval '1 second' where id = $1", [
      transfer.id,
    ]);
    await using next = bench.service();
    next.runner.start();
    expect(await ended(next, claims, transfer)).toMatchObject({
      status: 'DONE',
      rows: total,
      counts: { created: total, failed: 0 },
    });
    expect(await emails(claims)).toEqual(
      Array.from({ length: total }, (_, index) => `user${index}@example.com`),
    );
  });

  it('again and again over the same transfer is given up', async () => {
    const claims = await bench.addTenant(company, contact);
    const transfer = await service.startImport(claims, { format: 'CSV' });
    await put(service, claims, transfer, bytesOf('email\na@example.com\n'));
    await bench.sql('update transfers set attempts = 5 where id = $1', [transfer.id]);
    await bench.sql("update transfers set requested_at = now(), entity = 'contact' where id = $1", [
      transfer.id,
    ]);
    service.runner.wake(claims.tenantId, transfer.id);
    expect(await ended(service, claims, transfer)).toMatchObject({ status: 'FAILED' });
  });

  it('is not believed when it comes back after another took over', async () => {
    const claims = await bench.addTenant(company, contact);
    const reached = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const slow = bench.service({
      store: watching(bench.store, async ({ rows }) => {
        if (rows !== 1_000) return;
        reached.resolve();
        await release.promise;
      }),
    });
    const transfer = await slow.startImport(claims, { entity: 'contact', format: 'CSV' });
    await put(slow, claims, transfer, manyContacts(2_500));
    await reached.promise;
    await bench.sql("update transfers set lease_until = now() - interval '1 second' where id = $1", [
      transfer.id,
    ]);
    service.runner.wake(claims.tenantId, transfer.id);
    expect(await ended(service, claims, transfer)).toMatchObject({
      status: 'DONE',
      counts: { created: 2_500 },
    });
    release.resolve();
    await slow.runner.idle();
    expect(await service.find(claims, transfer.id)).toMatchObject({
      status: 'DONE',
      rows: 2_500,
      counts: { created: 2_500 },
    });
    expect(await bench.all(claims, 'contact')).toHaveLength(2_500);
  });
});

it('imports 100,000 rows in bounded memory', { timeout: 180_000 }, async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const claims = await bench.addTenant(company, contact);
  const heaps: number[] = [];
  const measured = bench.service({
    store: watching(bench.store, async ({ rows }) => {
      if (rows % 10_000 !== 0) return;
      collectGarbage();
      heaps.push(process.memoryUsage().heapUsed / 1024 ** 2);
    }),
  });
  const transfer = await measured.startImport(claims, { entity: 'contact', format: 'CSV' });
  await put(measured, claims, transfer, manyContacts(100_000));
  expect(await ended(measured, claims, transfer)).toMatchObject({
    status: 'DONE',
    rows: 100_000,
    counts: { created: 100_000 },
  });
  expect(heaps).toHaveLength(10);
  // The rows are some 60 MB as objects; 10 is room for what the process keeps of its own.
  expect(Math.max(...heaps.slice(2)) - (heaps[1] ?? 0)).toBeLessThan(10);
});
