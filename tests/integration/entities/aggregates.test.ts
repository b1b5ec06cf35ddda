/** `moviesAggregate` held to plain JavaScript over the same rows, on slots and without; and what it refuses. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defineMovies, loadMovies, type MovieRow, readMovies } from '#tests/harness/movies.ts';
import {
  type Anything,
  createEntitiesFixture,
  type EntitiesFixture,
  type EntitiesTenant,
} from './fixture.ts';

let fixture: EntitiesFixture;
let tenant: EntitiesTenant;
let movies: MovieRow[];

beforeAll(async () => {
  fixture = await createEntitiesFixture();
  tenant = await fixture.addTenant();
  movies = await readMovies();
  await defineMovies(tenant, movies);
  await loadMovies(tenant, movies);
}, 60_000);
afterAll(() => fixture[Symbol.asyncDispose]());

/** Changes definitions past the subgraph, as another process would. */
async function redefine(of: EntitiesTenant, text: string, values: unknown[]): Promise<void> {
  await fixture.superuser.query(text, values);
  await fixture.superuser.query(
    'update tenant_heads set definitions_version = definitions_version + 1 where tenant_id = $1',
    [of.id],
  );
  fixture.service.definitions.models.invalidate(of.id);
}

/** Without slots everything works from the data, and must come out the same. */
const storages = ['with slots', 'without slots'] as const;
for (const storage of storages) {
  describe(storage, () => {
    if (storage === 'without slots') {
      beforeAll(() =>
        redefine(tenant, 'update field_definitions set slot = null where tenant_id = $1', [tenant.id]),
      );
    }
    cases();
  });
}

type Numbers = 'usGross' | 'worldwideGross' | 'imdbRating' | 'rottenTomatoes' | 'runningTime';
const present = <Value>(values: (Value | null)[]): Value[] => values.filter((value) => value !== null);

/** Sums in whole hundredths: every number of the file has at most two decimals. */
function figures(rows: MovieRow[], name: Numbers) {
  const values = present(rows.map((row) => row[name]));
  const sum = values.reduce((total, value) => total + Math.round(value * 100), 0) / 100;
  return {
    countDistinct: new Set(values).size,
    sum: values.length === 0 ? null : sum,
    avg: values.length === 0 ? null : sum / values.length,
    min: values.length === 0 ? null : values.reduce((a, b) => Math.min(a, b)),
    max: values.length === 0 ? null : values.reduce((a, b) => Math.max(a, b)),
  };
}

const selection = (name: string): string =>
  `count countDistinct { ${name} } sum { ${name} } avg { ${name} } min { ${name} } max { ${name} }`;

function expectFigures(group: Anything, rows: MovieRow[], name: Numbers): void {
  const expected = figures(rows, name);
  expect(group.count).toBe(rows.length);
  expect(group.countDistinct[name]).toBe(expected.countDistinct);
  expect(group.sum[name]).toBe(expected.sum);
  if (expected.avg === null) expect(group.avg[name]).toBeNull();
  else expect(group.avg[name]).toBeCloseTo(expected.avg, 9);
  expect(group.min[name]).toBe(expected.min);
  expect(group.max[name]).toBe(expected.max);
}

const grouped = <Key>(rows: MovieRow[], keyOf: (row: MovieRow) => Key): Map<Key, MovieRow[]> =>
  Map.groupBy(rows, keyOf);

function bucketOf(date: string, bucket: string): string {
  const day = new Date(`${date}T00:00:00Z`);
  const year = day.getUTCFullYear();
  if (bucket === 'YEAR') return `${year}-01-01`;
  if (bucket === 'MONTH') return `${date.slice(0, 7)}-01`;
  if (bucket === 'QUARTER')
    return new Date(Date.UTC(year, Math.floor(day.getUTCMonth() / 3) * 3, 1)).toISOString().slice(0, 10);
  if (bucket === 'WEEK') day.setUTCDate(day.getUTCDate() - ((day.getUTCDay() + 6) % 7));
  return day.toISOString().slice(0, 10);
}

