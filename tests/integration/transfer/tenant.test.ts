/** A whole tenant, brought into another: definitions, records, relations in circles, users. */
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CreateEntityInput } from '#subgraphs/entities/definitions/definition-input.ts';
import { showPermissions } from '#subgraphs/model/permissions/shown-permissions.ts';
import type { StoredRecord } from '#subgraphs/entities/store/record-store.ts';
import type { TransferService } from '#subgraphs/entities/transfer/service.ts';
import type { Person, TenantPeople } from '#subgraphs/entities/transfer/tenant/people.ts';
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

let bench: TransferBench;
let service: TransferService;
/** By tenant, as the tenants subgraph would keep them. */
const people = new Map<string, Person[]>();
const seats = 3;

const fakePeople: TenantPeople = {
  async *list(claims) {
    yield people.get(claims.tenantId ?? '') ?? [];
  },
  async add(claims, _requestId, person) {
    const list = people.get(claims.tenantId ?? '') ?? [];
    if (list.length >= seats) return { id: null, reason: 'no seat is left' };
    const id = crypto.randomUUID();
    people.set(claims.tenantId ?? '', [...list, { ...person, id }]);
    return { id };
  },
};

beforeAll(async () => {
  bench = await createTransferBench();
  service = bench.service({ people: fakePeople });
});
afterAll(() => bench[Symbol.asyncDispose]());

const entities: CreateEntityInput[] = [
  {
    name: 'person',
    pluralName: 'people',
    label: 'Person',
    fields: [
      { name: 'name', type: 'TEXT', isRequired: true, validation: { maxLength: 50 } },
      { name: 'boss', type: 'RELATION', targetEntity: 'person', inverseName: 'team' },
      { name: 'tags', type: 'MULTI_SELECT', options: [{ value: 'A', label: 'The a' }, { value: 'B' }] },
      { name: 'doc', type: 'JSON' },
      { name: 'born', type: 'DATE' },
      { name: 'pay', type: 'NUMBER', defaultValue: 1 },
    ],
  },
  {
    name: 'order1',
    pluralName: 'orders1',
    fields: [
      { name: 'code', type: 'TEXT', isUnique: true, isRequired: true },
      { name: 'person', type: 'RELATION', targetEntity: 'person', isRequired: true, onDelete: 'CASCADE' },
      { name: 'helpers', type: 'MULTI_RELATION', targetEntity: 'person', inverseName: null },
    ],
  },
];

async function makeTenant(): Promise<TenantClaims> {
  const claims = await bench.addTenant(...entities);
  // A circle of two entities: closed afterwards.
  await bench.definitions.change({ claims, requestId: 'test' }, (draft) =>
    draft.createField('person', {
      name: 'favourite',
      type: 'RELATION',
      targetEntity: 'order1',
      inverseName: null,
    }),
  );
  const model = await bench.definitions.load(claims);
  const context = { claims, model, requestId: 'test' };
  const [person, order] = [model.entityByName.get('person')!, model.entityByName.get('order1')!];
  const colleague = { ...claims, actorId: crypto.randomUUID() };
  people.set(claims.tenantId, [
    { id: claims.actorId ?? '', email: 'Boss@example.com', name: 'Boss', role: 'ADMIN' },
    { id: colleague.actorId, email: 'col@example.com', name: null, role: 'USER' },
  ]);
  const made: StoredRecord[] = [];
  for (let index = 0; index < 1_200; index += 400) {
    const inputs = Array.from({ length: 400 }, (_, i) => ({
      name: `P${index + i}`,
      tags: ['B', 'A'],
      doc: { 'ü\n': [index + i, null] },
      born: '1815-12-10',
      pay: i % 2 ? 0.1 : null,
      bossId: made[i]?.id ?? null,
    }));
    made.push(
      ...(await bench.records.create(
        index === 0 ? context : { ...context, claims: colleague },
        person,
        inputs,
      )),
    );
  }
  const orders = await bench.records.create(
    context,
    order,
    made.slice(0, 10).map(({ id }, i) => ({
      code: `O-${i}`,
      personId: id,
      helpers: made.slice(i, i + 3).map((one) => one.id),
    })),
  );
  await bench.records.update(context, person, made[0]!.id, {
    bossId: made[1]!.id,
    favouriteId: orders[3]!.id,
  });
  await bench.records.delete(context, person, made[1_199]!.id);
  return claims;
}

async function exportOf(claims: TenantClaims): Promise<Buffer> {
  const transfer = await service.startTenant(claims, 'EXPORT');
  expect(await ended(service, claims, transfer)).toMatchObject({ status: 'DONE', failure: null });
  return download(service, claims, transfer);
}

