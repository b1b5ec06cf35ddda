/** Readers and writers of files: what people's programs write, in pieces that fall anywhere. */
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sniffDelimiter } from '#subgraphs/entities/transfer/formats/delimiter.ts';
import { createRowWriter } from '#subgraphs/entities/transfer/formats/row-writer.ts';
import { maxRowLength, transferFormats } from '#subgraphs/entities/transfer/formats/source-row.ts';
import { readText } from '#subgraphs/entities/transfer/formats/text-source.ts';
import { collect, piecesOf, rowsOf, valuesOf } from './source.ts';

const csv = { format: 'CSV' } as const;
const json = { format: 'JSON' } as const;
const ndjson = { format: 'NDJSON' } as const;

describe('CSV', () => {
  it.each([1, 2, 3, 64, 1_000])(
    'reads quotes, line ends in cells and empty cells, in pieces of %i bytes',
    async (size) => {
      const file = 'name,note\r\n"Ada ""the first""","two\nlines"\r\n"",\r\n Zoë , x\r\n';
      expect(await valuesOf(file, csv, size)).toEqual([
        { name: 'Ada "the first"', note: 'two\nlines' },
        { name: '', note: null },
        { name: ' Zoë ', note: ' x' },
      ]);
    },
  );

  it('knows on which line each row begins', async () => {
    const rows = await rowsOf('a,b\r\n"1\n2",x\r\n\r\n3,y\r\n"4\r\n5\r\n6",z\r\n7,u', csv);
    expect(rows.map(({ number, line }) => [number, line])).toEqual([
      [1, 2],
      [2, 5],
      [3, 6],
      [4, 9],
    ]);
  });

  it.each([
    [',', 'a,b\n1,2\n'],
    [';', 'a;b\n1,5;2\n3,5;4\n'],
    ['\t', 'a\tb\n1, 2\t2\n'],
    ['|', 'a|b|c\nx,y|2|3\n'],
    [',', '"a;b;c",d\n"1;2;3",4\n'],
    [',', 'single\nx\n'],
  ])('finds the delimiter %j', (delimiter, text) => {
    expect(sniffDelimiter(text)).toBe(delimiter);
  });

  it('reads what spreadsheets save: a byte order mark, UTF-16, other line ends', async () => {
    const text = 'Größe;Name\r5;Zoë\r';
    const expected = [{ Größe: '5', Name: 'Zoë' }];
    expect(await valuesOf(`\u{feff}${text}`, csv)).toEqual(expected);
    expect(await valuesOf(Buffer.from(`\u{feff}${text}`, 'utf16le'), csv, 3)).toEqual(expected);
    expect(await valuesOf(gzipSync(text), csv, 5)).toEqual(expected);
  });

  it('names columns that have no name, or one that another has', async () => {
    expect(await valuesOf('a,,a,a (2)\n1,2,3,4\n', csv)).toEqual([
      { a: '1', 'column 2': '2', 'a (2)': '3', 'a (2) (2)': '4' },
    ]);
    expect(await valuesOf('__proto__,constructor\n1,2\n', csv)).toEqual([
      Object.fromEntries([
        ['__proto__', '1'],
        ['constructor', '2'],
      ]),
    ]);
  });

  it('reports a row with too many cells and fills one with too few', async () => {
    expect(await valuesOf('a,b\n1,2,3\n4\n5,6,\n', csv)).toEqual([
      'columns',
      { a: '4', b: null },
      { a: '5', b: '6' },
    ]);
  });

  it('ends with a clear error where the rest cannot be read', async () => {
    await expect(rowsOf('', csv)).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: [{ rule: 'header' }],
    });
    await expect(rowsOf('a\n"never closed', csv)).rejects.toMatchObject({ fields: [{ rule: 'csv' }] });
    await expect(rowsOf(`a\n"${'x'.repeat(maxRowLength + 1)}`, csv, 65_536)).rejects.toMatchObject({
      fields: [{ rule: 'csv' }],
    });
    await expect(rowsOf(Buffer.from([97, 10, 0xff, 0xc3]), csv)).rejects.toMatchObject({
      fields: [{ rule: 'encoding' }],
    });
    await expect(rowsOf(gzipSync('a\n1\n').subarray(0, 12), csv)).rejects.toMatchObject({
      fields: [{ rule: 'gzip' }],
    });
  });
});

