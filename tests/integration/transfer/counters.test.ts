/** Imports take numbers of sequences and the hour's allowance as other writes do; a whole tenant that is brought back does not. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CreateEntityInput } from '#subgraphs/entities/definitions/definition-input.ts';
import type { TransferService } from '#subgraphs/entities/transfer/service.ts';
import type { Transfer } from '#subgraphs/entities/transfer/transfer.ts';
import type { StartImportInput } from '#subgraphs/entities/transfer/transfer-input.ts';
import {
  bytesOf,
  createTransferBench,
  download,
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

const ticket: CreateEntityInput = {
  name: 'ticket',
  fields: [
    { name: 'title', type: 'TEXT', isUnique: true },
    {
      name: 'number',
      type: 'TEXT',
      isRequired: true,
      isUnique: true,
      defaultFrom: { kind: 'SEQUENCE', prefix: 'T-', digits: 4 },
    },
    { name: 'owner', type: 'TEXT', defaultFrom: { kind: 'CURRENT_USER' } },
  ],
};

async function run(claims: TenantClaims, text: string, input: StartImportInput = {}): Promise<Transfer> {
  const transfer = await service.startImport(claims, { entity: 'ticket', format: 'CSV', ...input });
  await put(service, claims, transfer, bytesOf(text));
  return ended(service, claims, transfer);
}
const rows = (count: number): string =>
  `title\n${Array.from({ length: count }, (_, index) => `t${index}\n`).join('')}`;
const numbersOf = async (claims: TenantClaims): Promise<unknown[]> =>
  (await bench.all(claims, 'ticket'))
    .map(({ data }) => data.number)
    .toSorted((a, b) => (String(a) < String(b) ? -1 : 1));

it('numbers the rows of a file, after those that it gives', async () => {
  const claims = await bench.addTenant(ticket);
  const dry = await run(claims, 'title,number\na,\nb,T-0005\nc,\n', { dryRun: true });
  expect(dry.counts).toEqual({ created: 3, updated: 0, failed: 0 });
  await service.resume(claims, dry.id, {});
  await ended(service, claims, dry);
  expect(await numbersOf(claims)).toEqual(['T-0005', 'T-0006', 'T-0007']);
  const [first] = await bench.all(claims, 'ticket');
  expect(first?.data.owner).toBe(claims.actorId);
  await run(claims, 'title\na\nd\n', { mode: 'UPSERT', upsertOn: 'title' });
  expect(await numbersOf(claims)).toEqual(['T-0005', 'T-0006', 'T-0007', 'T-0008']);
});

it('goes on after the greatest number of a tenant that was brought back, which no limit holds up', async () => {
  const limits = { createsPerHour: 700 };
  const claims = await bench.addTenant({ ...ticket, limits });
  await run(claims, rows(700));
  const exported = await ended(service, claims, await service.startTenant(claims, 'EXPORT'));
  const file = await download(service, claims, exported);

  const other = await bench.addTenant();
  await bench.define(other, { ...ticket, limits: { createsPerHour: 10 } });
  const transfer = await service.startTenant(other, 'IMPORT');
  await put(service, other, transfer, bytesOf(file));
  expect(await ended(service, other, transfer)).toMatchObject({
    status: 'DONE',
    counts: { created: 700, failed: 0 },
  });
  await run(other, 'title\nnew\n');
  expect((await numbersOf(other)).at(-1)).toBe('T-0701');
});

it('ends where the limit of the entity is reached, and goes on after the hour', async () => {
  const claims = await bench.addTenant({ ...ticket, limits: { createsPerHour: 600 } });
  for (const input of [{}, { mode: 'UPSERT', upsertOn: 'title' }] as const) {
    await bench.sql('delete from entity_creations where tenant_id = $1', [claims.tenantId]);
    const start = await numbersOf(claims);
    const text = rows(700).replaceAll('\nt', `\n${start.length}-`);
    const transfer = await run(claims, text, input);
    expect(transfer).toMatchObject({ status: 'FAILED', failure: { code: 'RATE_LIMITED' } });
    expect(await numbersOf(claims)).toHaveLength(start.length + 600);
    await bench.sql(
      `update entity_creations set period_start = period_start - interval '1 hour' where tenant_id = $1`,
      [claims.tenantId],
    );
    await service.resume(claims, transfer.id, {});
    expect(await ended(service, claims, transfer)).toMatchObject({
      status: 'DONE',
      failure: null,
      rows: 700,
    });
    expect(await numbersOf(claims)).toHaveLength(start.length + 700);
  }
});