async function bring(claims: TenantClaims, content: Uint8Array | string, using = service): Promise<Transfer> {
  const transfer = await using.startTenant(claims, 'IMPORT');
  await put(using, claims, transfer, bytesOf(content));
  return ended(using, claims, transfer);
}

const compareText = (a: unknown, b: unknown): number => String(a).localeCompare(String(b));

/** What a tenant has, with names instead of ids. */
async function contentOf(claims: TenantClaims): Promise<unknown> {
  const names = new Map<string, string>();
  const all = new Map<string, StoredRecord[]>();
  for (const entity of ['person', 'order1']) {
    const records = await bench.all(claims, entity);
    all.set(entity, records);
    for (const record of records) names.set(record.id, String(record.data.name ?? record.data.code));
  }
  const emails = new Map(
    (people.get(claims.tenantId) ?? []).map((person) => [person.id, person.email.toLowerCase()]),
  );
  return Object.fromEntries(
    [...all].map(([entity, records]) => [
      entity,
      records
        .map(({ data, createdAt, createdBy }) => ({
          ...Object.fromEntries(
            Object.entries(data).map(([key, value]) => [
              key,
              Array.isArray(value)
                ? value.map((item) => names.get(item as string) ?? item).toSorted(compareText)
                : (names.get(value as string) ?? value),
            ]),
          ),
          createdAt,
          createdBy: emails.get(createdBy ?? '') ?? createdBy,
        }))
        .toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b))),
    ]),
  );
}

it('arrives whole, under ids of its own, and twice is two of each', async () => {
  const from = await makeTenant();
  const file = await exportOf(from);
  const text = gunzipSync(file).toString();
  expect(text).not.toMatch(/password|hash|slot/i);

  const to = await bench.addTenant();
  people.set(to.tenantId, [
    { id: crypto.randomUUID(), email: 'boss@EXAMPLE.com', name: null, role: 'ADMIN' },
  ]);
  const transfer = await bring(to, file);
  expect(transfer).toMatchObject({ status: 'DONE', counts: { created: 1_209, failed: 0 }, errorCount: 0 });
  expect(await contentOf(to)).toEqual(await contentOf(from));
  expect(people.get(to.tenantId)?.map((person) => person.email)).toEqual([
    'boss@EXAMPLE.com',
    'col@example.com',
  ]);
  const ids = new Set((await bench.all(from, 'person')).map((record) => record.id));
  expect((await bench.all(to, 'person')).some((record) => ids.has(record.id))).toBe(false);

  const describe_ = async (claims: TenantClaims) =>
    (await bench.definitions.load(claims)).entities.map(({ id: _, fields, ...entity }) => ({
      ...entity,
      fields: fields.map(({ id: _id, entityId: _e, targetEntityId: _t, slot: _s, ...field }) => field),
    }));
  expect(await describe_(to)).toEqual(await describe_(from));

  // Once more: unique values are taken, everything else comes again.
  const again = await bring(to, file);
  expect(again).toMatchObject({ status: 'DONE', counts: { created: 1_199, failed: 21 } });
});

it('brings what roles may do, and leaves it to an entity that is there', async () => {
  const from = await bench.addTenant(...entities);
  const permission = {
    role: 'USER',
    operations: ['READ', 'UPDATE'],
    readableFields: ['code', 'person'],
    writableFields: ['code'],
    rowFilter: { person: { team: { some: { name: { eq: 'x' } } } }, createdBy: { eq: '$me' } },
  } as const;
  await bench.definitions.change({ claims: from, requestId: 'test' }, (draft) => {
    draft.setPermissions('order1', [permission]);
    draft.setPermissions('person', [{ role: 'VIEWER', operations: [] }]);
  });
  const file = await exportOf(from);

  const to = await bench.addTenant(entities[0]!);
  expect(await bring(to, file)).toMatchObject({ status: 'DONE', errorCount: 0 });
  const model = await bench.definitions.load(to);
  const shown = (name: string) => showPermissions(model, model.entityByName.get(name)!);
  expect(shown('order1')).toEqual([permission]);
  expect(shown('person')).toEqual([]);
});

it('brings inactive entities and fields with their values, and leaves them inactive', async () => {
  const from = await makeTenant();
  const set = (claims: TenantClaims, isActive: boolean) =>
    bench.definitions.change({ claims, requestId: 'test' }, (draft) => {
      draft.updateField('person', 'tags', { isActive });
      draft.updateEntity('order1', { isActive });
    });
  await set(from, false);
  const file = await exportOf(from);
  const to = await bench.addTenant();
  people.set(to.tenantId, []);
  expect(await bring(to, file)).toMatchObject({ status: 'DONE', counts: { created: 1_209, failed: 0 } });
  const model = await bench.definitions.load(to);
  expect(model.entities.map((entity) => entity.name)).toEqual(['person']);
  expect(model.entities[0]?.inactiveFields.map((field) => field.name)).toContain('tags');
  await set(from, true);
  await set(to, true);
  expect(await contentOf(to)).toEqual(await contentOf(from));
});

