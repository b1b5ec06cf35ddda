/**
 * Collects what is asked about in one turn and asks for all of it at once, each thing once (by identity; ids by text).
 * `find` answers which of them match.
 */
export function createBatchedMatch<Item>(
  find: (items: readonly Item[]) => Promise<ReadonlySet<Item>>,
): (item: Item) => Promise<boolean> {
  let items = new Set<Item>();
  let matching: Promise<ReadonlySet<Item>> | null = null;

  return async (item) => {
    items.add(item);
    matching ??= Promise.resolve().then(() => {
      const batch = [...items];
      items = new Set();
      matching = null;
      return find(batch);
    });
    return (await matching).has(item);
  };
}