describe('JSON', () => {
  it.each([1, 5, 1_000])('splits an array into its rows, in pieces of %i bytes', async (size) => {
    const rows = [{ a: 'x, ]}"\\', b: [1, [2, { c: '[' }]] }, { a: null }, { a: 'Zoë ☃', b: -1.5e10 }];
    expect(await valuesOf(JSON.stringify(rows), json, size)).toEqual(rows);
    expect(await valuesOf(JSON.stringify(rows, null, 3), json, size)).toEqual(rows);
  });

  it('numbers rows also where several stand on one line', async () => {
    const rows = await rowsOf('[{"a":1}, {"a":2},\n\n {"a":\n3}]\n', json);
    expect(rows.map(({ number, line }) => [number, line])).toEqual([
      [1, 1],
      [2, 1],
      [3, 3],
    ]);
  });

  it('reports what is no object and reads on', async () => {
    expect(await valuesOf('[{"a":1}, 5, {"a":oops}, [1], null, "x]", {"a":2}]', json)).toEqual([
      { a: 1 },
      'object',
      'syntax',
      'object',
      'object',
      'object',
      { a: 2 },
    ]);
    expect(await valuesOf('[]', json)).toEqual([]);
  });

  it.each([
    ['array', '{"a":1}'],
    ['array', ''],
    ['syntax', '[{"a":1}'],
    ['syntax', '[{"a":1}] x'],
    ['syntax', '[,{"a":1}]'],
  ])('ends with the rule %s where the rest makes no sense', async (rule, text) => {
    await expect(rowsOf(text, json)).rejects.toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ rule }] });
  });

  it('reports what is nested without end, and reads on', async () => {
    const deep = `{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
    const fine = `{"a":${'['.repeat(90)}"[[{"${']'.repeat(90)}}`;
    const values = await valuesOf(`[${deep},${fine},{"a":1}]`, json, 65_536);
    expect([values[0], values[2]]).toEqual(['depth', { a: 1 }]);
    expect(await valuesOf(`${deep}\n{"a":1}`, ndjson, 65_536)).toEqual(['depth', { a: 1 }]);
  });

  it('ends where a row would fill the memory', async () => {
    const text = `[{"a":"${'x'.repeat(maxRowLength + 10)}"}]`;
    await expect(rowsOf(text, json, 65_536)).rejects.toMatchObject({ fields: [{ rule: 'rowLength' }] });
    await expect(rowsOf(text.slice(0, -3), json, 65_536)).rejects.toMatchObject({
      fields: [{ rule: 'rowLength' }],
    });
  });
});

describe('NDJSON', () => {
  it('reads line by line, and reports a line that is none', async () => {
    expect(await valuesOf('{"a":1}\r\n\n{"a":\n{"a":"é"}', ndjson, 3)).toEqual([
      { a: 1 },
      'syntax',
      { a: 'é' },
    ]);
    await expect(rowsOf('x'.repeat(maxRowLength + 1), ndjson, 65_536)).rejects.toMatchObject({
      fields: [{ rule: 'rowLength' }],
    });
  });
});

it('stops at a file that unpacks to more than it may', async () => {
  const bomb = gzipSync(Buffer.alloc(5_000_000, 32));
  expect(bomb.length).toBeLessThan(10_000);
  await expect(collect(readText(piecesOf(bomb, 512), 1_000_000))).rejects.toMatchObject({
    fields: [{ rule: 'size' }],
  });
});

it('lets go of the file when nobody reads on', async () => {
  for (const format of transferFormats) {
    let isClosed = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        if (format === 'JSON') yield Buffer.from('[');
        if (format === 'CSV') yield Buffer.from('a\n');
        for (;;) yield Buffer.from(format === 'CSV' ? '1\n' : `{"a":1}${format === 'JSON' ? ',' : '\n'}`);
      } finally {
        isClosed = true;
      }
    }
    const { readRows } = await import('#subgraphs/entities/transfer/formats/read-rows.ts');
    for await (const row of readRows(endless(), { format, delimiter: null })) if (row.number === 3) break;
    await expect.poll(() => isClosed).toBe(true);
  }
});

/** Text as it comes from people and from attackers. */
const cell = fc.oneof(
  fc.constant(null),
  fc.string({ unit: 'binary', maxLength: 12 }).map((text) => text.toWellFormed()),
  fc.constantFrom(
    '',
    ' ',
    '"',
    ',',
    '\n',
    '\r\n',
    '\r',
    ';',
    '\t',
    'null',
    '[]',
    '{"a":1}',
    '=1+1',
    '\u{feff}',
  ),
);

describe('what is written is read back identically', () => {
  it.each(['CSV', 'JSON', 'NDJSON'] as const)('%s', async (format) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(cell, { minLength: 3, maxLength: 3 }), { maxLength: 20 }),
        fc.constantFrom(',', ';', '\t'),
        fc.integer({ min: 1, max: 50 }),
        async (rows, delimiter, size) => {
          const columns = ['id', 'a b', 'c"d'];
          const withIds = rows.map((row, index) => [`r${index}`, ...row.slice(1)]);
          const writer = createRowWriter({ format, columns, delimiter });
          const text = writer.start() + withIds.map((row) => writer.row(row)).join('') + writer.end();
          const expected = withIds.map((row) =>
            Object.fromEntries(columns.map((column, index) => [column, row[index]])),
          );
          expect(await valuesOf(text, { format, delimiter }, size)).toEqual(expected);
        },
      ),
      { numRuns: 300 },
    );
  });
});
