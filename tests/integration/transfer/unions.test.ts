/** Relations to one of several entities, and to many, in files: exported, imported, and moved to another tenant. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { StoredRecord } from '#subgraphs/entities/store/record-store.ts';
import type { TransferService } from '#subgraphs/entities/transfer/service.ts';
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

async function makeTenant(): Promise<TenantClaims> {
  const claims = await bench.addTenant(
    { name: 'client', fields: [{ name: 'name', type: 'TEXT', isUnique: true }] },
    { name: 'project', fields: [{ name: 'name', type: 'TEXT' }] },
    { name: 'tag', fields: [{ name: 'name', type: 'TEXT' }] },
    {
      name: 'activity',
      pluralName: 'activities',
      fields: [
        { name: 'label', type: 'TEXT', isUnique: true, isRequired: true },
        { name: 'subject', type: 'RELATION', targetEntities: ['client', 'project'] },
        { name: 'tags', type: 'MULTI_RELATION', targetEntity: 'tag' },
      ],
    },
  );
  // A circle: at an entity that is read earlier, and at itself.
  await bench.definitions.change({ claims, requestId: 'test' }, (draft) =>
    draft.createField('project', {
      name: 'origin',
      type: 'RELATION',
      targetEntities: ['activity', 'project'],
      inverseName: null,
    }),
  );
  const model = await bench.definitions.load(claims);
  const create = (name: string, inputs: Record<string, unknown>[]): Promise<StoredRecord[]> => {
    const entity = model.entityByName.get(name);
    if (!entity) throw new Error(`no entity ${name}`);
    return bench.records.create({ claims, model, requestId: 'test' }, entity, inputs);
  };
  const [client] = await create('client', [{ name: 'C' }]);
  const [project] = await create('project', [{ name: 'P' }]);
  const tags = await create('tag', [{ name: 'T1' }, { name: 'T2' }]);
  const [first] = await create('activity', [
    {
      label: 'a1',
      subjectId: client?.id,
      subjectType: 'CLIENT',
      tags: tags.map((tag) => tag.id),
    },
    { label: 'a2', subjectId: project?.id, subjectType: 'PROJECT', tags: [tags[0]?.id] },
    { label: 'a3' },
  ]);
  await create('project', [
    { name: 'From activity', originId: first?.id, originType: 'ACTIVITY' },
    { name: 'From project', originId: project?.id, originType: 'PROJECT' },
  ]);
  return claims;
}

const byName = (a: StoredRecord['data'], b: StoredRecord['data']): number =>
  String(a.name ?? a.label) < String(b.name ?? b.label) ? -1 : 1;

/** Everything, with names in place of ids. */
async function contentOf(claims: TenantClaims): Promise<unknown> {
  const model = await bench.definitions.load(claims);
  const names = new Map<string, string>(model.entities.map((entity) => [entity.id, entity.name]));
  const all = new Map<string, StoredRecord[]>();
  for (const { name } of model.entities) {
    const records = await bench.all(claims, name);
    all.set(name, records);
    for (const { id, data } of records) names.set(id, String(data.name ?? data.label));
  }
  const text = JSON.stringify(
    [...all].map(([name, records]) => [name, records.map(({ data }) => data).toSorted(byName)]),
  );
  const named = text.replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, (id) => names.get(id) ?? id);
  // Lists of ids are in the ids' order, which is another one in each tenant.
  return JSON.parse(named, (_key, value: unknown) =>
    Array.isArray(value) && value.every((item) => typeof item === 'string') ? value.toSorted() : value,
  );
}

it('move with the whole tenant, in circles too, under ids of their own', async () => {
  const from = await makeTenant();
  const exported = await service.startTenant(from, 'EXPORT');
  expect(await ended(service, from, exported)).toMatchObject({ status: 'DONE', failure: null });
  const file = await download(service, from, exported);

  const to = await bench.addTenant();
  const imported = await service.startTenant(to, 'IMPORT');
  await put(service, to, imported, bytesOf(file));
  expect(await ended(service, to, imported)).toMatchObject({
    status: 'DONE',
    counts: { created: 9, failed: 0 },
  });
  const content = await contentOf(to);
  expect(content).toEqual(await contentOf(from));
  expect(JSON.stringify(content)).toContain('"subject":"project/P"');
  expect(JSON.stringify(content)).toContain('"origin":"activity/a1"');
});

it.each(['CSV', 'JSON', 'NDJSON'] as const)('come back from %s as they were', async (format) => {
  const claims = await makeTenant();
  const before = await contentOf(claims);
  const exported = await service.startExport(claims, { entity: 'activity', format });
  expect(await ended(service, claims, exported)).toMatchObject({ status: 'DONE', failure: null });
  const file = (await download(service, claims, exported)).toString();
  if (format === 'CSV') expect(file.split('\r\n')[0]).toBe('id,label,subjectType,subjectId,tags');

  // Everything is cleared, then upserted from the file.
  const model = await bench.definitions.load(claims);
  const activity = model.entityByName.get('activity');
  if (!activity) throw new Error('no activity');
  for (const { id } of await bench.all(claims, 'activity')) {
    const context = { claims, model, requestId: 'test' };
    await bench.records.update(context, activity, id, { subjectId: null, tags: [] });
  }
  expect(await contentOf(claims)).not.toEqual(before);
  const imported = await service.startImport(claims, {
    entity: 'activity',
    format,
    mode: 'UPSERT',
    upsertOn: 'label',
  });
  await put(service, claims, imported, bytesOf(file));
  expect(await ended(service, claims, imported)).toMatchObject({
    status: 'DONE',
    counts: { updated: 3, created: 0, failed: 0 },
  });
  expect(await contentOf(claims)).toEqual(before);
});

it('are told by row and column where they are wrong', async () => {
  const claims = await makeTenant();
  const [client] = await bench.all(claims, 'client');
  const [tag] = await bench.all(claims, 'tag');
  const unknown = crypto.randomUUID();
  const imported = await service.startImport(claims, { entity: 'activity', format: 'CSV' });
  const text = [
    'label,subjectType,subjectId,tags',
    `good,client,${client?.id},${tag?.id}`,
    `b1,TAG,${tag?.id},`,
    `b2,CLIENT,,`,
    `b3,PROJECT,${client?.id},`,
    `b4,,,${tag?.id};${unknown}`,
    `b5,,,nonsense`,
  ].join('\n');
  await put(service, claims, imported, bytesOf(text));
  const transfer = await ended(service, claims, imported);
  expect(transfer).toMatchObject({ status: 'DONE', counts: { created: 1, failed: 5 } });
  const errors = await service.errors(claims, transfer, 100);
  expect(errors.map(({ line, column, rule }) => [line, column, rule])).toEqual([
    [3, 'subjectType', 'option'],
    [4, 'subjectId', 'required'],
    [5, 'subjectId', 'relation'],
    [6, 'tags', 'relation'],
    [7, 'tags', 'relation'],
  ]);
});
