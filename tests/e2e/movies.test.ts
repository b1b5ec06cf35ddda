/** 3,201 real rows through the API: every list is compared with the same computed in plain JavaScript from the file. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defineMovies, loadMovies, movieFields, readMovies, type MovieRow } from '#tests/harness/movies.ts';
import { startProduct, type Product } from '#tests/harness/product.ts';
import { registerTenant, type TestTenant } from '#tests/harness/tenant.ts';

type Stored = MovieRow & { id: string };

let product: Product;
let tenant: TestTenant;
let rows: Stored[];

beforeAll(async () => {
  product = await startProduct();
  tenant = await registerTenant(product);
  const movies = await readMovies();
  await defineMovies(tenant.admin, movies);
  const ids = await loadMovies(tenant.admin, movies);
  rows = movies.map((movie, index) => ({ ...movie, id: ids[index] ?? '' }));
});
afterAll(() => product[Symbol.asyncDispose]());

/** The folded key that text is ordered by: marks removed, lower case, first 200 code points, compared by code point. */
function fold(text: string): string {
  return [...text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()].slice(0, 200).join('');
}

function compare(a: string | number, b: string | number): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
}

/** Rows ordered by a field, then id in the same direction; nulls last for ASC and first for DESC unless said otherwise. */
function ordered(
  list: Stored[],
  field: keyof MovieRow,
  direction: 'ASC' | 'DESC',
  nullsFirst = direction === 'DESC',
): Stored[] {
  const sign = direction === 'ASC' ? 1 : -1;
  const key = (row: Stored): string | number | null => {
    const value = row[field];
    return typeof value === 'string' && field !== 'releaseDate' ? fold(value) : value;
  };
  return list.toSorted((a, b) => {
    const [x, y] = [key(a), key(b)];
    if (x === null || y === null) {
      if (x === y) return sign * compare(a.id, b.id);
      return (x === null) === nullsFirst ? -1 : 1;
    }
    return sign * (compare(x, y) || compare(a.id, b.id));
  });
}

interface List {
  totalCount: number;
  nodes: { id: string }[];
  pageInfo: { hasNextPage: boolean; endCursor: string };
}

async function list(args: Record<string, unknown>): Promise<List> {
  const { movies } = await tenant.admin.query(
    `query ($first: Int, $after: String, $filter: MovieFilter, $orderBy: [MovieOrder!]) {
      movies(first: $first, after: $after, filter: $filter, orderBy: $orderBy) { totalCount nodes { id } pageInfo { hasNextPage endCursor } }
    }`,
    args,
  );
  return movies;
}

async function walk(args: Record<string, unknown>, size: number): Promise<string[]> {
  const ids: string[] = [];
  let after: string | null = null;
  for (;;) {
    const page: List = await list({ ...args, first: size, after });
    ids.push(...page.nodes.map((node) => node.id));
    if (!page.pageInfo.hasNextPage) return ids;
    after = page.pageInfo.endCursor;
  }
}

const idsOf = (list: { id: string }[]): string[] => list.map((row) => row.id);

interface FullPage {
  nodes: (Record<string, unknown> & { id: string; director: { name: string } | null })[];
  pageInfo: { hasNextPage: boolean; endCursor: string };
}

it('keeps every value of every row exactly', async () => {
  const seen = new Map<string, unknown>();
  let after: string | null = null;
  do {
    const { movies }: { movies: FullPage } = await tenant.admin.query(
      `query ($after: String) { movies(first: 1000, after: $after) { nodes { id ${movieFields} director { name } } pageInfo { hasNextPage endCursor } } }`,
      { after },
    );
    for (const { director, ...movie } of movies.nodes)
      seen.set(movie.id, { ...movie, director: director?.name ?? null });
    after = movies.pageInfo.hasNextPage ? movies.pageInfo.endCursor : null;
  } while (after);
  expect(seen.size).toBe(3201);
  for (const row of rows) expect(seen.get(row.id)).toEqual(row);
  expect(rows.some((row) => (row.worldwideGross ?? 0) > 2 ** 31)).toBe(true);
  expect(rows.some((row) => /[^\u0020-\u007e]/.test(row.title ?? ''))).toBe(true);
});

