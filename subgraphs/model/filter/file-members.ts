/** What of a FILE can be compared: its members, each as a field of its own type would be. */
import type { FieldDefinition } from '../definition.ts';
import { type FileMember, fileMembers } from '../values/file.ts';

/** The member as a field that works from the data; undefined for a name that is none. */
export function fileMemberField(field: FieldDefinition, name: string): FieldDefinition | undefined {
  if (!Object.hasOwn(fileMembers, name)) return undefined;
  const type = fileMembers[name as FileMember];
  return { ...field, type, validation: null, slot: null, pendingSlot: null, member: name };
}

/** The input type of comparisons with a FILE. */
export const fileComparisonSdl = `"Compares files. Members that are given must all hold."
input FileComparison {
  "True: there is no file. False: there is one."
  isNull: Boolean
  "The file's id."
  id: IDComparison
  "Its name."
  name: StringComparison
  "Its media type, in lower case."
  contentType: StringComparison
  "Its size in bytes."
  size: FloatComparison
}`;
