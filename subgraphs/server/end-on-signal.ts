import type { Logger } from './logger.ts';

/** Goes down with the process's first SIGTERM or SIGINT; the same signal again ends it at once. A failure makes the exit code 1. */
export function endOnSignal(running: AsyncDisposableStack, logger: Pick<Logger, 'info' | 'error'>): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      logger.info({ signal }, 'going down');
      running.disposeAsync().catch((error: unknown) => {
        logger.error({ err: error }, 'did not go down cleanly');
        process.exitCode = 1;
      });
    });
  }
}
