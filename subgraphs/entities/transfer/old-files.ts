/** Removes the content of transfers that nobody came back to. Their rows stay, as a record of what was done. */
import { anonymousClaims } from '#schema/claims.ts';
import type { Logger } from '#subgraphs/server/logger.ts';
import type { FileStore } from '../files/file-store.ts';
import type { TransferStore } from './transfer.ts';

/** As long as the event log's retention. */
const keptMs = 7 * 24 * 3_600_000;
const lookMs = 3_600_000;
const batch = 100;

export interface OldFileRemovalOptions {
  readonly store: TransferStore;
  readonly files: FileStore;
  readonly logger: Pick<Logger, 'warn'>;
}

/** Looks once an hour. Disposing waits for what is being removed. */
export function startOldFileRemoval(options: OldFileRemovalOptions): AsyncDisposable {
  let removing: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    removing = removing
      .then(() => removeOldFiles(options, new Date(Date.now() - keptMs)))
      .catch((error: unknown) =>
        options.logger.warn({ err: error }, 'old files of transfers could not be removed'),
      );
  }, lookMs);
  timer.unref();
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await removing;
    },
  };
}

/** Removes the content of transfers that were made, and ended, before. */
export async function removeOldFiles({ store, files }: OldFileRemovalOptions, before: Date): Promise<void> {
  for (;;) {
    const old = await store.findOldFiles(before, batch);
    for (const { tenantId, id, fileId } of old) {
      // First forgotten, then removed: whoever comes in between finds nothing instead of half.
      if (await store.forgetFile({ ...anonymousClaims, actorKind: 'SYSTEM', tenantId }, id, fileId)) {
        await files.remove(tenantId, fileId);
      }
    }
    if (old.length < batch) return;
  }
}