describe('filters', () => {
  const cases: [string, Record<string, unknown>, (row: Stored) => boolean][] = [
    ['eq on text', { title: { eq: 'Avatar' } }, (row) => row.title === 'Avatar'],
    ['ne counts nulls', { majorGenre: { ne: 'Drama' } }, (row) => row.majorGenre !== 'Drama'],
    [
      'in on a select',
      { mpaaRating: { in: ['PG', 'PG_13'] } },
      (row) => ['PG', 'PG_13'].includes(row.mpaaRating ?? ''),
    ],
    ['isNull', { imdbRating: { isNull: true } }, (row) => row.imdbRating === null],
    [
      'a range of numbers',
      { imdbRating: { gte: 7.5, lt: 8.2 } },
      (row) => row.imdbRating !== null && row.imdbRating >= 7.5 && row.imdbRating < 8.2,
    ],
    [
      'beyond 32 bits',
      { worldwideGross: { gt: 2_147_483_647 } },
      (row) => (row.worldwideGross ?? 0) > 2_147_483_647,
    ],
    [
      'dates',
      { releaseDate: { gte: '1999-01-01', lte: '1999-12-31' } },
      (row) => (row.releaseDate ?? '').startsWith('1999'),
    ],
    ['startsWith', { title: { startsWith: 'The ' } }, (row) => (row.title ?? '').startsWith('The ')],
    ['contains', { title: { contains: ' & ' } }, (row) => (row.title ?? '').includes(' & ')],
    [
      'contains without regard to case and accents',
      { title: { contains: 'asterix', mode: 'INSENSITIVE' } },
      (row) => fold(row.title ?? '').includes('asterix'),
    ],
    [
      'and, or, not',
      {
        or: [
          { and: [{ majorGenre: { eq: 'Horror' } }, { imdbVotes: { gt: 50_000 } }] },
          { not: { usGross: { lt: 300_000_000 } }, usGross: { isNull: false } },
        ],
      },
      (row) =>
        (row.majorGenre === 'Horror' && (row.imdbVotes ?? 0) > 50_000) ||
        (row.usGross !== null && row.usGross >= 300_000_000),
    ],
    [
      'through a relation',
      { director: { name: { eq: 'Steven Spielberg' } } },
      (row) => row.director === 'Steven Spielberg',
    ],
  ];
  it.each(cases)('%s', async (_name, filter, predicate) => {
    const expected = rows.filter(predicate);
    const page = await list({ first: 1000, filter });
    expect(expected.length).toBeGreaterThan(0);
    expect(page.totalCount).toBe(expected.length);
    expect(idsOf(page.nodes)).toEqual(idsOf(expected).slice(0, 1000));
  });
});

describe('orders and pages', () => {
  it.each([
    ['title', 'ASC'],
    ['title', 'DESC'],
    ['imdbRating', 'DESC'],
    ['imdbRating', 'ASC'],
    ['releaseDate', 'ASC'],
    ['worldwideGross', 'DESC'],
  ] as const)('walks all rows by %s %s, page by page', async (field, direction) => {
    expect(await walk({ orderBy: [{ [field]: direction }] }, 500)).toEqual(
      idsOf(ordered(rows, field, direction)),
    );
  });

  it('puts nulls where it is told to', async () => {
    const expected = ordered(rows, 'imdbRating', 'DESC', false);
    expect(await walk({ orderBy: [{ imdbRating: 'DESC_NULLS_LAST' }] }, 700)).toEqual(idsOf(expected));
  });

  it('walks a filtered, ordered list in small pages', async () => {
    const expected = ordered(
      rows.filter((row) => row.majorGenre === 'Western'),
      'imdbVotes',
      'DESC',
      false,
    );
    expect(
      await walk(
        { filter: { majorGenre: { eq: 'Western' } }, orderBy: [{ imdbVotes: 'DESC_NULLS_LAST' }] },
        7,
      ),
    ).toEqual(idsOf(expected));
  });

  it('refuses page sizes and cursors that cannot be', async () => {
    for (const args of ['first: 0', 'first: 1001', 'first: -1', 'after: "nonsense"']) {
      expect(await tenant.admin.codeOf(`{ movies(${args}) { nodes { id } } }`)).toBe('BAD_USER_INPUT');
    }
  });
});

it('lists a director’s movies, each with its own page and total', async () => {
  const { directors } = await tenant.admin.query(
    `{ directors(first: 1000) { nodes { name movies(first: 3, orderBy: [{ imdbVotes: DESC_NULLS_LAST }]) { totalCount nodes { id } } } } }`,
  );
  const byDirector = Map.groupBy(rows, (row) => row.director);
  expect(directors.nodes).toHaveLength(byDirector.size - 1);
  for (const director of directors.nodes) {
    const expected = byDirector.get(director.name) ?? [];
    expect(director.movies.totalCount).toBe(expected.length);
    expect(idsOf(director.movies.nodes)).toEqual(
      idsOf(ordered(expected, 'imdbVotes', 'DESC', false)).slice(0, 3),
    );
  }
});
