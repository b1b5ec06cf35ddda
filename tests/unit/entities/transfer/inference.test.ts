/** What is proposed for real, untidy files: vega-datasets. */
import { createReadStream } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRows } from '#subgraphs/entities/transfer/formats/read-rows.ts';
import { camelCase, nameFields } from '#subgraphs/entities/transfer/inference/field-names.ts';
import { nameFromFile, proposeEntity } from '#subgraphs/entities/transfer/inference/propose-entity.ts';
import { optionValue, proposeOptions } from '#subgraphs/entities/transfer/inference/select-options.ts';
import { changeModel, defineModel, modelOf } from '../model.ts';
import { piecesOf } from './source.ts';

const folder = new URL('../../../../node_modules/vega-datasets/data/', import.meta.url);
const proposals = async (
  content: AsyncIterable<Uint8Array>,
  format: 'CSV' | 'JSON',
  name = 'item',
  more = {},
) =>
  proposeEntity(readRows(content, { format, delimiter: null }), {
    name,
    existing: [],
    isTextOnly: format === 'CSV',
    ...more,
  });

async function proposeFile(file: string) {
  const proposal = await proposals(
    createReadStream(fileURLToPath(new URL(file, folder))),
    file.endsWith('.json') ? 'JSON' : 'CSV',
    nameFromFile(file),
  );
  const fields = Object.fromEntries(
    (proposal.entity.fields ?? []).map((field) => [
      field.name,
      `${field.type}${field.isRequired ? '!' : ''}${field.isUnique ? ' unique' : ''}`,
    ]),
  );
  return { ...proposal, summary: fields };
}

describe('vega-datasets', () => {
  it('movies.json', async () => {
    const { entity, columns, rows, summary } = await proposeFile('movies.json');
    expect([entity.name, entity.pluralName, rows]).toEqual(['movie', 'movies', 3201]);
    expect(summary).toEqual({
      title: 'TEXT',
      usGross: 'INTEGER',
      // Beyond 32 bits.
      worldwideGross: 'NUMBER',
      usDvdSales: 'INTEGER',
      productionBudget: 'INTEGER',
      releaseDate: 'DATE!',
      mpaaRating: 'SELECT',
      runningTimeMin: 'INTEGER',
      distributor: 'TEXT',
      source: 'SELECT',
      majorGenre: 'SELECT',
      creativeType: 'SELECT',
      director: 'TEXT',
      rottenTomatoesRating: 'INTEGER',
      imdbRating: 'NUMBER',
      imdbVotes: 'INTEGER',
    });
    expect(columns[5]).toEqual({ column: 'Release Date', field: 'releaseDate', dateFormat: 'MMM DD YYYY' });
    expect(entity.fields?.find((field) => field.name === 'mpaaRating')?.options).toContainEqual({
      value: 'PG_13',
      label: 'PG-13',
    });
  });

  it('cars.json', async () => {
    const { entity, summary } = await proposeFile('cars.json');
    expect(entity.name).toBe('car');
    expect(summary).toEqual({
      name: 'TEXT!',
      milesPerGallon: 'NUMBER',
      cylinders: 'INTEGER!',
      displacement: 'NUMBER!',
      horsepower: 'INTEGER',
      weightInLbs: 'INTEGER!',
      acceleration: 'NUMBER!',
      year: 'DATE!',
      origin: 'SELECT!',
    });
  });

  it('gapminder.json and airports.csv', async () => {
    expect((await proposeFile('gapminder.json')).summary).toEqual({
      year: 'INTEGER!',
      country: 'TEXT!',
      cluster: 'INTEGER!',
      pop: 'INTEGER!',
      lifeExpect: 'NUMBER!',
      fertility: 'NUMBER!',
    });
    expect((await proposeFile('airports.csv')).summary).toEqual({
      iata: 'TEXT! unique',
      name: 'TEXT!',
      city: 'TEXT!',
      state: 'TEXT!',
      country: 'SELECT!',
      latitude: 'NUMBER!',
      longitude: 'NUMBER!',
    });
  });

  it.each([
    'movies.json',
    'cars.json',
    'airports.csv',
    'birdstrikes.csv',
    'la-riots.csv',
    'obesity.json',
    'zipcodes.csv',
  ])('can be defined as proposed: %s', async (file) => {
    const { entity } = await proposeFile(file);
    const { change } = changeModel(modelOf([]), (draft) => draft.createEntity(entity));
    expect(change.createdFields).toHaveLength(entity.fields?.length ?? 0);
  });

  it('reads only so many rows', async () => {
    const content = createReadStream(fileURLToPath(new URL('movies.json', folder)));
    expect(await proposals(content, 'JSON', 'movie', { maxRows: 100 })).toMatchObject({
      rows: 100,
      isSample: true,
    });
  });
});

