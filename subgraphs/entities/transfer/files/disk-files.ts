/** Files under the data folder: `<folder>/<tenant>/<file>`. Replicas that share a tenant's transfers share the folder. */
import { createWriteStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { readId } from '#subgraphs/model/values/choice.ts';
import type { Bytes } from '../formats/text-source.ts';
import { unreadable } from '../formats/source-row.ts';
import type { FileStore } from './file-store.ts';

/** Ids are the only names: no text of a caller becomes part of a path. */
function pathOf(folder: string, tenantId: string, fileId: string): { directory: string; path: string } {
  const [tenant, file] = [readId(tenantId), readId(fileId)];
  if (tenant === null || file === null)
    throw new Error('A file is known by the ids of its tenant and its own');
  const directory = join(folder, tenant);
  return { directory, path: join(directory, file) };
}

export function createDiskFiles(folder: string): FileStore {
  return {
    async write(tenantId, fileId, bytes, maxBytes) {
      const { directory, path } = pathOf(folder, tenantId, fileId);
      await mkdir(directory, { recursive: true, mode: 0o700 });
      // Of its own for each writer: two uploads at once end in one of the two files, whole.
      const part = `${path}.${crypto.randomUUID()}.part`;
      let total = 0;
      async function* counted(): AsyncGenerator<Uint8Array> {
        for await (const chunk of bytes) {
          total += chunk.length;
          if (total > maxBytes) throw unreadable('size', `The file is larger than ${maxBytes} bytes`);
          yield chunk;
        }
      }
      try {
        await pipeline(Readable.from(counted()), createWriteStream(part, { mode: 0o600, flush: true }));
        await rename(part, path);
        return total;
      } catch (error) {
        await rm(part, { force: true });
        throw error;
      }
    },

    async read(tenantId, fileId) {
      const { path } = pathOf(folder, tenantId, fileId);
      try {
        const handle = await open(path, 'r');
        const { size } = await handle.stat();
        return { bytes: size, content: readHandle(handle) };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw error;
      }
    },

    async remove(tenantId, fileId) {
      await rm(pathOf(folder, tenantId, fileId).path, { force: true });
    },
  };
}

/** Opened already, so that a file replaced meanwhile is still read to its end. */
function readHandle(handle: Awaited<ReturnType<typeof open>>): Bytes {
  return handle.createReadStream({ highWaterMark: 256 * 1024, autoClose: true });
}
