import type { IncomingMessage } from 'node:http';

/** What a client may still send of a body that is refused. */
const maxDrainedBytes = 64 * 2 ** 20;
const maxDrainMs = 10_000;

/**
 * Reads the rest of a refused body and throws it away, so that the client, which reads no answer before it has sent
 * everything, gets one instead of a broken connection. Gives up on what is far too long or too slow.
 */
export function drainRequest(request: IncomingMessage): Promise<void> {
  if (request.readableEnded || request.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    let drained = 0;
    const timer = setTimeout(finish, maxDrainMs);
    function finish(): void {
      clearTimeout(timer);
      request.off('data', onData);
      resolve();
    }
    function onData(chunk: Buffer): void {
      drained += chunk.length;
      if (drained > maxDrainedBytes) finish();
    }
    request.on('data', onData);
    request.once('end', finish);
    request.once('close', finish);
    request.resume();
  });
}
