import type { Logger } from 'pino';
import { type BackgroundJob, createBackgroundJob, inBatches } from '#subgraphs/server/background-job.ts';
import type { EventStore } from './event-store.ts';

const dayMs = 24 * 60 * 60 * 1000;

export interface RetentionOptions {
  store: Pick<EventStore, 'trim'>;
  logger: Pick<Logger, 'info' | 'warn'>;
  /** How long events are kept. Default 7 days. */
  keepMs?: number;
  /** How often it runs. Default one minute. */
  intervalMs?: number;
  /** Events in one transaction. Default 1,000: a batch holds the counters of the tenants it touches. */
  batchSize?: number;
}

/**
 * Removes events that are older than the log's retention, of all tenants. Several processes may run it: they take turns.
 * A run returns how many events went.
 */
export function createRetention(options: RetentionOptions): BackgroundJob {
  const { store, logger, keepMs = 7 * dayMs, intervalMs = 60_000, batchSize = 1_000 } = options;
  return createBackgroundJob({
    intervalMs,
    async work(isStopping) {
      const before = new Date(Date.now() - keepMs);
      const total = await inBatches(batchSize, isStopping, (limit) => store.trim(before, limit));
      if (total > 0) logger.info({ events: total, before }, 'old events were removed');
      return total;
    },
    onError: (error) => logger.warn({ err: error }, 'old events could not be removed'),
  });
}
