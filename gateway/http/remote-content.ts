/** Streams to and from the entities subgraph where it is a process of its own, with the caller's signed claims. */
import { Readable } from 'node:stream';
import { type Dispatcher, Pool } from 'undici';
import type { ClaimsSigner } from '#gateway/execution/http/claims-signer.ts';
import { type Claims, signedClaims } from '#schema/claims.ts';
import { DomainError, type ErrorCode, type FieldError } from '#schema/errors.ts';
import { subgraphHeaders } from '#schema/subgraph-protocol.ts';

export interface RemoteContentOptions {
  /** "http://entities:4002" */
  readonly url: string;
  readonly signer: ClaimsSigner;
}

export interface ContentCall {
  readonly method: 'GET' | 'PUT';
  readonly path: string;
  readonly claims: Claims;
  readonly requestId: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: AsyncIterable<Uint8Array>;
}

export interface RemoteContent extends AsyncDisposable {
  /** The answer, whose status is 200. Throws what the subgraph refused with, or SUBGRAPH_UNAVAILABLE. */
  call(call: ContentCall): Promise<Dispatcher.ResponseData>;
}

interface Refusal {
  errors?: { message: string; extensions?: { code?: string; fields?: FieldError[] } }[];
}

export function createRemoteContent({ url, signer }: RemoteContentOptions): RemoteContent {
  // An upload takes as long as its client does; who is silent for long is given up.
  const pool = new Pool(new URL(url).origin, { headersTimeout: 0, bodyTimeout: 120_000 });

  return {
    async call({ method, path, claims, requestId, headers = {}, body }) {
      const own = {
        [signedClaims.header]: await signer.sign(claims),
        [subgraphHeaders.requestId]: requestId,
      };
      const source = body ? Readable.from(body) : null;
      const sent = { ...headers, ...own, ...(source ? { 'content-type': 'application/octet-stream' } : {}) };
      try {
        const answer = await pool.request({ method, path, headers: sent, body: source });
        if (answer.statusCode !== 200) await throwRefusal(answer.body);
        return answer;
      } catch (error) {
        throw error instanceof DomainError ? error : unavailable(error);
      }
    },
    [Symbol.asyncDispose]: () => pool.destroy(),
  };
}

async function throwRefusal(body: { json(): Promise<unknown> }): Promise<never> {
  const { errors } = (await body.json().catch(() => ({}))) as Refusal;
  const [error] = errors ?? [];
  if (!error) throw unavailable(null);
  const { code, fields } = error.extensions ?? {};
  throw new DomainError(
    (code ?? 'INTERNAL_SERVER_ERROR') as ErrorCode,
    error.message,
    fields ? { fields } : {},
  );
}

function unavailable(cause: unknown): DomainError {
  return new DomainError('SUBGRAPH_UNAVAILABLE', 'The subgraph "entities" does not answer.', { cause });
}
