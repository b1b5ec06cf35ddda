import { parentPort } from 'node:worker_threads';

/** A question to a thread, and its answer. */
export interface ThreadMessage {
  readonly id: number;
  readonly content: unknown;
}

/** Run in the thread: answers one request after the other. `answer` must not throw. */
export function serveThread(answer: (request: never) => unknown): void {
  parentPort?.on('message', ({ id, content }: ThreadMessage) =>
    parentPort?.postMessage({ id, content: answer(content as never) } satisfies ThreadMessage),
  );
}
