/** Builds GraphiQL's page into `dist`, out of node_modules alone. Run by `npm install`, or on first need. */
import { randomUUID } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'vite';

const folder = import.meta.dirname;
const unfinished = join(folder, `dist-${randomUUID()}`);
const replaced = join(folder, `dist-${randomUUID()}`);
const dist = join(folder, 'dist');

try {
  await build({
    root: join(folder, 'app'),
    base: '/graphiql/',
    configFile: false,
    logLevel: 'error',
    worker: { format: 'es' },
    build: {
      outDir: unfinished,
      emptyOutDir: true,
      target: 'es2022',
      // Monaco is one large piece; nothing is gained by cutting it.
      chunkSizeWarningLimit: 10_000,
    },
  });
  // Whoever serves the old files meanwhile keeps them until the very end; a build that was interrupted is never used.
  await rename(dist, replaced).catch(() => {});
  await rename(unfinished, dist);
} finally {
  await rm(unfinished, { recursive: true, force: true });
  await rm(replaced, { recursive: true, force: true });
}
