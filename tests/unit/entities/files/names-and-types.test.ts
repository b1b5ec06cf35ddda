/** What a file is called, and what it is. */
import { describe, expect, it } from 'vitest';
import { decideContentType, readContentType } from '#subgraphs/entities/files/content-types.ts';
import { cleanFileName } from '#subgraphs/entities/files/file-name.ts';

describe('a file name', () => {
  it.each([
    ['photo.jpg', 'photo.jpg'],
    ['/etc/../photo.jpg', 'photo.jpg'],
    ['C:\\Users\\x\\photo.jpg', 'photo.jpg'],
    ['a\r\nSet-Cookie: x\0.txt', 'aSet-Cookie: x.txt'],
    ['annual\u202Egpj.exe', 'annualgpj.exe'],
    ['  ü "quoted"; a=b.txt ', 'ü "quoted"; a=b.txt'],
    ['\ud800.txt', '\ufffd.txt'],
    [`${'x'.repeat(300)}.jpeg`, `${'x'.repeat(250)}.jpeg`],
    ['', null],
    ['   ', null],
    ['..', null],
    ['a/..', null],
    ['dir/', null],
  ])('%j is kept as %j', (given, kept) => {
    expect(cleanFileName(given)).toBe(kept);
  });
});

describe('a media type', () => {
  it.each([
    ['image/png', 'image/png'],
    ['IMAGE/PNG; q="x"', 'image/png'],
    ['image/svg+xml', 'image/svg+xml'],
    ['image/*', null],
    ['image', null],
    ['text/html\r\nx: y', null],
    ['a/b/c', null],
    ['', null],
  ])('%j is read as %j', (given, read) => {
    expect(readContentType(given)).toBe(read);
  });

  const heads = {
    'image/png': '89504e470d0a1a0a0000',
    'image/jpeg': 'ffd8ffe000104a46',
    'image/gif': '474946383961',
    'image/webp': '524946460000000057454250',
    'image/avif': '0000002066747970617669660000',
    'application/pdf': '255044462d312e37',
  };

  it.each(Object.entries(heads))('%s is known by its beginning, and refused for another', (type, hex) => {
    const head = Buffer.from(hex, 'hex');
    expect(decideContentType(null, head)).toBe(type);
    expect(decideContentType(type, head)).toBe(type);
    for (const other of Object.keys(heads).filter((one) => one !== type))
      expect(() => decideContentType(other, head)).toThrow(`says it is ${other}`);
    for (const length of [0, 2]) expect(() => decideContentType(type, head.subarray(0, length))).toThrow();
  });

  it('that is not known by its beginning is what it says, and unknown where it says nothing', () => {
    expect(decideContentType('text/html', Buffer.from('<html>'))).toBe('text/html');
    expect(decideContentType(null, Buffer.from('<html>'))).toBe('application/octet-stream');
    expect(decideContentType(null, Buffer.alloc(0))).toBe('application/octet-stream');
  });
});
