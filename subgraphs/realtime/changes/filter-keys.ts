import type { FilterNode } from '#subgraphs/model/filter/node.ts';

/** System members that every update changes. */
const alwaysChanged: ReadonlySet<string> = new Set(['version', 'updatedAt']);

/**
 * A test of whether a change of some field keys may change what the filter says of the record itself (records that it
 * refers to have changes of their own).
 */
export function createTouchTest(filter: FilterNode): (keys: readonly string[]) => boolean {
  const used = new Set<string>();
  let isAlways = false;

  function collect(node: FilterNode): void {
    if (node.kind === 'all' || node.kind === 'any') for (const part of node.nodes) collect(part);
    else if (node.kind === 'not') collect(node.node);
    else if (node.kind === 'to-one') used.add(node.field.key);
    else if (node.kind === 'comparison') {
      if (typeof node.subject !== 'string') used.add(node.subject.key);
      else if (alwaysChanged.has(node.subject)) isAlways = true;
    }
  }
  collect(filter);
  return (keys) => isAlways || keys.some((key) => used.has(key));
}
