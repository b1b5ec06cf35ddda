/** FILE: a record's data holds what is known of the file; an input names it by its id. */
import { filePath, type FileFacts } from '#schema/file-content.ts';
import type { FieldDefinition } from '../definition.ts';
import { foldText } from '../fold.ts';
import { readId } from './choice.ts';
import { show } from './report.ts';
import type { Report } from './report.ts';

/** As it is stored. The folded name is there where it differs, for filters. */
export interface StoredFileValue extends FileFacts {
  readonly '~name'?: string;
}

/** Members of a file that lists can be filtered by, and how each is compared. */
export const fileMembers = {
  id: 'RELATION',
  name: 'TEXT',
  contentType: 'TEXT',
  size: 'NUMBER',
} as const;
export type FileMember = keyof typeof fileMembers;

/** Media types as a definition allows them: "image/png", or all of a kind: "image/*". */
export const contentTypePattern =
  /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/(?:\*|[a-z0-9][a-z0-9!#$&^_.+-]{0,126})$/;

/** The id, which the store replaces by what is stored (record-files.ts). What an answer held is taken as well. */
export function parseFile(value: unknown, _field: unknown, report: Report): string | undefined {
  const given = isObject(value) ? value['id'] : value;
  const id = readId(given);
  if (id !== null) return id;
  report('file', `must be the id of an uploaded file, not ${show(given ?? value)}`);
  return undefined;
}

export function toStoredFile(file: FileFacts): StoredFileValue {
  const folded = foldText(file.name);
  return folded === file.name ? file : { ...file, '~name': folded };
}

/** As the API shows it. */
export function showFile(stored: unknown): (FileFacts & { url: string }) | null {
  if (!isStoredFile(stored)) return null;
  const { id, name, contentType, size, sha256, createdAt } = stored;
  return { id, name, contentType, size, sha256, createdAt, url: filePath(id) };
}

export function isStoredFile(stored: unknown): stored is StoredFileValue {
  return isObject(stored) && typeof stored['id'] === 'string';
}

/** Whether the input value and the stored one are the same file; neither is null. */
export function isSameFile(input: unknown, stored: unknown): boolean {
  return isStoredFile(stored) && stored.id === input;
}

/** Which of the field's limits the file breaks. */
export function checkFile(
  { size, contentType }: Pick<FileFacts, 'size' | 'contentType'>,
  { validation }: Pick<FieldDefinition, 'validation'>,
  report: Report,
): void {
  const { maxBytes, contentTypes } = validation ?? {};
  if (typeof maxBytes === 'number' && size > maxBytes)
    report('maxBytes', `must have at most ${maxBytes} bytes, has ${size}`);
  if (contentTypes && !contentTypes.some((allowed) => matches(contentType, allowed)))
    report('contentTypes', `must be ${contentTypes.join(' or ')}, not ${contentType}`);
}

function matches(contentType: string, allowed: string): boolean {
  return allowed.endsWith('/*') ? contentType.startsWith(allowed.slice(0, -1)) : contentType === allowed;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
