import { Pool } from 'undici';
import { signedClaims, type Claims } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import { createCircuitBreaker } from './circuit-breaker.ts';
import type { ClaimsSigner } from './claims-signer.ts';
import { exchange } from './exchange.ts';

export interface TransportOptions {
  /** The subgraph's name, for messages. */
  readonly name: string;
  /** Where it is: "http://entities:4002"; a path is kept as a prefix. */
  readonly url: string;
  /** Null: the subgraph is not ours and gets no claims. */
  readonly signer: ClaimsSigner | null;
  /** From sending to the last byte. Default 15,000. */
  readonly timeoutMs?: number;
  /** Larger answers are given up. Default 32 MB. */
  readonly maxResponseBytes?: number;
  /** Connections kept open to this subgraph. Default 64. */
  readonly connections?: number;
}

export interface TransportRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly claims: Claims;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** Whether it may be sent twice: then a broken connection is tried once more. */
  readonly idempotent: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Signed JSON requests to one subgraph over a pool of connections. */
export interface Transport extends AsyncDisposable {
  /** Throws SUBGRAPH_UNAVAILABLE (down), GATEWAY_TIMEOUT, and the signal's reason when it aborts. */
  request(request: TransportRequest): Promise<TransportAnswer>;
}

export interface TransportAnswer {
  readonly status: number;
  readonly text: string;
}

/** Answered by proxies for a server that is not there (yet). */
const temporaryStatuses = new Set([502, 503, 504]);

export function createTransport(options: TransportOptions): Transport {
  const { name, signer, timeoutMs = 15_000, maxResponseBytes = 32 * 2 ** 20, connections = 64 } = options;
  const base = new URL(options.url);
  const prefix = base.pathname.replace(/\/$/, '');
  // The one timeout is ours, over the whole exchange.
  const pool = new Pool(base.origin, {
    connections,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: 30_000,
  });

  const breaker = createCircuitBreaker();
  const unavailable = (message: string, cause?: unknown): DomainError =>
    new DomainError('SUBGRAPH_UNAVAILABLE', `The subgraph "${name}" ${message}.`, { cause });

  const timeoutError = (): Error =>
    new DomainError('GATEWAY_TIMEOUT', `The subgraph "${name}" did not answer in time.`);
  const tooLargeError = (): Error => unavailable(`answered more than ${maxResponseBytes} bytes`);

  async function attempt({
    method,
    path,
    body,
    claims,
    headers,
    signal,
  }: TransportRequest): Promise<TransportAnswer> {
    const sent = ['accept', 'application/json'];
    if (signer) sent.push(signedClaims.header, await signer.sign(claims));
    if (body !== undefined) sent.push('content-type', 'application/json');
    for (const key in headers) sent.push(key, headers[key] as string);
    const limits = { timeoutMs, timeoutError, maxBytes: maxResponseBytes, tooLargeError, signal };
    try {
      return await exchange(pool, { method, path: prefix + path, headers: sent, body: body ?? null }, limits);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw error instanceof DomainError ? error : unavailable('does not answer', error);
    }
  }

  /** Counts what an attempt tells of the subgraph's health. */
  async function guarded(request: TransportRequest): Promise<TransportAnswer> {
    if (!breaker.admit()) throw unavailable('was not there a moment ago');
    try {
      const answer = await attempt(request);
      if (temporaryStatuses.has(answer.status)) breaker.failed();
      else breaker.succeeded();
      return answer;
    } catch (error) {
      if (request.signal?.aborted) breaker.abandoned();
      else breaker.failed();
      throw error;
    }
  }

  return {
    async request(request) {
      const mayRetry = request.idempotent;
      try {
        const answer = await guarded(request);
        if (!mayRetry || !temporaryStatuses.has(answer.status)) return answer;
      } catch (error) {
        const broken = error instanceof DomainError && error.code === 'SUBGRAPH_UNAVAILABLE';
        if (!mayRetry || !broken) throw error;
      }
      return guarded(request);
    },
    [Symbol.asyncDispose]: () => pool.destroy(),
  };
}

/** Undefined for what is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