function cases(): void {
  const ask = async (args: string, members: string): Promise<Anything[]> => {
    const { result, statements } = await fixture.countStatements(() =>
      tenant.query(`{ moviesAggregate${args} { ${members} } }`),
    );
    expect(statements.filter((text) => text.includes('from records'))).toHaveLength(1);
    return result.moviesAggregate;
  };

  it.each(['usGross', 'worldwideGross', 'imdbRating', 'rottenTomatoes', 'runningTime'] as const)(
    'all figures of %s over everything',
    async (name) => {
      const groups = await ask('', selection(name));
      expect(groups).toHaveLength(1);
      expectFigures(groups[0], movies, name);
    },
  );

  it('answers one group also where no record is', async () => {
    const groups = await ask(
      '(filter: { title: { eq: "no such movie" } })',
      'group { title createdBy { id } } count countDistinct { title } sum { usGross } min { releaseDate }',
    );
    expect(groups).toEqual([
      {
        group: { title: null, createdBy: null },
        count: 0,
        countDistinct: { title: 0 },
        sum: { usGross: null },
        min: { releaseDate: null },
      },
    ]);
  });

  it('groups by text exactly, null included, in the order of lists', async () => {
    const groups = await ask(
      '(groupBy: [{ majorGenre: true }])',
      `group { majorGenre } ${selection('imdbRating')}`,
    );
    const expected = grouped(movies, (movie) => movie.majorGenre);
    expect(groups).toHaveLength(expected.size);
    for (const group of groups)
      expectFigures(group, expected.get(group.group.majorGenre) as MovieRow[], 'imdbRating');
    const names = groups.map((group) => group.group.majorGenre);
    expect(names.at(-1)).toBeNull();
    const lower = present(names).map((name: string) => name.toLowerCase());
    expect(lower).toEqual(lower.toSorted());
  });

  it('groups by an enum and by the name of a related record, null included', async () => {
    const groups = await ask(
      '(groupBy: [{ mpaaRating: true }, { director: { name: true } }])',
      `group { mpaaRating director { name } } ${selection('usGross')}`,
    );
    const expected = grouped(movies, (movie) => `${movie.mpaaRating}|${movie.director}`);
    expect(groups).toHaveLength(expected.size);
    for (const { group, ...rest } of groups) {
      expectFigures(
        rest,
        expected.get(`${group.mpaaRating}|${group.director.name}`) as MovieRow[],
        'usGross',
      );
    }
  });

  it('groups by the id of a relation', async () => {
    const groups = await ask(
      '(groupBy: [{ directorId: true }], orderBy: [{ count: DESC }], first: 3)',
      'group { directorId } count',
    );
    const counts = [...grouped(movies, (movie) => movie.director).values()]
      .map((rows) => rows.length)
      .toSorted((a, b) => b - a);
    expect(groups.map((group) => group.count)).toEqual(counts.slice(0, 3));
    expect(groups[0].group.directorId).toBeNull();
    expect(groups[1].group.directorId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it.each(['DAY', 'WEEK', 'MONTH', 'QUARTER', 'YEAR'])('groups by %s of a date', async (bucket) => {
    const groups = await ask(
      `(groupBy: [{ releaseDate: ${bucket} }])`,
      'group { releaseDate } count min { releaseDate } max { releaseDate }',
    );
    const expected = grouped(movies, (movie) => movie.releaseDate && bucketOf(movie.releaseDate, bucket));
    const ordered = [...expected].toSorted(([a], [b]) => (a === null ? 1 : b === null ? -1 : a < b ? -1 : 1));
    expect(groups).toEqual(
      ordered.slice(0, 1_000).map(([day, rows]) => {
        const dates = present(rows.map((row) => row.releaseDate)).toSorted();
        return {
          group: { releaseDate: day },
          count: rows.length,
          min: { releaseDate: dates[0] ?? null },
          max: { releaseDate: dates.at(-1) ?? null },
        };
      }),
    );
  });

  it('groups by a bucket of a system time', async () => {
    const groups = await ask(
      '(groupBy: [{ createdAt: YEAR }])',
      'group { createdAt } count max { updatedAt }',
    );
    expect(groups).toHaveLength(1);
    expect(groups[0].group.createdAt).toMatch(/^\d{4}-01-01T00:00:00.000Z$/);
    expect(groups[0].count).toBe(movies.length);
  });

  it('takes filter, having, order, limit and offset together', async () => {
    const groups = await ask(
      `(filter: { imdbVotes: { gte: 1000 } }, groupBy: [{ distributor: true }],
        having: { count: { gte: 5 }, avg: { imdbRating: { gt: 6 } }, or: [{ sum: { worldwideGross: { gt: 1e9 } } }, { max: { releaseDate: { lt: "2000-01-01" } } }] },
        orderBy: [{ sum: { worldwideGross: DESC_NULLS_LAST } }], first: 4, offset: 1)`,
      `group { distributor } ${selection('worldwideGross')} byDay: max { releaseDate }`,
    );
    const chosen = movies.filter((movie) => (movie.imdbVotes ?? 0) >= 1000);
    const expected = [...grouped(chosen, (movie) => movie.distributor)]
      .filter(([, rows]) => rows.length >= 5 && (figures(rows, 'imdbRating').avg ?? 0) > 6)
      .filter(([, rows]) => {
        const latest = present(rows.map((row) => row.releaseDate))
          .toSorted()
          .at(-1);
        return (figures(rows, 'worldwideGross').sum ?? 0) > 1e9 || (latest && latest < '2000-01-01');
      })
      .toSorted(
        ([, a], [, b]) => (figures(b, 'worldwideGross').sum ?? -1) - (figures(a, 'worldwideGross').sum ?? -1),
      )
      .slice(1, 5);
    expect(expected.length).toBe(4);
    expect(groups.map((group) => group.group.distributor)).toEqual(expected.map(([name]) => name));
    for (const [i, group] of groups.entries())
      expectFigures(group, expected[i]?.[1] as MovieRow[], 'worldwideGross');
  });

  it('negates having two-valued: a group without a value is in the negation', async () => {
    const where = 'filter: { distributor: { isNull: true } }, groupBy: [{ creativeType: true }]';
    const all = await ask(`(${where})`, 'group { creativeType } sum { usDvdSales }');
    const some = await ask(
      `(${where}, having: { sum: { usDvdSales: { gt: 0 } } })`,
      'group { creativeType }',
    );
    const others = await ask(
      `(${where}, having: { not: { sum: { usDvdSales: { gt: 0 } } } })`,
      'group { creativeType } sum { usDvdSales }',
    );
    expect(some.length + others.length).toBe(all.length);
    expect(others.some((group) => group.sum.usDvdSales === null)).toBe(true);
  });

  it('orders by what the groups share, in either direction', async () => {
    const groups = await ask(
      '(groupBy: [{ director: { name: true } }], orderBy: [{ group: { director: { name: DESC_NULLS_LAST } } }], first: 5)',
      'group { director { name } }',
    );
    const names = groups.map((group) => group.group.director.name.toLowerCase());
    expect(names).toEqual(names.toSorted((a, b) => (a < b ? 1 : -1)));
    const all = present(movies.map((movie) => movie.director)).map((name) => name.toLowerCase());
    expect(names[0]).toBe(all.toSorted().at(-1));
  });

  it('reads the figures through fragments and aliases', async () => {
    const { moviesAggregate } = await tenant.query(`
      query { moviesAggregate { total: count ...sums ... on MovieAggregate { max { usGross } } } }
      fragment sums on MovieAggregate { sum { gross: usGross ...rest } }
      fragment rest on MovieAggregateTotals { runningTime }
    `);
    expect(moviesAggregate).toEqual([
      {
        total: movies.length,
        sum: { gross: figures(movies, 'usGross').sum, runningTime: figures(movies, 'runningTime').sum },
        max: { usGross: figures(movies, 'usGross').max },
      },
    ]);
  });
}

describe('edges of values', () => {
  let specimens: EntitiesTenant;
  const options = ['A', 'B'].map((value) => ({ value, label: value }));
  beforeAll(async () => {
    specimens = await fixture.addTenant();
    await specimens.createEntity({
      name: 'specimen',
      fields: [
        { name: 'number', type: 'NUMBER' },
        { name: 'integer', type: 'INTEGER' },
        { name: 'flag', type: 'BOOLEAN' },
        { name: 'at', type: 'DATETIME' },
        { name: 'choice', type: 'SELECT', options },
        { name: 'name', type: 'TEXT' },
        { name: 'count', type: 'INTEGER' },
        { name: 'group', type: 'TEXT' },
        { name: 'parent', type: 'RELATION', targetEntity: 'specimen', inverseName: 'children' },
      ],
    });
  });
  const create = async (inputs: Record<string, unknown>[]): Promise<string[]> => {
    const { createSpecimens } = await specimens.query(
      'mutation ($inputs: [CreateSpecimenInput!]!) { createSpecimens(inputs: $inputs) { id } }',
      { inputs },
    );
    return createSpecimens.map((row: { id: string }) => row.id);
  };
  const ask = async (args: string, members: string): Promise<Anything[]> =>
    (await specimens.query(`{ specimensAggregate${args} { ${members} } }`)).specimensAggregate;

  it('sums doubles to the last digit, in whatever order they stand', async () => {
    await create([0.1, 0.2, 0.3, 1e16, -1e16, 5e-324].map((number) => ({ number, name: 'doubles' })));
    const [group] = await ask('(filter: { name: { eq: "doubles" } })', 'sum { number } avg { number }');
    expect(group).toEqual({ sum: { number: 0.6 }, avg: { number: 0.1 } });
  });

  it('sums whole numbers past 32 bits', async () => {
    await create(Array.from({ length: 10 }, () => ({ integer: 2147483647, name: 'big' })));
    const [group] = await ask(
      '(filter: { name: { eq: "big" } }, having: { sum: { integer: { gt: 21474836469 } } })',
      'sum { integer } avg { integer } countDistinct { integer }',
    );
    expect(group).toEqual({
      sum: { integer: 21474836470 },
      avg: { integer: 2147483647 },
      countDistinct: { integer: 1 },
    });
  });

  it('says where a sum is beyond a Float, and answers the rest', async () => {
    await create([1.7e308, 1.7e308].map((number) => ({ number, name: 'huge' })));
    const result = await specimens.send(
      '{ specimensAggregate(filter: { name: { eq: "huge" } }) { count sum { number } max { number } } }',
    );
    expect(JSON.parse(JSON.stringify(result.data))).toEqual({
      specimensAggregate: [{ count: 2, sum: { number: null }, max: { number: 1.7e308 } }],
    });
    expect(result.errors?.[0]?.extensions?.['code']).toBe('BAD_USER_INPUT');
  });

  it('keeps apart texts that fold to the same, and joins none', async () => {
    await create(['É', 'é', 'e', 'E', 'e'].map((group) => ({ group, name: 'folds' })));
    const groups = await ask(
      '(filter: { name: { eq: "folds" } }, groupBy: [{ group: true }])',
      'group { group } count countDistinct { group }',
    );
    expect(groups.map(({ group, count }) => [group.group, count])).toEqual([
      ['E', 1],
      ['e', 2],
      ['É', 1],
      ['é', 1],
    ]);
  });

  it('groups by flags, instants and enums; an option that was removed reads as none', async () => {
    await create([
      { name: 'kinds', flag: true, at: '2026-03-31T23:59:59.999Z', choice: 'A' },
      { name: 'kinds', flag: false, at: '2026-04-01T00:00:00.000Z', choice: 'B' },
      { name: 'kinds', at: '0001-01-01T00:00:00.000Z' },
      { name: 'kinds', at: '9999-12-31T23:59:59.999Z' },
    ]);
    const where = 'filter: { name: { eq: "kinds" } }';
    const flags = await ask(`(${where}, groupBy: [{ flag: true }])`, 'group { flag } count');
    expect(flags.map(({ group, count }) => [group.flag, count])).toEqual([
      [false, 1],
      [true, 1],
      [null, 2],
    ]);
    const quarters = await ask(`(${where}, groupBy: [{ at: QUARTER }])`, 'group { at } max { at }');
    expect(quarters.map((group) => [group.group.at, group.max.at])).toEqual([
      ['0001-01-01T00:00:00.000Z', '0001-01-01T00:00:00.000Z'],
      ['2026-01-01T00:00:00.000Z', '2026-03-31T23:59:59.999Z'],
      ['2026-04-01T00:00:00.000Z', '2026-04-01T00:00:00.000Z'],
      ['9999-10-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z'],
    ]);
    await redefine(
      specimens,
      `update field_definitions set options = '[{"value":"A","label":"A"},{"value":"C","label":"C"}]' where tenant_id = $1 and name = 'choice'`,
      [specimens.id],
    );
    const choices = await ask(
      `(${where}, groupBy: [{ choice: true }])`,
      'group { choice } count countDistinct { choice }',
    );
    expect(choices).toEqual([
      { group: { choice: 'A' }, count: 1, countDistinct: { choice: 1 } },
      { group: { choice: null }, count: 3, countDistinct: { choice: 0 } },
    ]);
  });

  it('leaves deleted records out, as members and at the other end; includeDeleted counts them', async () => {
    const [mother, gone] = await create([{ name: 'mother' }, { name: 'gone mother' }]);
    const children = await create([
      { name: 'child', parentId: mother, integer: 1 },
      { name: 'child', parentId: gone, integer: 2 },
      { name: 'child', parentId: mother, integer: 4 },
    ]);
    const remove = (id: string | undefined) =>
      specimens.query('mutation ($id: ID!) { deleteSpecimen(id: $id) { id } }', { id });
    await remove(children[2]);
    await fixture.superuser.query('update records set deleted_at = now() where id = $1', [gone]);
    const where = 'filter: { name: { eq: "child" } }';
    const members = 'group { parent { name } } count sum { integer }';
    expect(await ask(`(${where}, groupBy: [{ parent: { name: true } }])`, members)).toEqual([
      { group: { parent: { name: 'mother' } }, count: 1, sum: { integer: 1 } },
      { group: { parent: { name: null } }, count: 1, sum: { integer: 2 } },
    ]);
    const [all] = await ask(`(${where}, includeDeleted: true)`, 'count sum { integer }');
    expect(all).toEqual({ count: 3, sum: { integer: 7 } });
  });

  it.each([
    ['groupBy: [{}]', 'groupBy.0', 'members'],
    ['groupBy: [{ flag: true, name: true }]', 'groupBy.0', 'members'],
    ['groupBy: [{ flag: false }]', 'groupBy.0.flag', 'option'],
    ['groupBy: [{ at: DAY }, { at: YEAR }]', 'groupBy.1.at', 'duplicate'],
    [
      'groupBy: [{ flag: true }, { name: true }, { group: true }, { choice: true }, { integer: true }, { count: true }]',
      'groupBy',
      'maxLength',
    ],
    [
      'groupBy: [{ parent: { parent: { parent: { parent: { parent: { parent: { name: true } } } } } } }]',
      'groupBy.0.parent.parent.parent.parent.parent.parent',
      'depth',
    ],
    ['orderBy: [{ group: { name: ASC } }]', 'orderBy.0.group.name', 'unknown'],
    ['orderBy: [{ sum: { name: ASC } }]', 'orderBy.0.sum.name', 'unknown'],
    ['orderBy: [{ count: ASC, sum: { integer: ASC } }]', 'orderBy.0', 'members'],
    ['first: 0', 'first', 'range'],
    ['first: 1001', 'first', 'range'],
    ['offset: -1', 'offset', 'range'],
    ['having: { count: { gt: null } }', 'having.count.gt', 'null'],
  ])('refuses %s', async (args, field, rule) => {
    const refusal = await specimens.refusal(`{ specimensAggregate(${args}) { count } }`);
    expect(refusal.code).toBe('BAD_USER_INPUT');
    expect(refusal.fields).toMatchObject([{ field, rule }]);
  });
});

describe('another tenant', () => {
  it('counts nothing of ours, also with our ids and definitions', async () => {
    const other = await fixture.addTenant();
    await defineMovies(other, movies);
    const { moviesAggregate } = await other.query(
      '{ moviesAggregate(includeDeleted: true) { count countDistinct { title } max { usGross } } }',
    );
    expect(moviesAggregate).toEqual([{ count: 0, countDistinct: { title: 0 }, max: { usGross: null } }]);

    // Even a store that was handed the other tenant's definitions reads under the claims' tenant.
    const model = await fixture.service.definitions.models.get(tenant.claims, null);
    const entity = model.entityByName.get('movie');
    if (!entity) throw new Error('movie is defined');
    const stolen = await fixture.records.aggregate(
      { claims: other.claims, model, requestId: 'test' },
      { entity, measures: [{ name: 'max', member: 'usGross' }] },
    );
    expect(stolen).toMatchObject([{ count: 0, max: { usGross: null } }]);
  });

  it('is nobody without a tenant, and a viewer may ask', async () => {
    const viewer = tenant.as({ role: 'VIEWER' });
    expect((await viewer.query('{ moviesAggregate { count } }')).moviesAggregate).toEqual([
      { count: movies.length },
    ]);
    const anonymous = tenant.as({ role: null, actorKind: 'ANONYMOUS', actorId: null });
    expect((await anonymous.refusal('{ moviesAggregate { count } }')).code).toBe('UNAUTHENTICATED');
  });

  it('takes text as a value and never as SQL', async () => {
    const attack = "'; drop table records; --";
    const { moviesAggregate } = await tenant.query(
      'query ($filter: MovieFilter) { moviesAggregate(filter: $filter, groupBy: [{ title: true }]) { count } }',
      { filter: { title: { eq: attack }, directorId: { ne: randomUUID() } } },
    );
    expect(moviesAggregate).toEqual([]);
    expect((await tenant.query('{ movies(first: 1) { totalCount } }')).movies.totalCount).toBe(movies.length);
  });
});
