import { Worker } from 'node:worker_threads';
import type { ComposeAnswer, ComposeRequest } from './compose-worker.ts';

/** Composition refused the subgraphs' SDL. The same SDL fails again, so there is no use in a retry. */
export class CompositionError extends Error {
  override readonly name = 'CompositionError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

export interface Composer extends AsyncDisposable {
  /** The supergraph SDL. Rejects with CompositionError, or with another Error when the thread broke. */
  compose(services: ComposeRequest['services']): Promise<string>;
}

/** One worker thread, started at once (loading composition takes it half a second) and again after it broke. */
export function createComposer(): Composer {
  const waiting = new Map<number, PromiseWithResolvers<string>>();
  let lastId = 0;
  let closed = false;
  let worker: Worker | undefined = start();

  function start(): Worker {
    const started = new Worker(new URL('./compose-worker.ts', import.meta.url), { name: 'compose' });
    started.unref();
    started.on('message', (answer: ComposeAnswer) => {
      const request = waiting.get(answer.id);
      waiting.delete(answer.id);
      if (waiting.size === 0) started.unref();
      if ('errors' in answer) request?.reject(new CompositionError(answer.errors));
      else request?.resolve(answer.supergraphSdl);
    });
    const fail = (error: Error): void => {
      if (worker !== started) return;
      worker = undefined;
      for (const request of waiting.values()) request.reject(error);
      waiting.clear();
    };
    started.on('error', fail);
    started.on('exit', (code) => fail(new Error(`the composition thread ended with code ${code}`)));
    return started;
  }

  return {
    compose(services) {
      if (closed) return Promise.reject(new Error('the composer is closed'));
      worker ??= start();
      const id = ++lastId;
      const request = Promise.withResolvers<string>();
      waiting.set(id, request);
      worker.ref();
      worker.postMessage({ id, services } satisfies ComposeRequest);
      return request.promise;
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      await worker?.terminate();
    },
  };
}
