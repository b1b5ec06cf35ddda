/**
 * Files in a bucket: `<tenant>/<content>`. A short file is one request, a longer one goes up in parts, of which one
 * stands in memory for each upload.
 */
import type { Dispatcher } from 'undici';
import { type Bytes, contentName, type FileStore, measure } from '../file-store.ts';
import { createS3Client, describeRefusal, elementOf, type S3Options, type S3Request } from './s3-client.ts';

/** S3 wants 5 MiB or more of every part but the last, and at most 10,000 of them: 80 GiB. */
export const partBytes = 8 * 2 ** 20;

/** Dispose it after whoever reads and writes. */
export function createS3Files(options: S3Options): FileStore & AsyncDisposable {
  const client = createS3Client(options);

  /** Throws for every status but these. */
  async function ask(
    request: S3Request,
    expected: readonly number[] = [200],
  ): Promise<Dispatcher.ResponseData> {
    const answer = await client.send(request);
    if (expected.includes(answer.statusCode)) return answer;
    throw new Error(await describeRefusal(answer));
  }

  async function putWhole(key: string, body: Buffer): Promise<void> {
    await (await ask({ method: 'PUT', key, body })).body.dump();
  }

  async function putPart(key: string, uploadId: string, number: number, body: Buffer): Promise<string> {
    const query = { partNumber: String(number), uploadId };
    const answer = await ask({ method: 'PUT', key, query, body });
    await answer.body.dump();
    const etag = answer.headers['etag'];
    if (typeof etag !== 'string') throw new Error('the store of files gave a part no ETag');
    return etag;
  }

  async function putParts(key: string, first: Buffer, rest: AsyncIterator<Buffer>): Promise<void> {
    const begun = await ask({ method: 'POST', key, query: { uploads: '' } });
    const uploadId = elementOf(await begun.body.text(), 'UploadId');
    if (uploadId === null) throw new Error('the store of files gave an upload no id');
    try {
      const etags = [await putPart(key, uploadId, 1, first)];
      for (let step = await rest.next(); !step.done; step = await rest.next()) {
        etags.push(await putPart(key, uploadId, etags.length + 1, step.value));
      }
      const parts = etags.map(
        (etag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag}</ETag></Part>`,
      );
      const body = Buffer.from(`<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`);
      const ended = await ask({ method: 'POST', key, query: { uploadId }, body });
      // The status comes before the work is done, the outcome with the body.
      const outcome = await ended.body.text();
      if (elementOf(outcome, 'ETag') === null)
        throw new Error(
          `the store of files did not end an upload (${elementOf(outcome, 'Code') ?? 'no code'})`,
        );
    } catch (error) {
      await abort(key, uploadId).catch(() => {});
      throw error;
    }
  }

  async function abort(key: string, uploadId: string): Promise<void> {
    const answer = await ask({ method: 'DELETE', key, query: { uploadId } }, [200, 204, 404]);
    await answer.body.dump();
  }

  return {
    async write(tenantId, contentId, bytes, maxBytes) {
      const key = keyOf(tenantId, contentId);
      const measured = measure(bytes, maxBytes);
      const parts = inParts(measured.content)[Symbol.asyncIterator]();
      try {
        const first = await parts.next();
        if (first.done || first.value.length < partBytes)
          await putWhole(key, first.done ? Buffer.alloc(0) : first.value);
        else await putParts(key, first.value, parts);
      } finally {
        await parts.return?.(undefined);
      }
      return measured.written();
    },

    async read(tenantId, contentId, range) {
      const headers: Record<string, string> = range ? { range: `bytes=${range.first}-${range.last}` } : {};
      const answer = await ask({ method: 'GET', key: keyOf(tenantId, contentId), headers }, [200, 206, 404]);
      if (answer.statusCode === 404) {
        await answer.body.dump();
        return null;
      }
      const whole = /\/(\d+)$/.exec(String(answer.headers['content-range'] ?? ''))?.[1];
      return { bytes: Number(whole ?? answer.headers['content-length']), content: answer.body };
    },

    async remove(tenantId, contentId) {
      const answer = await ask({ method: 'DELETE', key: keyOf(tenantId, contentId) }, [200, 204, 404]);
      await answer.body.dump();
    },

    async removeAbandoned(before) {
      const answer = await ask({ method: 'GET', key: '', query: { uploads: '' } });
      let removed = 0;
      for (const [, upload = ''] of (await answer.body.text()).matchAll(/<Upload>(.*?)<\/Upload>/gs)) {
        const [key, uploadId] = [elementOf(upload, 'Key'), elementOf(upload, 'UploadId')];
        const begun = Date.parse(elementOf(upload, 'Initiated') ?? '');
        if (key === null || uploadId === null || !(begun < before.getTime())) continue;
        // The bucket may hold more than is ours.
        if (!/^[0-9a-f-]{36}\/[0-9a-f-]{36}$/.test(key)) continue;
        await abort(key, uploadId);
        removed += 1;
      }
      return removed;
    },

    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

function keyOf(tenantId: string, contentId: string): string {
  const { tenant, content } = contentName(tenantId, contentId);
  return `${tenant}/${content}`;
}

/** Buffers of `partBytes`, the last one shorter; none where there are no bytes. Each is the receiver's own. */
async function* inParts(bytes: Bytes): AsyncGenerator<Buffer> {
  let chunks: Uint8Array[] = [];
  let held = 0;
  for await (const chunk of bytes) {
    let rest = chunk;
    while (held + rest.length >= partBytes) {
      const taken = partBytes - held;
      yield Buffer.concat([...chunks, rest.subarray(0, taken)]);
      rest = rest.subarray(taken);
      chunks = [];
      held = 0;
    }
    if (rest.length > 0) chunks.push(rest);
    held += rest.length;
  }
  if (held > 0) yield Buffer.concat(chunks);
}
