/**
 * A small S3: one bucket in memory, over HTTP, path-style. It checks each signature, and that a body is what was signed,
 * and refuses what S3 refuses.
 */
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { S3Options } from '#subgraphs/entities/files/s3/s3-client.ts';
import { computeSignature, readSignature } from './signature-v4.ts';

export interface S3Server extends AsyncDisposable {
  readonly options: S3Options;
  /** By key. */
  readonly objects: Map<string, Buffer>;
  /** Ids of uploads in parts that were neither ended nor aborted. */
  openUploads(): string[];
  /** As if it had begun earlier. */
  makeOlder(uploadId: string, ms: number): void;
  /** The next `count` requests are answered with this status, or not at all (0). */
  fail(count: number, status: number): void;
  /** The greatest body so far. */
  readonly largestBody: () => number;
}

/** S3 refuses smaller parts, but for the last. */
const minPartBytes = 5 * 2 ** 20;
const clockSkewMs = 15 * 60_000;

interface OpenUpload {
  readonly key: string;
  begunAt: number;
  readonly parts: Map<number, Buffer>;
}

class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

export async function startS3Server(): Promise<S3Server> {
  const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'a/secret+of=this test' };
  const [bucket, region] = ['tenantry-files', 'eu-test-1'];
  const objects = new Map<string, Buffer>();
  const uploads = new Map<string, OpenUpload>();
  let failing = { count: 0, status: 503 };
  let largest = 0;

  function authorize(request: IncomingMessage, body: Buffer): void {
    const signed = { method: request.method ?? '', url: request.url ?? '', headers: request.headers };
    const given = readSignature(signed);
    if (!given || given.accessKeyId !== credentials.accessKeyId) throw new Refusal(403, 'InvalidAccessKeyId');
    if (given.region !== region) throw new Refusal(400, 'AuthorizationHeaderMalformed');
    const time = given.time.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z');
    if (!(Math.abs(Date.now() - Date.parse(time)) < clockSkewMs))
      throw new Refusal(403, 'RequestTimeTooSkewed');
    for (const name of ['host', 'x-amz-content-sha256', 'x-amz-date'])
      if (!given.signedHeaders.includes(name)) throw new Refusal(403, 'AccessDenied');
    const expected = computeSignature(signed, { ...given, secret: credentials.secretAccessKey });
    if (given.signature !== expected) throw new Refusal(403, 'SignatureDoesNotMatch');
    if (request.headers['x-amz-content-sha256'] !== createHash('sha256').update(body).digest('hex'))
      throw new Refusal(400, 'XAmzContentSHA256Mismatch');
  }

  function answer(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    authorize(request, body);
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://s3');
    const [, ofBucket = '', key = ''] = /^\/([^/]+)(?:\/(.+))?$/.exec(pathname) ?? [];
    if (ofBucket !== bucket) throw new Refusal(404, 'NoSuchBucket');
    const uploadId = searchParams.get('uploadId');
    const xml = (text: string): void => {
      response.writeHead(200, { 'content-type': 'application/xml' }).end(`<?xml version="1.0"?>${text}`);
    };
    const upload = uploadId === null ? undefined : uploads.get(uploadId);
    if (uploadId !== null && upload?.key !== key) throw new Refusal(404, 'NoSuchUpload');

    if (request.method === 'GET' && key === '' && searchParams.has('uploads')) {
      const listed = [...uploads].map(
        ([id, open]) =>
          `<Upload><Key>${open.key}</Key><UploadId>${id}</UploadId><Initiated>${new Date(open.begunAt).toISOString()}</Initiated></Upload>`,
      );
      return xml(`<ListMultipartUploadsResult>${listed.join('')}</ListMultipartUploadsResult>`);
    }
    if (key === '') throw new Refusal(405, 'MethodNotAllowed');
    if (request.method === 'POST' && searchParams.has('uploads')) {
      const id = randomUUID();
      uploads.set(id, { key, begunAt: Date.now(), parts: new Map() });
      return xml(`<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`);
    }
    if (request.method === 'PUT') {
      if (request.headers['content-length'] === undefined) throw new Refusal(411, 'MissingContentLength');
      const etag = etagOf(body);
      if (upload) upload.parts.set(Number(searchParams.get('partNumber')), body);
      else objects.set(key, body);
      return void response.writeHead(200, { etag }).end();
    }
    if (request.method === 'POST' && upload && uploadId !== null) {
      const parts = [...body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>([^<]*)<\/ETag>/g)];
      const content = parts.map(([, number, etag], index) => {
        const part = upload.parts.get(Number(number));
        if (!part || etagOf(part) !== etag) throw new Refusal(400, 'InvalidPart');
        if (part.length < minPartBytes && index < parts.length - 1) throw new Refusal(400, 'EntityTooSmall');
        return part;
      });
      if (content.length === 0) throw new Refusal(400, 'MalformedXML');
      objects.set(key, Buffer.concat(content));
      uploads.delete(uploadId);
      return xml(
        `<CompleteMultipartUploadResult><ETag>"x-${content.length}"</ETag></CompleteMultipartUploadResult>`,
      );
    }
    if (request.method === 'DELETE') {
      if (uploadId !== null) uploads.delete(uploadId);
      else objects.delete(key);
      return void response.writeHead(204).end();
    }
    const object = objects.get(key);
    if (!object) throw new Refusal(404, 'NoSuchKey');
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    if (first === undefined || last === undefined)
      return void response.writeHead(200, { 'content-length': object.length }).end(object);
    if (Number(first) >= object.length) throw new Refusal(416, 'InvalidRange');
    const part = object.subarray(Number(first), Number(last) + 1);
    response
      .writeHead(206, {
        'content-length': part.length,
        'content-range': `bytes ${first}-${Number(first) + part.length - 1}/${object.length}`,
      })
      .end(part);
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    largest = Math.max(largest, body.length);
    if (failing.count > 0) {
      failing.count -= 1;
      if (failing.status === 0) return void request.socket.destroy();
      return void response.writeHead(failing.status).end('<Error><Code>SlowDown</Code></Error>');
    }
    try {
      answer(request, response, body);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      response.writeHead(error.status).end(`<Error><Code>${error.code}</Code></Error>`);
    }
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => request.socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    options: { ...credentials, bucket, region, endpoint: `http://127.0.0.1:${port}` },
    objects,
    openUploads: () => [...uploads.keys()],
    makeOlder(uploadId, ms) {
      const upload = uploads.get(uploadId);
      if (upload) upload.begunAt -= ms;
    },
    fail(count, status) {
      failing = { count, status };
    },
    largestBody: () => largest,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function etagOf(body: Buffer): string {
  return `"${createHash('md5').update(body).digest('hex')}"`;
}
