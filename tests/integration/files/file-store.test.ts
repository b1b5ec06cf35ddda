/** One contract for every store of files: on disk, and S3-compatible. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDiskFiles } from '#subgraphs/entities/files/disk-files.ts';
import type { Bytes, FileStore } from '#subgraphs/entities/files/file-store.ts';
import { createS3Files, partBytes } from '#subgraphs/entities/files/s3/s3-files.ts';
import { type S3Server, startS3Server } from '#tests/harness/s3/s3-server.ts';

interface Subject extends AsyncDisposable {
  readonly store: FileStore;
  /** Whatever lies in it, whole or not. */
  count(): Promise<number>;
  /** Something that a writer left behind long ago. */
  leaveHalf(tenantId: string): Promise<void>;
}

async function createDiskSubject(): Promise<Subject> {
  const folder = await mkdtemp(join(tmpdir(), 'tenantry-files-'));
  const names = async (): Promise<string[]> =>
    (await readdir(folder, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name);
  return {
    store: createDiskFiles(folder),
    count: async () => (await names()).length,
    async leaveHalf(tenantId) {
      const store = createDiskFiles(folder);
      const id = randomUUID();
      await store.write(tenantId, id, bytesOf('x'), 10);
      await store.remove(tenantId, id);
      const path = join(folder, tenantId, `${id}.${randomUUID()}.part`);
      await writeFile(path, 'half');
      await utimes(path, new Date(0), new Date(0));
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

async function createS3Subject(): Promise<Subject & { server: S3Server }> {
  const server = await startS3Server();
  const store = createS3Files(server.options);
  return {
    ...{ server, store },
    count: async () => server.objects.size + server.openUploads().length,
    async leaveHalf(tenantId) {
      const stopped = new Error('stopped');
      async function* cut(): Bytes extends AsyncIterable<infer Chunk> ? AsyncGenerator<Chunk> : never {
        yield randomBytes(partBytes + 1);
        // The process dies: nobody aborts what it has begun.
        server.fail(1_000, 503);
        throw stopped;
      }
      await expect(store.write(tenantId, randomUUID(), cut(), partBytes * 4)).rejects.toBe(stopped);
      server.fail(0, 503);
      for (const id of server.openUploads()) server.makeOlder(id, 48 * 3_600_000);
    },
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function* bytesOf(...parts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === 'string' ? Buffer.from(part) : part;
}

async function collect(content: Bytes): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const tenant = randomUUID();
const ample = 1_000_000_000;

describe.each([
  ['on disk', createDiskSubject],
  ['S3-compatible', createS3Subject],
])('a store of files %s', (_name, create) => {
  let subject: Subject;
  let store: FileStore;
  beforeAll(async () => {
    subject = await create();
    store = subject.store;
  });
  afterAll(() => subject[Symbol.asyncDispose]());

  it.each([0, 1, 100_000, partBytes - 1, partBytes, partBytes + 1, 2 * partBytes, 20_000_000])(
    'gives back %d bytes as they were',
    async (length) => {
      const id = randomUUID();
      const bytes = randomBytes(length);
      // In pieces that fit nothing.
      const pieces = Array.from({ length: Math.ceil(length / 777_777) }, (_, i) =>
        bytes.subarray(i * 777_777, (i + 1) * 777_777),
      );
      expect(await store.write(tenant, id, bytesOf(...pieces), Math.max(1, length))).toEqual({
        bytes: length,
        sha256: sha256(bytes),
      });
      const found = await store.read(tenant, id);
      expect(found?.bytes).toBe(length);
      expect(sha256(await collect(found!.content))).toBe(sha256(bytes));
    },
  );

  it('gives back a range, with both its ends', async () => {
    const id = randomUUID();
    await store.write(tenant, id, bytesOf('0123456789'), 10);
    for (const [first, last, text] of [
      [0, 0, '0'],
      [2, 5, '2345'],
      [9, 9, '9'],
      [0, 9, '0123456789'],
    ] as const) {
      const found = await store.read(tenant, id, { first, last });
      expect(found?.bytes).toBe(10);
      expect((await collect(found!.content)).toString()).toBe(text);
    }
  });

  it('knows nothing of another tenant, nor of what was never there or is removed', async () => {
    const id = randomUUID();
    await store.write(tenant, id, bytesOf('x'), 10);
    expect(await store.read(randomUUID(), id)).toBeNull();
    await store.remove(randomUUID(), id);
    expect(await store.read(tenant, randomUUID())).toBeNull();
    expect((await collect((await store.read(tenant, id))!.content)).toString()).toBe('x');
    await store.remove(tenant, id);
    expect(await store.read(tenant, id)).toBeNull();
    await store.remove(tenant, id);
  });

  it('takes nothing as a name but ids', async () => {
    for (const [tenantId, id] of [
      ['../x', randomUUID()],
      [tenant, '../../etc/passwd'],
      [tenant, ''],
      ['', randomUUID()],
    ] as const) {
      await expect(store.write(tenantId, id, bytesOf('x'), 10)).rejects.toThrow('known by the ids');
      await expect(store.read(tenantId, id)).rejects.toThrow('known by the ids');
      await expect(store.remove(tenantId, id)).rejects.toThrow('known by the ids');
    }
  });

  it.each([10, partBytes * 2])('keeps nothing of what is larger than %d bytes', async (limit) => {
    const before = await subject.count();
    const id = randomUUID();
    const refused = store.write(tenant, id, bytesOf(randomBytes(limit), 'x'), limit);
    await expect(refused).rejects.toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ rule: 'size' }] });
    expect(await store.read(tenant, id)).toBeNull();
    expect(await subject.count()).toBe(before);
  });

  it.each([3, partBytes * 2 + 3])(
    'keeps nothing of what fails after %d bytes, and what was there before',
    async (length) => {
      const id = randomUUID();
      await store.write(tenant, id, bytesOf('before'), 10);
      const before = await subject.count();
      async function* failing(): AsyncGenerator<Uint8Array> {
        yield randomBytes(length);
        throw new Error('hung up');
      }
      await expect(store.write(tenant, id, failing(), ample)).rejects.toThrow('hung up');
      expect((await collect((await store.read(tenant, id))!.content)).toString()).toBe('before');
      expect(await subject.count()).toBe(before);
    },
  );

  it('ends with one whole content where two are written at once', async () => {
    const id = randomUUID();
    const [one, two] = [randomBytes(partBytes + 5), randomBytes(partBytes + 9)];
    await Promise.all([one, two].map((bytes) => store.write(tenant, id, bytesOf(bytes), ample)));
    const hash = sha256(await collect((await store.read(tenant, id))!.content));
    expect([sha256(one), sha256(two)]).toContain(hash);
  });

  it('lets go of what is not read to its end', async () => {
    const id = randomUUID();
    await store.write(tenant, id, bytesOf(randomBytes(5_000_000)), ample);
    const content = Readable.from((await store.read(tenant, id))!.content, { objectMode: false });
    for await (const chunk of content) {
      expect((chunk as Buffer).length).toBeGreaterThan(0);
      break;
    }
    expect(content.destroyed).toBe(true);
    await store.remove(tenant, id);
  });

  it('removes what a writer that died left half done, and nothing that is newer or whole', async () => {
    const id = randomUUID();
    await store.write(tenant, id, bytesOf('whole'), 10);
    await store.removeAbandoned(new Date(Date.now() - 24 * 3_600_000));
    const before = await subject.count();
    await subject.leaveHalf(tenant);
    expect(await subject.count()).toBe(before + 1);
    expect(await store.removeAbandoned(new Date(-1_000))).toBe(0);
    expect(await store.removeAbandoned(new Date(Date.now() - 24 * 3_600_000))).toBe(1);
    expect(await subject.count()).toBe(before);
    expect(await store.read(tenant, id)).not.toBeNull();
  });
});

describe('an S3-compatible store', () => {
  it('is asked again where it fails for a moment, and given up with a code where it goes on', async () => {
    await using subject = await createS3Subject();
    const { server, store } = subject;
    const id = randomUUID();
    for (const status of [500, 503, 0]) {
      server.fail(2, status);
      await store.write(tenant, id, bytesOf(`after ${status}`), 100);
      expect(server.objects.get(`${tenant}/${id}`)?.toString()).toBe(`after ${status}`);
    }
    server.fail(100, 503);
    await expect(store.read(tenant, id)).rejects.toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE' });
    server.fail(0, 503);
  });

  it('holds one part of a large file in memory', async () => {
    await using subject = await createS3Subject();
    const id = randomUUID();
    await subject.store.write(
      tenant,
      id,
      bytesOf(...Array.from({ length: 40 }, () => randomBytes(10 ** 6))),
      ample,
    );
    expect(subject.server.largestBody()).toBe(partBytes);
  });

  it('is told apart by its credentials, and tells none of them', async () => {
    await using subject = await createS3Subject();
    for (const change of [
      { secretAccessKey: 'wrong-secret' },
      { accessKeyId: 'WRONGKEY' },
      { region: 'us-east-1' },
    ]) {
      await using stranger = createS3Files({ ...subject.server.options, ...change });
      const refused: Error = await stranger.write(tenant, randomUUID(), bytesOf('x'), 10).then(
        () => new Error('written'),
        (error: Error) => error,
      );
      expect(refused.message).toMatch(/answered 40[03] \(\w+\)$/);
      expect(refused.message).not.toMatch(/wrong-secret|AKIATEST|WRONGKEY/);
    }
    expect(subject.server.objects.size).toBe(0);
  });
});