describe('types', () => {
  const typeOf = async (cells: string[], column = 'x') => {
    const { entity, columns } = await proposals(
      piecesOf(`${column},y\n${cells.map((cell) => `${cell},1`).join('\n')}\n`),
      'CSV',
    );
    const field = entity.fields?.[0];
    return [field?.type, columns[0]?.dateFormat ?? columns[0]?.nullTexts ?? null];
  };

  it.each([
    ['INTEGER', null, ['1', '-5', '2147483647']],
    ['NUMBER', null, ['1', '2147483648']],
    ['NUMBER', null, ['1.5', '.25', '1e3']],
    // Leading zeros, plus signs and more digits than a double holds are not numbers' but names'.
    ['TEXT', null, ['00501', '12']],
    ['TEXT', null, ['12345678901234567890', '1']],
    ['TEXT', null, ['1,5'].map((text) => `"${text}"`)],
    ['BOOLEAN', null, ['true', 'FALSE', 'yes']],
    ['INTEGER', null, ['0', '1']],
    ['DATE', null, ['2026-02-28', '2024-02-29']],
    ['TEXT', null, ['2026-02-30']],
    ['DATE', 'DD.MM.YYYY', ['1.2.2026', '31.12.1999']],
    ['DATE', 'MM/DD/YYYY', ['01/02/2026', '12/31/1999']],
    ['DATE', 'DD/MM/YYYY', ['01/02/2026', '31/12/1999']],
    ['TEXT', null, ['12/31/1999', '31/12/1999']],
    ['DATETIME', null, ['2026-02-28T10:00:00Z', '2026-02-28 10:00', '2026-02-28']],
    ['EMAIL', null, ['ada@example.com', 'grace@example.org']],
    ['URL', null, ['https://example.com/a', 'http://b.example']],
    ['PHONE', null, ['+41441234567']],
    ['INTEGER', ['NA'], ['1', 'NA', '3']],
    ['TEXT', null, ['one', 'NA', 'three']],
    ['TEXT', null, ['']],
    ['LONG_TEXT', null, [`"${'long '.repeat(200)}"`]],
  ] as const)('%s %j for %j', async (type, detail, cells) => {
    expect(await typeOf([...cells])).toEqual([type, detail]);
  });

  it('takes JSON at its word', async () => {
    const rows = [
      { digits: '1', flag: true, mixed: 1, doc: { a: 1 }, tags: ['a', 'b'], day: '2026-01-02', big: 2 ** 40 },
      { digits: '2', flag: false, mixed: 'x', doc: [1], tags: ['a'], day: '2026-01-03', big: 1 },
    ];
    const many = Array.from({ length: 20 }, () => rows).flat();
    const { entity } = await proposals(piecesOf(JSON.stringify(many), 100), 'JSON');
    expect(entity.fields?.map((field) => [field.name, field.type])).toEqual([
      ['digits', 'SELECT'],
      ['flag', 'BOOLEAN'],
      ['mixed', 'TEXT'],
      ['doc', 'JSON'],
      ['tags', 'MULTI_SELECT'],
      ['day', 'DATE'],
      ['big', 'NUMBER'],
    ]);
  });
});

