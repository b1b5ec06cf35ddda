import { type BackgroundJob, createBackgroundJob, inBatches } from '#subgraphs/server/background-job.ts';
import type { Logger } from '#subgraphs/server/logger.ts';
import type { EndedCredentials } from '../store/ended-credentials.ts';

const hourMs = 60 * 60 * 1000;

export interface CredentialPruningOptions {
  rows: EndedCredentials;
  logger: Pick<Logger, 'info' | 'warn'>;
  /** How long what has ended is kept: a refresh token's life, so that one used twice is still recognised. Default 30 days. */
  keepMs?: number;
  /** How often it runs. Default one hour. */
  intervalMs?: number;
  /** Rows of a kind in one statement. Default 1,000. */
  batchSize?: number;
}

/** Removes ended sessions, replaced refresh tokens and retired signing keys. Several processes may run it. */
export function createCredentialPruning(options: CredentialPruningOptions): BackgroundJob {
  const { rows, logger, keepMs = 30 * 24 * hourMs, intervalMs = hourMs, batchSize = 1_000 } = options;
  return createBackgroundJob({
    intervalMs,
    async work(isStopping) {
      const before = new Date(Date.now() - keepMs);
      const total = await inBatches(batchSize, isStopping, (limit) => rows.prune(before, limit));
      if (total > 0) logger.info({ rows: total, before }, 'ended sessions and keys were removed');
      return total;
    },
    onError: (error) => logger.warn({ err: error }, 'ended sessions and keys could not be removed'),
  });
}
