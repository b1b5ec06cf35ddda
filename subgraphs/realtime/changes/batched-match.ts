/**
 * Collects the ids that are asked about in one turn and asks for all of them at once. `find` answers which of them match.
 */
export function createBatchedMatch(
  find: (ids: readonly string[]) => Promise<ReadonlySet<string>>,
): (id: string) => Promise<boolean> {
  let ids = new Set<string>();
  let matching: Promise<ReadonlySet<string>> | null = null;

  return async (id) => {
    ids.add(id);
    matching ??= Promise.resolve().then(() => {
      const batch = [...ids];
      ids = new Set();
      matching = null;
      return find(batch);
    });
    return (await matching).has(id);
  };
}