describe('names', () => {
  it.each([
    ['US Gross', 'usGross'],
    ['Miles_per_Gallon', 'milesPerGallon'],
    ['IMDBRating', 'imdbRating'],
    ['Größe (cm)', 'grosseCm'],
    ['2010', '_2010'],
    ['東京', null],
    ['  ', null],
  ])('%s → %s', (column, name) => {
    expect(camelCase(column)).toBe(name);
  });

  it('are free of the platform’s and of each other', () => {
    expect(
      nameFields([
        'id',
        'ID',
        'Name',
        'name',
        'NAME ',
        '東京',
        'version',
        'constructor',
        'and',
        'a_b',
        'aB',
        'order',
      ]),
    ).toEqual([
      'sourceId',
      'sourceId2',
      'name',
      'name2',
      'name3',
      'column6',
      'sourceVersion',
      'sourceConstructor',
      'sourceAnd',
      'aB',
      'aB2',
      'sourceOrder',
    ]);
  });

  it('can always be defined, whatever the columns are called', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(
          fc.oneof(
            fc.string({ unit: 'binary', minLength: 1, maxLength: 80 }),
            fc.constantFrom('id', 'filter', 'Edge', 'And', '__typename', 'toString'),
          ),
          {
            minLength: 1,
            maxLength: 30,
          },
        ),
        fc.string({ unit: 'binary', maxLength: 30 }),
        async (columns, name) => {
          const row = Object.fromEntries(
            columns.map((column, index) => [column.toWellFormed(), `v${index % 2}`]),
          );
          const rows = Array.from({ length: 12 }, () => row);
          const { entity } = await proposals(piecesOf(JSON.stringify(rows), 10_000), 'JSON', name);
          changeModel(modelOf([]), (draft) => draft.createEntity(entity));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('of entities give way to those that are there', async () => {
    const existing = defineModel({ name: 'movie', fields: [{ name: 'a', type: 'TEXT' }] }).entities;
    const { entity } = await proposals(piecesOf('[{"a":1}]'), 'JSON', 'movie', { existing });
    expect([entity.name, entity.pluralName]).toEqual(['movie2', 'movie2s']);
    expect((await proposals(piecesOf('[{"a":1}]'), 'JSON', 'user')).entity.name).toBe('user2');
  });

  it.each([
    ['movies.json', 'movie'],
    ['/tmp/../Companies 2026.csv.gz', 'companies2026'],
    ['companies.csv', 'company'],
    ['boxes.csv', 'box'],
    ['sheet', 'sheet'],
    [null, 'item'],
  ])('of the file %s: %s', (file, name) => {
    expect(nameFromFile(file)).toBe(name);
  });
});

describe('options', () => {
  it.each([
    ['PG-13', 'PG_13'],
    ['3D', '_3D'],
    ['Größe', 'GROSSE'],
    ['—', null],
  ])('%s → %s', (label, value) => {
    expect(optionValue(label)).toBe(value);
  });

  it('are proposed for few, repeated, short texts only', () => {
    const counts = (texts: string[], times: number) => new Map(texts.map((text) => [text, times]));
    expect(proposeOptions(counts(['a b', 'a-b'], 5))).toEqual([
      { value: 'A_B', label: 'a b' },
      { value: 'A_B_2', label: 'a-b' },
    ]);
    expect(proposeOptions(counts(['a', 'b'], 4))).toBeNull();
    expect(proposeOptions(counts(['a'], 50))).toBeNull();
    expect(proposeOptions(counts(['a', '—'], 50))).toBeNull();
    expect(proposeOptions(counts(['a', 'x'.repeat(41)], 50))).toBeNull();
  });
});

it('refuses a file without rows', async () => {
  await expect(proposals(piecesOf('a,b\n'), 'CSV')).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
});
