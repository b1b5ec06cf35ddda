import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** Packages that decide what a plan is, and which operations are valid. */
const packages = ['graphql', '@apollo/query-planner', '@apollo/federation-internals', '@apollo/composition'];

/**
 * Stands for everything that a recipe depends on beside its graph and its text: this folder's own code, to the byte, the
 * planner, and `options`. So a recipe of another release is never run, and nobody has to think of a number.
 */
export function readEngineVersion(options: Readonly<Record<string, unknown>>): string {
  const hash = createHash('sha256').update(JSON.stringify(options));
  const require = createRequire(import.meta.url);
  for (const name of packages) {
    const { version } = require(`${name}/package.json`) as { version: string };
    hash.update(`${name}@${version}\n`);
  }
  const folder = import.meta.dirname;
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  for (const file of files.toSorted()) hash.update(file).update(readFileSync(join(folder, file)));
  return hash.digest('base64url');
}
