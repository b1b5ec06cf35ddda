/** The first look at a tenant's file: is it whole, and what does it hold beside records? */
import { isBroken, type RowItem, unreadable } from '../formats/source-row.ts';
import { parseTenantLine, type TenantLineOf } from './tenant-file.ts';

export interface FileContents {
  readonly entities: readonly TenantLineOf<'ENTITY'>[];
  readonly people: readonly TenantLineOf<'PERSON'>[];
  readonly hasFiles: boolean;
}

/** Kept in memory at once. */
const maxPeople = 100_000;
const maxEntities = 1_000;

/** Reads it to its end before anything is written. Throws BAD_USER_INPUT for a file that is none of ours, or not whole. */
export async function readContents(rows: AsyncIterable<RowItem>): Promise<FileContents> {
  const entities: TenantLineOf<'ENTITY'>[] = [];
  const people: TenantLineOf<'PERSON'>[] = [];
  const counts = { entities: 0, people: 0, records: 0, links: 0, files: 0 };
  let end: TenantLineOf<'END'> | null = null;
  let isBegun = false;
  for await (const item of rows) {
    const line = isBroken(item) ? { problem: item.problem.message } : parseTenantLine(item.values);
    if ('problem' in line)
      throw unreadable('line', `Line ${item.line} is none of a tenant's export: ${line.problem}`);
    if (end) throw unreadable('end', `Line ${item.line}: something follows after the end`);
    if (!isBegun && line.kind !== 'TENANT') throw unreadable('head', "The file is no tenant's export");
    isBegun = true;
    if (line.kind === 'ENTITY') {
      counts.entities += 1;
      entities.push(line);
    } else if (line.kind === 'PERSON') {
      counts.people += 1;
      people.push(line);
    } else if (line.kind === 'RECORD') counts.records += 1;
    else if (line.kind === 'LINKS') counts.links += 1;
    else if (line.kind === 'FILE') counts.files += 1;
    else if (line.kind === 'END') end = line;
    if (people.length > maxPeople || entities.length > maxEntities) {
      throw unreadable('size', 'The file holds more users or entities than a tenant can have');
    }
  }
  if (!end) throw unreadable('end', 'The file is cut off: its end is missing');
  for (const member of ['entities', 'people', 'records', 'links', 'files'] as const) {
    if (end[member] !== counts[member]) {
      throw unreadable('count', `The file should hold ${end[member]} ${member}, and holds ${counts[member]}`);
    }
  }
  return { entities, people, hasFiles: counts.files > 0 };
}
