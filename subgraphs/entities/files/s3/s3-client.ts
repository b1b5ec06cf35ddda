/** Requests to an S3-compatible store, signed (AWS Signature Version 4, by aws4), path-style, tried again where that helps. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import aws4 from 'aws4';
import { type Dispatcher, Pool } from 'undici';
import { DomainError } from '#schema/errors.ts';

export interface S3Options {
  /** "https://s3.eu-central-1.amazonaws.com", "http://minio:9000". */
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface S3Request {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** In the bucket; empty: the bucket itself. */
  readonly key: string;
  /** Values of an empty text have no `=`. */
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** In memory, so that it can be sent again. */
  readonly body?: Buffer;
}

export interface S3Client extends AsyncDisposable {
  /** Any status below 500. SUBGRAPH_UNAVAILABLE where the store does not answer, or not well, also when asked again. */
  send(request: S3Request): Promise<Dispatcher.ResponseData>;
}

const attempts = 3;
/** Before the second attempt; twice as long before the third. */
const pauseMs = 200;

export function createS3Client(options: S3Options): S3Client {
  const { bucket, region, accessKeyId, secretAccessKey } = options;
  const { origin, host, pathname } = new URL(options.endpoint);
  const base = `${pathname.replace(/\/$/, '')}/${encodeURIComponent(bucket)}`;
  const pool = new Pool(origin, { headersTimeout: 60_000, bodyTimeout: 120_000, connections: 64 });

  function sign({ method, key, query = {}, headers = {}, body }: S3Request): {
    path: string;
    headers: Record<string, string>;
  } {
    const parameters = Object.entries(query).map(
      ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
    );
    const path = `${base}${key === '' ? '' : `/${key}`}${parameters.length > 0 ? `?${parameters.join('&')}` : ''}`;
    const content = body ?? Buffer.alloc(0);
    const signed = aws4.sign(
      {
        ...{ service: 's3', region, method, host, path },
        headers: {
          ...headers,
          'content-type': 'application/octet-stream',
          ...(body ? { 'content-length': String(body.length) } : {}),
          'x-amz-content-sha256': createHash('sha256').update(content).digest('hex'),
        },
      },
      { accessKeyId, secretAccessKey },
    );
    return { path: signed.path ?? path, headers: signed.headers as Record<string, string> };
  }

  return {
    async send(request) {
      let cause: unknown;
      for (let attempt = 1; attempt <= attempts; attempt++) {
        if (attempt > 1) await sleep(pauseMs * 2 ** (attempt - 2));
        try {
          // Signed for each attempt: a signature is good for a few minutes only.
          const { path, headers } = sign(request);
          const answer = await pool.request({
            method: request.method,
            path,
            headers,
            body: request.body ?? null,
          });
          if (answer.statusCode < 500) return answer;
          cause = new Error(await describeRefusal(answer));
        } catch (error) {
          cause = error;
        }
      }
      throw new DomainError('SUBGRAPH_UNAVAILABLE', 'The store of files does not answer; try again', {
        cause,
      });
    },
    [Symbol.asyncDispose]: () => pool.destroy(),
  };
}

/** What the store said, for logs; nothing of the request is in it. Reads the answer to its end. */
export async function describeRefusal(answer: Dispatcher.ResponseData): Promise<string> {
  const text = await answer.body.text().catch(() => '');
  const code = elementOf(text, 'Code') ?? 'no code';
  return `the store of files answered ${answer.statusCode} (${code})`;
}

/** The text of the first element of this name. The few answers that are read hold no entities within. */
export function elementOf(xml: string, name: string): string | null {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? null;
}
