/** Removes files that no record holds: uploads that nobody used, files that were replaced, those of what was purged or deleted. */
import { anonymousClaims } from '#schema/claims.ts';
import type { Logger } from '#subgraphs/server/logger.ts';
import { type BackgroundJob, createBackgroundJob, inBatches } from '#subgraphs/server/background-job.ts';
import type { FileRecords } from './file-records.ts';
import type { FileStore } from './file-store.ts';

/** How long a file that no record holds is kept. */
export const looseHours = 24;
const looseMs = looseHours * 3_600_000;
const lookMs = 15 * 60_000;
const batch = 100;

export interface LooseFilesOptions {
  readonly records: FileRecords;
  readonly files: FileStore;
  readonly logger: Pick<Logger, 'warn'>;
  /** Milliseconds; the time now where absent. */
  readonly now?: () => number;
}

/**
 * In every process: what two of them find at once is removed once. A file first becomes one that nothing brings back, then
 * loses its content, then is forgotten; where that ends in between, it is found again a day later.
 */
export function createLooseFileRemoval({
  records,
  files,
  logger,
  now = Date.now,
}: LooseFilesOptions): BackgroundJob {
  async function removeOne(tenantId: string, id: string, before: Date): Promise<void> {
    const claims = { ...anonymousClaims, actorKind: 'SYSTEM' as const, tenantId };
    const removal = await records.beginRemoval(claims, id, before);
    if (!removal) return;
    try {
      if (removal.contentId !== null) await files.remove(tenantId, removal.contentId);
      await records.forget(claims, id);
    } catch (error) {
      // One that cannot be removed keeps no other: its turn comes again.
      logger.warn({ err: error, tenantId, fileId: id }, 'a loose file could not be removed');
    }
  }

  return createBackgroundJob({
    intervalMs: lookMs,
    onError: (error) => logger.warn({ err: error }, 'loose files could not be removed'),
    async work(isStopping) {
      const before = new Date(now() - looseMs);
      const removed = await inBatches(batch, isStopping, async (limit) => {
        const loose = await records.findLoose(before, limit);
        for (const { tenantId, id } of loose) {
          if (isStopping()) break;
          await removeOne(tenantId, id, before);
        }
        return loose.length;
      });
      if (!isStopping()) await files.removeAbandoned(before);
      return removed;
    },
  });
}
