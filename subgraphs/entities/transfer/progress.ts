/** A transfer as it goes on: for a subscription. */
import type { WakeUp } from '#subgraphs/server/wake-up/wake-up.ts';
import type { Transfer } from './transfer.ts';

/** A hint may be lost, and other processes may be out of reach of hints. */
const pollMs = 1_000;

export interface FollowOptions {
  readonly transfer: Transfer;
  /** As it is now; null where it is gone or may not be seen any more. May throw. */
  read(): Promise<Transfer | null>;
  readonly wakeUp: Pick<WakeUp, 'subscribe'>;
}

const isAtEnd = ({ status }: Transfer): boolean =>
  status === 'DONE' || status === 'FAILED' || status === 'STOPPED';

/**
 * The transfer as it is, then again with each change; states in between may be left out, the last one never is. Ends with the transfer. `return()`
 * ends it at once, also while a `next()` is pending.
 */
export function followTransfer({ transfer, read, wakeUp }: FollowOptions): AsyncIterableIterator<Transfer> {
  const end = { value: undefined, done: true } as const;
  let next: Transfer | null = transfer;
  let seen = 0;
  let isDone = false;
  let isHinted = false;
  let wake: (() => void) | null = null;

  const hint = (): void => {
    isHinted = true;
    wake?.();
  };
  const stopListening = wakeUp.subscribe((tenantId) => {
    if (tenantId === transfer.tenantId) hint();
  });
  const timer = setInterval(hint, pollMs);

  function finish(): void {
    isDone = true;
    stopListening();
    clearInterval(timer);
    wake?.();
  }

  async function waitForHint(): Promise<void> {
    if (!isHinted && !isDone) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    wake = null;
    isHinted = false;
  }

  return {
    async next() {
      try {
        for (;;) {
          if (isDone) return end;
          if (next && next.revision !== seen) {
            seen = next.revision;
            const value = next;
            if (isAtEnd(value)) finish();
            return { value, done: false };
          }
          await waitForHint();
          if (isDone) return end;
          next = await read();
          if (!next) finish();
        }
      } catch (error) {
        finish();
        throw error;
      }
    },
    async return() {
      finish();
      return end;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
