import type { Dispatcher } from 'undici';

/** What is sent: headers as name, value, name, value, which costs least to write. */
export interface ExchangeRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: string[];
  readonly body: string | null;
}

export interface ExchangeLimits {
  /** From sending to the last byte. */
  readonly timeoutMs: number;
  /** What is thrown then. */
  readonly timeoutError: () => Error;
  readonly maxBytes: number;
  readonly tooLargeError: () => Error;
  readonly signal: AbortSignal | undefined;
}

export interface Exchanged {
  readonly status: number;
  readonly text: string;
}

/**
 * One request and its whole answer, straight off the dispatcher: the streams and signals of `pool.request` cost more
 * than everything else that a small answer needs. Rejects with the limits' errors, the signal's reason, or the
 * connection's error.
 */
export function exchange(
  dispatcher: Dispatcher,
  { method, path, headers, body }: ExchangeRequest,
  limits: ExchangeLimits,
): Promise<Exchanged> {
  return new Promise((resolve, reject) => {
    const { signal } = limits;
    let controller: Dispatcher.DispatchController | null = null;
    let failure: Error | null = null;
    let status = 0;
    let chunks: Buffer[] = [];
    let size = 0;

    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    // The caller is told at once; the connection is given up as soon as there is one.
    const fail = (error: Error): void => {
      if (failure) return;
      failure = error;
      settle();
      controller?.abort(error);
      reject(error);
    };
    const onAbort = (): void => fail(reasonOf(signal));
    const timer = setTimeout(() => fail(limits.timeoutError()), limits.timeoutMs);
    if (signal?.aborted) return onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });

    dispatcher.dispatch(
      { method, path, headers, body },
      {
        onRequestStart(started) {
          controller = started;
          if (failure) started.abort(failure);
        },
        onResponseStart(_controller, statusCode) {
          // An interim answer (1xx) comes before the one that counts.
          status = statusCode;
        },
        onResponseData(_controller, chunk) {
          size += chunk.length;
          if (size > limits.maxBytes) {
            chunks = [];
            fail(limits.tooLargeError());
          } else {
            chunks.push(chunk);
          }
        },
        onResponseEnd() {
          settle();
          const bytes = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, size);
          resolve({ status, text: bytes.toString() });
        },
        onResponseError(_controller, error) {
          fail(error);
        },
      },
    );
  });
}

function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new Error('The request was given up', { cause: reason });
}
