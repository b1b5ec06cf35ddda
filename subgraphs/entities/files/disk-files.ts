/** Files under the data folder: `<folder>/<tenant>/<content>`. Replicas share the folder. */
import { createWriteStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { contentName, type FileStore, measure } from './file-store.ts';

const partEnd = '.part';
const readAhead = 256 * 1024;

export function createDiskFiles(folder: string): FileStore {
  function pathOf(tenantId: string, contentId: string): { directory: string; path: string } {
    const { tenant, content } = contentName(tenantId, contentId);
    const directory = join(folder, tenant);
    return { directory, path: join(directory, content) };
  }

  return {
    async write(tenantId, contentId, bytes, maxBytes) {
      const { directory, path } = pathOf(tenantId, contentId);
      await mkdir(directory, { recursive: true, mode: 0o700 });
      // Of its own for each writer: two uploads at once end in one of the two files, whole.
      const part = `${path}.${crypto.randomUUID()}${partEnd}`;
      const measured = measure(bytes, maxBytes);
      try {
        const file = createWriteStream(part, { mode: 0o600, flush: true });
        await pipeline(Readable.from(measured.content), file);
        await rename(part, path);
        await keepNames(directory);
        return measured.written();
      } catch (error) {
        await rm(part, { force: true });
        throw error;
      }
    },

    async read(tenantId, contentId, range) {
      const { path } = pathOf(tenantId, contentId);
      // Opened already, so that a file replaced meanwhile is still read to its end.
      const handle = await open(path, 'r').catch(nullWhereMissing);
      if (handle === null) return null;
      try {
        const { size } = await handle.stat();
        const ends = range ? { start: range.first, end: range.last } : {};
        const content = handle.createReadStream({ highWaterMark: readAhead, autoClose: true, ...ends });
        return { bytes: size, content };
      } catch (error) {
        await handle.close();
        throw error;
      }
    },

    async remove(tenantId, contentId) {
      await rm(pathOf(tenantId, contentId).path, { force: true });
    },

    async removeAbandoned(before) {
      let removed = 0;
      for (const tenant of (await readdir(folder).catch(nullWhereMissing)) ?? []) {
        for (const name of (await readdir(join(folder, tenant)).catch(nullWhereMissing)) ?? []) {
          if (!name.endsWith(partEnd)) continue;
          const path = join(folder, tenant, name);
          const found = await stat(path).catch(nullWhereMissing);
          // A writer that lives writes to it: its time goes on.
          if (!found || found.mtime >= before) continue;
          await rm(path, { force: true });
          removed += 1;
        }
      }
      return removed;
    },
  };
}

/** A name is kept through a loss of power once its folder is. */
async function keepNames(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function nullWhereMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
  throw error;
}
