/** The SDL that is written down in schema/*.graphql. */
import { readFileSync } from 'node:fs';

/** The text of `schema/<name>.graphql`. Read once, when a service is made. Throws where there is none. */
export function readStaticSdl(name: string): string {
  return readFileSync(new URL(`../../schema/${name}.graphql`, import.meta.url), 'utf8');
}

/** What each subgraph's SDL includes: the scalars DateTime, Date and JSON, and PageInfo (`@shareable`, so import that). */
export const sharedSdl: string = readStaticSdl('shared');
