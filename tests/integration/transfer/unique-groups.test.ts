/** Imports into entities whose fields are unique together. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CreateEntityInput } from '#subgraphs/entities/definitions/definition-input.ts';
import type { TransferService } from '#subgraphs/entities/transfer/service.ts';
import type { Transfer } from '#subgraphs/entities/transfer/transfer.ts';
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

const project: CreateEntityInput = {
  name: 'project',
  fields: [{ name: 'code', type: 'TEXT', isUnique: true }],
};
const order: CreateEntityInput = {
  name: 'order',
  fields: [
    { name: 'number', type: 'INTEGER' },
    { name: 'title', type: 'TEXT' },
    { name: 'project', type: 'RELATION', targetEntity: 'project' },
  ],
  uniqueGroups: [{ name: 'projectAndNumber', fields: ['project', 'number'] }],
};

async function run(claims: TenantClaims, text: string, input: StartImportInput = {}): Promise<Transfer> {
  const transfer = await service.startImport(claims, { entity: 'order', format: 'CSV', ...input });
  await put(service, claims, transfer, bytesOf(text));
  return ended(service, claims, transfer);
}

it('upserts by a group, of which a member may be found through a relation', async () => {
  const claims = await bench.addTenant(project, order);
  await run(claims, 'code\nA\nB\n', { entity: 'project' });
  const header = 'project.code,number,title\n';
  await run(claims, `${header}A,1,a1\nB,1,b1\n`);
  const upsert: StartImportInput = { mode: 'UPSERT', upsertOn: 'projectAndNumber' };
  const file = `${header}A,1,changed\nA,2,a2\nA,2,last\nB,,none\n`;
  const dry = await run(claims, file, { ...upsert, dryRun: true });
  expect(dry.counts).toMatchObject({ updated: 1, failed: 1 });
  const transfer = await run(claims, file, upsert);
  expect(transfer).toMatchObject({ status: 'DONE', counts: { created: 1, updated: 2, failed: 1 } });
  const [error] = await service.errors(claims, transfer, 10);
  expect(error).toMatchObject({ row: 4, field: 'number', rule: 'required' });
  const orders = await bench.all(claims, 'order');
  expect(orders.map(({ data }) => data.title)).toEqual(['a1', 'b1', 'last'].with(0, 'changed'));
});

it('reports rows whose values together are taken, by a record or an earlier row', async () => {
  const claims = await bench.addTenant(project, order);
  await run(claims, 'code\nA\n', { entity: 'project' });
  await run(claims, 'project.code,number\nA,1\n');
  const file = 'project.code,number\nA,1\nA,2\nA,2\n,1\n,1\n';
  for (const dryRun of [true, false]) {
    const transfer = await run(claims, file, { dryRun });
    expect(transfer.counts).toEqual({ created: 3, updated: 0, failed: 2 });
    const errors = await service.errors(claims, transfer, 10);
    expect(errors.map(({ row, field, rule }) => [row, field, rule])).toEqual([
      [1, 'projectId', 'unique'],
      [1, 'number', 'unique'],
      [3, 'projectId', 'unique'],
      [3, 'number', 'unique'],
    ]);
  }
});
