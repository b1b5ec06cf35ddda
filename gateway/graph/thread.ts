import { Worker } from 'node:worker_threads';
import type { ThreadMessage } from './thread-service.ts';

export interface ThreadOptions {
  /** The module that calls `serveThread`. */
  readonly module: URL;
  readonly name: string;
  /** One request that runs longer ends the thread and is rejected; those behind it go to a new one. Default: none. */
  readonly timeoutMs?: number;
  /** What the thread may hold of the heap before it ends. Default: as Node decides. */
  readonly maxHeapMb?: number;
}

/** Work that requests must not wait behind, in a thread of its own. */
export interface Thread<Request, Answer> extends AsyncDisposable {
  /** Rejects when the thread broke, or took too long. */
  call(request: Request): Promise<Answer>;
}

interface Waiting<Answer> extends PromiseWithResolvers<Answer> {
  readonly message: ThreadMessage;
}

/** Started at once (loading what composes takes half a second) and again after it broke. */
export function createThread<Request, Answer>(options: ThreadOptions): Thread<Request, Answer> {
  const { module, name, timeoutMs, maxHeapMb } = options;
  // In the order in which the thread takes them.
  const waiting = new Map<number, Waiting<Answer>>();
  let lastId = 0;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let worker: Worker | undefined = start();

  function start(): Worker {
    const resourceLimits = maxHeapMb === undefined ? undefined : { maxOldGenerationSizeMb: maxHeapMb };
    const started = new Worker(module, { name, ...(resourceLimits ? { resourceLimits } : {}) });
    started.unref();
    started.on('message', ({ id, content }: ThreadMessage) => {
      const request = waiting.get(id);
      waiting.delete(id);
      if (waiting.size === 0) started.unref();
      watch();
      request?.resolve(content as Answer);
    });
    const fail = (error: Error): void => {
      if (worker === started) restart(error);
    };
    started.on('error', fail);
    started.on('exit', (code) => fail(new Error(`the thread "${name}" ended with code ${code}`)));
    return started;
  }

  /** The request that ran is answered with the error; the others start again. */
  function restart(error: Error): void {
    const [first] = waiting.keys();
    if (first !== undefined) {
      waiting.get(first)?.reject(error);
      waiting.delete(first);
    }
    worker = undefined;
    if (closed) return;
    for (const { message } of waiting.values()) post(message);
    watch();
  }

  /** Gives the request that runs now its time. */
  function watch(): void {
    clearTimeout(timer);
    if (timeoutMs === undefined || waiting.size === 0) return;
    timer = setTimeout(() => {
      const late = worker;
      restart(new Error(`the thread "${name}" did not answer within ${timeoutMs} ms`));
      void late?.terminate();
    }, timeoutMs);
    timer.unref();
  }

  function post(message: ThreadMessage): void {
    worker ??= start();
    worker.ref();
    worker.postMessage(message);
  }

  return {
    call(content) {
      if (closed) return Promise.reject(new Error(`the thread "${name}" is closed`));
      const message: ThreadMessage = { id: ++lastId, content };
      const request = { ...Promise.withResolvers<Answer>(), message };
      waiting.set(message.id, request);
      post(message);
      if (waiting.size === 1) watch();
      return request.promise;
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      clearTimeout(timer);
      const ending = worker;
      worker = undefined;
      await ending?.terminate();
      for (const request of waiting.values()) request.reject(new Error(`the thread "${name}" is closed`));
      waiting.clear();
    },
  };
}
