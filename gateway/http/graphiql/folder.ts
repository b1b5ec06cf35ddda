import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The folder with GraphiQL's page (index.html, to be served below /graphiql/). Builds it, for some seconds, where
 * `npm install` did not or its source changed since.
 */
export function graphiqlFolder(): string {
  const dist = join(import.meta.dirname, 'dist');
  if (!isFresh(join(dist, 'index.html'))) {
    execFileSync(process.execPath, [join(import.meta.dirname, 'build.ts')], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  return dist;
}

function isFresh(page: string): boolean {
  const built = statSync(page, { throwIfNoEntry: false });
  if (!built) return false;
  const app = join(import.meta.dirname, 'app');
  return readdirSync(app).every((name) => statSync(join(app, name)).mtimeMs <= built.mtimeMs);
}
