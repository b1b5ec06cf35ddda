/** The content of transfers where the entities subgraph is a process of its own. */
import { Readable } from 'node:stream';
import { Pool } from 'undici';
import type { ClaimsSigner } from '#gateway/execution/http/claims-signer.ts';
import { signedClaims } from '#schema/claims.ts';
import { DomainError, type ErrorCode } from '#schema/errors.ts';
import { subgraphHeaders } from '#schema/subgraph-protocol.ts';
import {
  type ContentRequest,
  fileNameHeader,
  internalContentPath,
  type TransferContent,
} from '#schema/transfer-content.ts';

export interface RemoteTransfersOptions {
  /** "http://entities:4002" */
  readonly url: string;
  readonly signer: ClaimsSigner;
}

interface Refusal {
  errors?: { message: string; extensions?: { code?: string; fields?: [] } }[];
}

/** Throws what the subgraph refused with, or SUBGRAPH_UNAVAILABLE. */
export function createRemoteTransfers({
  url,
  signer,
}: RemoteTransfersOptions): TransferContent & AsyncDisposable {
  // An upload takes as long as its client does; who is silent for long is given up.
  const pool = new Pool(new URL(url).origin, { headersTimeout: 0, bodyTimeout: 120_000 });

  async function headersOf({ claims, requestId }: ContentRequest): Promise<Record<string, string>> {
    return { [signedClaims.header]: await signer.sign(claims), [subgraphHeaders.requestId]: requestId };
  }

  const unavailable = (cause: unknown): DomainError =>
    new DomainError('SUBGRAPH_UNAVAILABLE', 'The subgraph "entities" does not answer.', { cause });

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

  return {
    async put(upload) {
      const headers = await headersOf(upload);
      headers['content-type'] = 'application/octet-stream';
      if (upload.fileName !== null) headers[fileNameHeader] = encodeURIComponent(upload.fileName);
      const body = Readable.from(upload.body);
      const path = internalContentPath(encodeURIComponent(upload.transferId));
      const answer = await pool.request({ method: 'PUT', path, headers, body }).catch((error: unknown) => {
        throw unavailable(error);
      });
      if (answer.statusCode !== 200) return throwRefusal(answer.body);
      return (await answer.body.json()) as Awaited<ReturnType<TransferContent['put']>>;
    },

    async get(request) {
      const headers = await headersOf(request);
      const path = internalContentPath(encodeURIComponent(request.transferId));
      const answer = await pool.request({ method: 'GET', path, headers }).catch((error: unknown) => {
        throw unavailable(error);
      });
      if (answer.statusCode !== 200) return throwRefusal(answer.body);
      return {
        bytes: Number(answer.headers['content-length']),
        contentType: String(answer.headers['content-type']),
        fileName: decodeURIComponent(String(answer.headers[fileNameHeader] ?? 'transfer')),
        body: answer.body,
      };
    },

    [Symbol.asyncDispose]: () => pool.destroy(),
  };
}
