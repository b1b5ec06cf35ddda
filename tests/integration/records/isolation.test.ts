/** Two tenants with the same definitions: nothing of one is ever in an answer to the other, whatever ids are tried. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DomainError } from '#schema/errors.ts';
import type { StoredRecord } from '#subgraphs/entities/store/record-store.ts';
import { createRandom, randomEntities, randomFilter, randomOrder } from './list-cases.ts';
import { codeOf, createRecordBench } from './record-bench.ts';
import type { RecordBench, TestTenant } from './record-bench.ts';

let bench: RecordBench;
let own: TestTenant;
let foreign: TestTenant;
let ownRecords: Record<'item' | 'group', StoredRecord[]>;
let foreignRecords: Record<'item' | 'group', StoredRecord[]>;
const specs = randomEntities(createRandom(1));

beforeAll(async () => {
  bench = await createRecordBench();
  [own, foreign] = [await bench.addTenant(specs), await bench.addTenant(specs)];
  ownRecords = await populate(own);
  foreignRecords = await populate(foreign);
});
afterAll(() => bench[Symbol.asyncDispose]());

async function populate(tenant: TestTenant): Promise<Record<'item' | 'group', StoredRecord[]>> {
  const group = await bench.store.create(tenant.context, tenant.entity('group'), [
    { name: 'one' },
    { name: 'two' },
  ]);
  const inputs = group.map((record) => ({ title: 'same', groupId: record.id }));
  return { group, item: await bench.store.create(tenant.context, tenant.entity('item'), inputs) };
}

const unknown = '01a1fc21-c4b6-77d3-bc5c-c1ee294a5fdd';

describe("another tenant's id", () => {
  it('is exactly as unknown as one that never was', async () => {
    const { store } = bench;
    const item = own.entity('item');
    const outcome = (promise: Promise<unknown>, id: string): Promise<string> =>
      promise.then(
        (value) => JSON.stringify(value),
        (error: unknown) =>
          (error instanceof DomainError
            ? JSON.stringify([error.message, error.extensions])
            : String(error)
          ).replaceAll(id, 'ID'),
      );
    const mine = ownRecords.item[0] as StoredRecord;
    const tries: ((id: string) => Promise<unknown>)[] = [
      (id) => store.findMany(own.context, item, [id]),
      (id) => store.update(own.context, item, id, { title: 'taken' }),
      (id) => store.update(own.context, item, mine.id, { groupId: id }),
      (id) => store.update(own.context, item, mine.id, { parentId: id }),
      (id) => store.create(own.context, item, [{ title: 'x', groupId: id }]),
      (id) => store.delete(own.context, item, id),
      (id) => store.restore(own.context, item, id),
      (id) => store.list(own.context, { entity: item, filter: { id: { eq: id } } }),
      (id) => store.list(own.context, { entity: item, filter: { group: { id: { eq: id } } } }),
      (id) => store.list(own.context, { entity: item, filter: { groupId: { in: [id] } } }),
      (id) =>
        store.listInverse(own.context, {
          entity: item,
          relationFieldId: item.fields.find((field) => field.name === 'group')?.id as string,
          parentIds: [id],
        }),
    ];
    for (const [i, attempt] of tries.entries()) {
      const expected = await outcome(attempt(unknown), unknown);
      for (const id of [...foreignRecords.item, ...foreignRecords.group].map((record) => record.id)) {
        expect(await outcome(attempt(id), id), `attempt ${i}`).toBe(expected);
      }
    }
    const untouched = await store.findMany(
      foreign.context,
      foreign.entity('item'),
      foreignRecords.item.map((record) => record.id),
    );
    expect(untouched).toEqual(foreignRecords.item);
  });

  it("finds nothing with the other tenant's definitions in hand either", async () => {
    // A program that mixed up two tenants' models: the claims decide.
    const mixed = { ...own.context, model: foreign.context.model };
    const item = foreign.entity('item');
    expect((await bench.store.list(mixed, { entity: item })).edges).toEqual([]);
    expect(await bench.store.count(mixed, { entity: item })).toBe(0);
    expect(
      await bench.store.findMany(
        mixed,
        item,
        foreignRecords.item.map((record) => record.id),
      ),
    ).toEqual([null, null]);
    await expect(bench.store.create(mixed, item, [{ title: 'x' }])).rejects.toThrow();
    // The right model, and an entity of the other's.
    expect(await codeOf(bench.store.create(own.context, item, [{ title: 'x' }]))).toBe('NOT_FOUND');
    expect((await bench.store.list(own.context, { entity: item })).edges).toEqual([]);
  });

  it('never comes out of any filter or order', async () => {
    const random = createRandom(7);
    const foreignIds = new Set([...foreignRecords.item, ...foreignRecords.group].map((record) => record.id));
    const ids = {
      item: foreignRecords.item.map((record) => record.id),
      group: foreignRecords.group.map((record) => record.id),
    };
    for (let n = 0; n < 150; n++) {
      const name = random.pick(['item', 'group'] as const);
      const filter = randomFilter(random, specs, name, ids);
      const orderBy = randomOrder(random, specs, name);
      const page = await bench.store.list(own.context, {
        entity: own.entity(name),
        filter,
        orderBy,
        includeDeleted: true,
      });
      expect(
        page.edges.filter((edge) => foreignIds.has(edge.record.id)),
        JSON.stringify({ filter, orderBy }),
      ).toEqual([]);
    }
  });
});

describe('text out of definitions and input', () => {
  it('is never SQL', async () => {
    const evil = `x' or 1=1; drop table records; -- " \\ $1 %s`;
    const tenant = await bench.addTenant([
      {
        name: 'thing',
        pluralName: 'things',
        fields: [
          { name: 'a', key: evil, type: 'TEXT' },
          { name: 'b', key: "'", type: 'NUMBER' },
          {
            name: 'c',
            key: '"]}',
            type: 'MULTI_SELECT',
            options: [{ value: 'X', label: evil }],
            isSearchable: true,
          },
        ],
      },
    ]);
    const entity = tenant.entity('thing');
    const [record] = await bench.store.create(tenant.context, entity, [
      { a: evil, b: 1, c: ['X'] },
      { a: 'other', b: 2 },
    ]);
    const filter = {
      a: { eq: evil, startsWith: "x'", contains: ';', mode: 'INSENSITIVE' },
      b: { lt: 2 },
      c: { some: ['X'] },
    };
    const page = await bench.store.list(tenant.context, {
      entity,
      filter,
      orderBy: [{ a: 'DESC' }, { b: 'ASC' }],
      search: evil,
    });
    expect(page.edges.map((edge) => edge.record.id)).toEqual([record?.id]);
  });
});
