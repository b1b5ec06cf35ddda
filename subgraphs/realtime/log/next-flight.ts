/**
 * Shares a read among callers without giving anyone an answer older than the call: who calls while a read is under way
 * gets the one that starts after it.
 */
export function createNextFlight<Value>(read: () => Promise<Value>): () => Promise<Value> {
  let flying: Promise<unknown> = Promise.resolve();
  let next: Promise<Value> | null = null;

  return () => {
    next ??= flying.then(() => {
      const flight = read();
      next = null;
      flying = flight.then(noop, noop);
      return flight;
    });
    return next;
  };
}

function noop(): void {}
