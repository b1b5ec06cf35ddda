import type { WakeUp } from './wake-up.ts';

/** Hints within one process. */
export function createLocalWakeUp(): WakeUp {
  const hints = createHints();
  return {
    publish: hints.publish,
    subscribe: hints.subscribe,
    async [Symbol.asyncDispose]() {
      hints.close();
    },
  };
}

/** Listeners of one process, and the hints that wait for the current turn of the event loop to end. */
export interface Hints {
  publish(tenantId: string): void;
  subscribe(listener: (tenantId: string) => void): () => void;
  /** No listener hears anything afterwards. */
  close(): void;
}

/** Coalesces hints: a write of many records, or many writers at once, wake a reader once. */
export function createHints(): Hints {
  const listeners = new Set<(tenantId: string) => void>();
  const waiting = new Set<string>();

  function flush(): void {
    const tenantIds = [...waiting];
    waiting.clear();
    for (const tenantId of tenantIds) {
      for (const listener of listeners) {
        try {
          listener(tenantId);
        } catch {
          // A listener's failure is its own: the others, and whoever published, must not feel it.
        }
      }
    }
  }

  return {
    publish(tenantId) {
      if (listeners.size === 0) return;
      if (waiting.size === 0) setImmediate(flush);
      waiting.add(tenantId);
    },
    subscribe(listener) {
      // Wrapped, so that the same function subscribed twice is heard twice and ended one at a time.
      const entry = (tenantId: string) => listener(tenantId);
      listeners.add(entry);
      return () => {
        listeners.delete(entry);
      };
    },
    close() {
      listeners.clear();
      waiting.clear();
    },
  };
}
