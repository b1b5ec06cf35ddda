/** Lists against a plain in-memory model: random definitions, records, filters, orders and pages. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compilePredicate } from '#subgraphs/model/filter/predicate.ts';
import type { Page, StoredRecord } from '#subgraphs/entities/store/record-store.ts';
import { createRandom, randomEntities, randomFilter, randomOrder, randomValue } from './list-cases.ts';
import type { Ids, Random } from './list-cases.ts';
import { matches, sorted } from './list-model.ts';
import type { PlainRecord, World } from './list-model.ts';
import { createRecordBench } from './record-bench.ts';
import type { EntitySpec, RecordBench, TestTenant } from './record-bench.ts';

/** `TENANTRY_SEED` repeats one seed; the failing one stands in the test's name. */
const seeds = Array.from({ length: 20 }, (_, i) => 1_000 + i);
const casesOfSeed = 110;

let bench: RecordBench;
beforeAll(async () => {
  bench = await createRecordBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

interface Populated {
  tenant: TestTenant;
  entities: EntitySpec[];
  world: World;
  ids: Ids;
}

async function populate(random: Random): Promise<Populated> {
  const entities = randomEntities(random);
  const tenant = await bench.addTenant(entities);
  const world: World = new Map();
  const ids = { item: [] as string[], group: [] as string[] };
  const unions = [
    ['mentions', 'topic'],
    ['coveredBy', 'cover'],
  ];
  const takenBy = new Map<string, Set<string>>();
  const getTaken = (field: string): Set<string> => {
    const taken = takenBy.get(field) ?? new Set<string>();
    takenBy.set(field, taken);
    return taken;
  };
  const fieldsOf = (name: string) => (entities.find((entity) => entity.name === name) as EntitySpec).fields;
  const create = async (name: 'item' | 'group', inputs: Record<string, unknown>[]): Promise<void> => {
    const known = world.get(name)?.records ?? [];
    const created = await bench.store.create(tenant.context, tenant.entity(name), inputs);
    const records = created.map((record, i) =>
      toPlain(record, fieldsOf(name), inputs[i] as Record<string, unknown>),
    );
    ids[name].push(...records.map((record) => record.id));
    const inverses =
      name === 'item'
        ? [['children', 'parent'], ...unions]
        : [['items', 'group'], ['sitter', 'desk'], ...unions];
    world.set(name, {
      name,
      fields: fieldsOf(name).map(({ name: field, type, target, oneOf }) => ({
        name: field,
        type,
        ...(target ? { target } : {}),
        isUnion: oneOf !== undefined,
      })),
      inverses: inverses.map(([inverse, field]) => ({
        name: inverse as string,
        entity: 'item',
        field: field as string,
        isSingle: inverse === 'sitter' || inverse === 'coveredBy',
      })),
      records: [...known, ...records],
    });
  };
  const inputOf = (name: 'item' | 'group'): Record<string, unknown> =>
    Object.fromEntries(
      fieldsOf(name).flatMap((field): [string, unknown][] => {
        if (field.type !== 'RELATION') return [[field.name, randomValue(random, field)]];
        const target = field.oneOf
          ? random.pick(['item', 'group'] as const)
          : (field.target as 'item' | 'group');
        const taken = field.isUnique ? getTaken(field.name) : new Set<string>();
        const targets = ids[target].filter((id) => !taken.has(id));
        const id = targets.length === 0 || random.chance(0.3) ? null : random.pick(targets);
        if (id !== null) taken.add(id);
        const type: [string, unknown][] = field.oneOf
          ? [[`${field.name}Type`, id === null ? null : target.toUpperCase()]]
          : [];
        return [[`${field.name}Id`, id], ...type];
      }),
    );
  await create(
    'group',
    Array.from({ length: 6 }, () => inputOf('group')),
  );
  await create(
    'item',
    Array.from({ length: 20 }, () => inputOf('item')),
  );
  await create(
    'item',
    Array.from({ length: 25 }, () => inputOf('item')),
  );
  return { tenant, entities, world, ids };
}

function toPlain(
  record: StoredRecord,
  fields: EntitySpec['fields'],
  input: Record<string, unknown>,
): PlainRecord {
  const values = Object.fromEntries(
    fields.map((field) => {
      const value = input[field.type === 'RELATION' ? `${field.name}Id` : field.name] ?? null;
      const type = input[`${field.name}Type`];
      const isPointing = field.oneOf !== undefined && typeof type === 'string';
      return [field.name, isPointing ? { entity: type.toLowerCase(), id: value } : value];
    }),
  );
  return {
    id: record.id,
    version: 1,
    createdAt: record.createdAt,
    updatedAt: record.updatedAt,
    createdBy: record.createdBy,
    values,
  };
}

const idsOf = (page: Page): string[] => page.edges.map((edge) => edge.record.id);

describe('a list is what a plain filter and sort make of it', () => {
  for (const seed of process.env['TENANTRY_SEED'] ? [Number(process.env['TENANTRY_SEED'])] : seeds) {
    it(`${casesOfSeed} cases of seed ${seed}`, async () => {
      const random = createRandom(seed);
      const { tenant, entities, world, ids } = await populate(random);
      for (let n = 0; n < casesOfSeed; n++) {
        const name = random.chance(0.85) ? 'item' : 'group';
        const entity = tenant.entity(name);
        const filter = randomFilter(random, entities, name, ids);
        const orderBy = randomOrder(random, entities, name);
        const records = world.get(name)?.records as PlainRecord[];
        const chosen = records.filter((record) => matches(world, name, record, filter));
        const expected = sorted(world, name, chosen, orderBy).map((record) => record.id);
        const what = `seed ${seed}, case ${n}: ${JSON.stringify({ name, filter, orderBy })}`;
        const request = { entity, filter, orderBy };
        const list = (page: object): Promise<Page> =>
          bench.store.list(tenant.context, { ...request, ...page });

        expect(idsOf(await list({ first: 1000 })), what).toEqual(expected);
        const size = 1 + random.int(20);
        expect(await walk(list, size, 'forward'), `forward by ${size}, ${what}`).toEqual(expected);
        if (random.chance(0.3))
          expect(await walk(list, size, 'backward'), `backward by ${size}, ${what}`).toEqual(expected);
        if (random.chance(0.3)) {
          const offset = random.int(40);
          expect(idsOf(await list({ first: size, offset })), `offset ${offset}, ${what}`).toEqual(
            expected.slice(offset, offset + size),
          );
        }
        if (random.chance(0.3) && expected.length > 2) await between(list, expected, random, what);
        expect(await bench.store.count(tenant.context, request), `count, ${what}`).toBe(expected.length);
        await comparePredicate(tenant, name, filter, chosen, what);
      }
    }, 120_000);
  }
});

async function comparePredicate(
  tenant: TestTenant,
  name: string,
  filter: object,
  chosen: PlainRecord[],
  what: string,
): Promise<void> {
  const entity = tenant.entity(name);
  const predicate = compilePredicate(tenant.context.model, entity, filter as Record<string, unknown>);
  const wanted = new Set(chosen.map((record) => record.id));
  const { edges } = await bench.store.list(tenant.context, { entity, first: 1000 });
  for (const { record } of edges) {
    const verdict = predicate(record);
    if (verdict !== 'NEEDS_STORE')
      expect(verdict, `predicate on ${record.id}, ${what}`).toBe(wanted.has(record.id));
    else
      expect(JSON.stringify(filter), what).toMatch(
        /"(group|parent|children|items|desk|sitter|topic|mentions|cover|coveredBy)"/,
      );
  }
}

async function walk(
  list: (page: object) => Promise<Page>,
  size: number,
  direction: 'forward' | 'backward',
): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = null;
  for (;;) {
    const isForward = direction === 'forward';
    const page: Page = await list(
      isForward ? { first: size, after: cursor } : { last: size, before: cursor },
    );
    if (isForward) ids.push(...idsOf(page));
    else ids.unshift(...idsOf(page));
    expect(page.edges.length).toBeLessThanOrEqual(size);
    if (ids.length > 1000) throw new Error(`a walk by ${size} does not end`);
    const next = isForward ? page.edges.at(-1) : page.edges[0];
    if (!(isForward ? page.hasNextPage : page.hasPreviousPage) || !next) return ids;
    cursor = next.cursor;
  }
}

/** A page between two cursors, from either end. */
async function between(
  list: (page: object) => Promise<Page>,
  expected: string[],
  random: Random,
  what: string,
): Promise<void> {
  const { edges } = await list({ first: 1000 });
  const from = random.int(expected.length - 1);
  const to = from + 1 + random.int(expected.length - from - 1);
  const cursors = { after: edges[from]?.cursor, before: edges[to]?.cursor };
  const inside = expected.slice(from + 1, to);
  expect(idsOf(await list({ first: 5, ...cursors })), `${from}..${to}, ${what}`).toEqual(inside.slice(0, 5));
  expect(idsOf(await list({ last: 5, ...cursors })), `last of ${from}..${to}, ${what}`).toEqual(
    inside.slice(-5),
  );
  const crossed = { after: cursors.before, before: cursors.after };
  expect(idsOf(await list({ first: 5, ...crossed })), `${to}..${from}, ${what}`).toEqual([]);
}

describe('children of many parents', () => {
  it("are each parent's own list, in one statement", async () => {
    for (const seed of [1, 2, 3, 4]) {
      const random = createRandom(seed);
      const { tenant, entities, world, ids } = await populate(random);
      const entity = tenant.entity('item');
      const relation = entity.fields.find((field) => field.name === 'group');
      const parentIds = [...ids.group, ids.group[0] as string, '00000000-0000-7000-8000-000000000000'];
      for (let n = 0; n < 30; n++) {
        const filter = randomFilter(random, entities, 'item', ids, 1);
        const orderBy = randomOrder(random, entities, 'item');
        const request = {
          entity,
          filter,
          orderBy,
          first: 3,
          relationFieldId: relation?.id as string,
          parentIds,
        };
        const pages = await bench.store.listInverse(tenant.context, request);
        const counts = await bench.store.countInverse(tenant.context, request);
        for (const [i, parentId] of parentIds.entries()) {
          const children = (world.get('item')?.records ?? []).filter(
            (record) => record.values['group'] === parentId && matches(world, 'item', record, filter),
          );
          const expected = sorted(world, 'item', children, orderBy).map((record) => record.id);
          const what = `seed ${seed}, case ${n}, parent ${i}: ${JSON.stringify({ filter, orderBy })}`;
          expect(idsOf(pages[i] as Page), what).toEqual(expected.slice(0, 3));
          expect(pages[i]?.hasNextPage, what).toBe(expected.length > 3);
          expect(counts[i], what).toBe(expected.length);
        }
      }
    }
  }, 120_000);
});

describe('text longer than its slot', () => {
  it('is compared whole, with a slot and without', async () => {
    const field = (name: string, slot: string | null) => ({ name, type: 'LONG_TEXT' as const, slot });
    const tenant = await bench.addTenant([
      { name: 'note', pluralName: 'notes', fields: [field('slotted', 't1'), field('plain', null)] },
    ]);
    const entity = tenant.entity('note');
    // 200 folded code points in common: the slot cannot tell them apart.
    const common = `${'É'.repeat(199)}🙂`;
    const texts = [
      common,
      `${common}A`,
      `${common}Á`,
      `${common}a b`,
      common.slice(0, 198),
      common.toLowerCase(),
      'e'.repeat(199),
    ];
    const inputs = texts.map((text) => ({ slotted: text, plain: text }));
    const created = await bench.store.create(tenant.context, entity, inputs);
    expect(created.map((record) => record.data['slotted_key'])).toEqual(texts);
    const found = async (comparison: object): Promise<string[][]> =>
      Promise.all(
        ['slotted', 'plain'].map(async (name) => {
          const page = await bench.store.list(tenant.context, { entity, filter: { [name]: comparison } });
          return page.edges.map(({ record }) => record.data[`${name}_key`] as string);
        }),
      );
    const insensitive = { mode: 'INSENSITIVE' };
    const both = (...expected: (string | undefined)[]) => [expected, expected];
    expect(await found({ eq: `${common}a`, ...insensitive })).toEqual(both(texts[1], texts[2]));
    expect(await found({ eq: `${common}A` })).toEqual(both(texts[1]));
    expect(await found({ eq: common, ...insensitive })).toEqual(both(texts[0], texts[5]));
    expect(await found({ in: [`${common}a`, 'nothing'], ...insensitive })).toEqual(both(texts[1], texts[2]));
    expect(await found({ in: ['É'.repeat(198), `${common}A B`], ...insensitive })).toEqual(
      both(texts[3], texts[4]),
    );
    expect(await found({ startsWith: `${common}Á`, ...insensitive })).toEqual(
      both(texts[1], texts[2], texts[3]),
    );
    expect(await found({ startsWith: common, ...insensitive })).toEqual(both(...texts.slice(0, 4), texts[5]));
    expect(await found({ startsWith: common })).toEqual(both(...texts.slice(0, 4)));
    expect(await found({ endsWith: '🙂Á', ...insensitive })).toEqual(both(texts[1], texts[2]));
    expect(await found({ contains: '🙂a', ...insensitive })).toEqual(both(texts[1], texts[2], texts[3]));
    expect(await found({ contains: '🙂Á' })).toEqual(both(texts[2]));
    const stored = await bench.store.findMany(
      tenant.context,
      entity,
      created.map((record) => record.id),
    );
    expect(stored.map((record) => Object.keys(record?.data ?? {}).toSorted())).toEqual(
      texts.map(() => ['plain_key', 'slotted_key']),
    );
  });
});
