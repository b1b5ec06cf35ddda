/** vega-datasets' movies.json (3,201 real, untidy rows) as records of an entity `movie`, and the definitions for them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from './client.ts';

type Row = Record<string, string | number | null>;

export interface Movie {
  title: string | null;
  usGross: number | null;
  worldwideGross: number | null;
  usDvdSales: number | null;
  productionBudget: number | null;
  releaseDate: string | null;
  mpaaRating: string | null;
  runningTime: number | null;
  distributor: string | null;
  source: string | null;
  majorGenre: string | null;
  creativeType: string | null;
  rottenTomatoes: number | null;
  imdbRating: number | null;
  imdbVotes: number | null;
}

export interface MovieRow extends Movie {
  director: string | null;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** "Jun 12 1998" → "1998-06-12"; the few rows that are only a year have no day and become null. */
function parseDate(text: string): string | null {
  const match = /^(\w{3}) (\d{2}) (\d{4})$/.exec(text);
  if (!match) return null;
  return `${match[3]}-${String(months.indexOf(match[1] ?? '') + 1).padStart(2, '0')}-${match[2]}`;
}

/** The rows in the file's order. */
export async function readMovies(): Promise<MovieRow[]> {
  const file = join(import.meta.dirname, '../../node_modules/vega-datasets/data/movies.json');
  const rows = JSON.parse(await readFile(file, 'utf8')) as Row[];
  const text = (value: Row[string] | undefined): string | null =>
    value === null || value === undefined ? null : String(value);
  const number = (value: Row[string] | undefined): number | null =>
    typeof value === 'number' ? value : null;
  return rows.map((row) => ({
    title: text(row.Title),
    usGross: number(row['US Gross']),
    worldwideGross: number(row['Worldwide Gross']),
    usDvdSales: number(row['US DVD Sales']),
    productionBudget: number(row['Production Budget']),
    releaseDate: parseDate(String(row['Release Date'])),
    mpaaRating: text(row['MPAA Rating'])?.toUpperCase().replace(/\W/g, '_') ?? null,
    runningTime: number(row['Running Time min']),
    distributor: text(row.Distributor),
    source: text(row.Source),
    majorGenre: text(row['Major Genre']),
    creativeType: text(row['Creative Type']),
    rottenTomatoes: number(row['Rotten Tomatoes Rating']),
    imdbRating: number(row['IMDB Rating']),
    imdbVotes: number(row['IMDB Votes']),
    director: text(row.Director),
  }));
}

const fields: [string, string][] = [
  ['title', 'TEXT'],
  ['usGross', 'INTEGER'],
  ['worldwideGross', 'NUMBER'],
  ['usDvdSales', 'INTEGER'],
  ['productionBudget', 'INTEGER'],
  ['releaseDate', 'DATE'],
  ['mpaaRating', 'SELECT'],
  ['runningTime', 'INTEGER'],
  ['distributor', 'TEXT'],
  ['source', 'TEXT'],
  ['majorGenre', 'TEXT'],
  ['creativeType', 'TEXT'],
  ['rottenTomatoes', 'INTEGER'],
  ['imdbRating', 'NUMBER'],
  ['imdbVotes', 'INTEGER'],
];

export const movieFields = fields.map(([name]) => name).join(' ');

/** Defines `director` and `movie` (with a relation between them). */
export async function defineMovies(
  client: Pick<Client, 'query'>,
  movies: readonly MovieRow[],
): Promise<void> {
  const create = `mutation ($input: CreateEntityInput!) { createEntity(input: $input) { id } }`;
  await client.query(create, {
    input: { name: 'director', fields: [{ name: 'name', type: 'TEXT', isRequired: true, isUnique: true }] },
  });
  const ratings = [...new Set(movies.map((movie) => movie.mpaaRating).filter((rating) => rating !== null))];
  await client.query(create, {
    input: {
      name: 'movie',
      fields: [
        ...fields.map(([name, type]) => ({
          name,
          type,
          ...(type === 'SELECT' ? { options: ratings.map((value) => ({ value, label: value })) } : {}),
        })),
        { name: 'director', type: 'RELATION', targetEntity: 'director', inverseName: 'movies' },
      ],
    },
  });
}

/** Loads every director and movie through the batch mutations; the ids stand in the order of `movies`. */
export async function loadMovies(
  client: Pick<Client, 'query'>,
  movies: readonly MovieRow[],
): Promise<string[]> {
  const names = [...new Set(movies.map((movie) => movie.director).filter((name) => name !== null))];
  const { createDirectors } = await client.query(
    `mutation ($inputs: [CreateDirectorInput!]!) { createDirectors(inputs: $inputs) { id name } }`,
    { inputs: names.map((name) => ({ name })) },
  );
  const directorIds = new Map<string, string>(
    createDirectors.map((row: { id: string; name: string }) => [row.name, row.id]),
  );
  const ids: string[] = [];
  for (let start = 0; start < movies.length; start += 1000) {
    const inputs = movies.slice(start, start + 1000).map(({ director, ...movie }) => ({
      ...movie,
      directorId: director === null ? null : directorIds.get(director),
    }));
    const { createMovies } = await client.query(
      `mutation ($inputs: [CreateMovieInput!]!) { createMovies(inputs: $inputs) { id } }`,
      { inputs },
    );
    ids.push(...createMovies.map((row: { id: string }) => row.id));
  }
  return ids;
}