it('goes on where a process died', async () => {
  const from = await makeTenant();
  const file = await exportOf(from);
  const to = await bench.addTenant();
  const died = Promise.withResolvers<void>();
  const afterlife = Promise.withResolvers<void>();
  const dying = bench.service({
    people: fakePeople,
    store: {
      ...bench.store,
      async report(claims, id, lease, report) {
        if (report.rows >= 1_000) {
          died.resolve();
          await afterlife.promise;
          throw new Error('dead');
        }
        return bench.store.report(claims, id, lease, report);
      },
    },
  });
  const transfer = await dying.startTenant(to, 'IMPORT');
  await put(dying, to, transfer, bytesOf(file));
  await died.promise;
  await bench.sql("update transfers set lease_until = now() - interval '1 second' where id = $1", [
    transfer.id,
  ]);
  service.runner.wake(to.tenantId, transfer.id);
  expect(await ended(service, to, transfer)).toMatchObject({
    status: 'DONE',
    counts: { created: 1_209, failed: 0 },
  });
  expect(await contentOf(to)).toEqual(await contentOf(from));
  afterlife.resolve();
  await dying.runner.idle();
});

it('leaves out who finds no seat, and says so', async () => {
  const from = await makeTenant();
  const file = await exportOf(from);
  const to = await bench.addTenant();
  people.set(
    to.tenantId,
    Array.from({ length: seats }, (_, i) => ({
      id: crypto.randomUUID(),
      email: `x${i}@example.com`,
      name: null,
      role: 'USER' as const,
    })),
  );
  const transfer = await bring(to, file);
  expect(transfer).toMatchObject({ status: 'DONE', counts: { created: 1_209, failed: 0 }, errorCount: 2 });
  expect((await service.errors(to, transfer, 10)).map((error) => error.message)).toEqual([
    'Boss@example.com: no seat is left',
    'col@example.com: no seat is left',
  ]);
  expect((await bench.all(to, 'order1')).every((record) => record.createdBy === null)).toBe(true);
});

describe('a file that cannot be right writes nothing', () => {
  const head = '{"kind":"TENANT","version":1,"exportedAt":"2026-11-21T00:00:00.000Z"}';
  const entity =
    '{"kind":"ENTITY","name":"thing","pluralName":"things","fields":[{"name":"a","type":"TEXT"}]}';
  it.each([
    ['cut off', `${head}\n${entity}\n`, 'end'],
    [
      'of other counts',
      `${head}\n${entity}\n{"kind":"END","entities":2,"people":0,"records":0,"links":0}\n`,
      'count',
    ],
    [
      'with more behind its end',
      `${head}\n{"kind":"END","entities":0,"people":0,"records":0,"links":0}\n${entity}\n`,
      'end',
    ],
    ['without a head', `${entity}\n`, 'head'],
    ['of another version', head.replace('1', '2'), 'line'],
    ['with a line that is none', `${head}\n{"kind":"DROP"}\n`, 'line'],
    ['of something else', 'id,name\n1,x\n', 'line'],
    ['empty', '', 'end'],
  ])('%s', async (_, text, rule) => {
    const claims = await bench.addTenant();
    expect(await bring(claims, gzipSync(text))).toMatchObject({
      status: 'FAILED',
      failure: { code: 'BAD_USER_INPUT', fields: [{ rule }] },
    });
    expect((await bench.definitions.load(claims)).entities).toEqual([]);
  });

  it('one whose definitions clash with those that are there', async () => {
    const claims = await bench.addTenant({ name: 'thing', fields: [{ name: 'a', type: 'NUMBER' }] });
    const text = `${head}\n${entity}\n{"kind":"END","entities":1,"people":0,"records":0,"links":0}\n`;
    expect(await bring(claims, text)).toMatchObject({ status: 'FAILED', failure: { code: 'CONFLICT' } });
  });

  it('one that defines what is the platform’s own', async () => {
    const claims = await bench.addTenant();
    const text = `${head}\n${entity.replaceAll('thing', 'user')}\n{"kind":"END","entities":1,"people":0,"records":0,"links":0}\n`;
    expect(await bring(claims, text)).toMatchObject({ status: 'FAILED', failure: { code: 'CONFLICT' } });
  });
});
