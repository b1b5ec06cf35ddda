/** What one request may make of an answer. Lists within lists multiply: three of a thousand would fill any memory. */
import { LRUCache } from 'lru-cache';
import { DomainError } from '#schema/errors.ts';

/** Values (records times the fields asked of them) in one answer of this subgraph: some 100 MB in memory. */
const maxValues = 5_000_000;
/** However little is asked of each. */
const maxRecords = 50_000;
/** Distinct operations whose size is remembered. */
const keptOperations = 5_000;

export interface AnswerBudget {
  /** Call for every record that is to stand in the answer, each time it does. Throws QUERY_TOO_COMPLEX. */
  spend(records: number): void;
}

/** Makes a budget for each request. An operation's names are counted once; they are at least as many as its fields. */
export function createAnswerBudgets(): (query: string) => AnswerBudget {
  const sizes = new LRUCache<string, number>({ max: keptOperations });

  function sizeOf(query: string): number {
    let size = sizes.get(query);
    if (size === undefined) {
      size = Math.max(1, query.match(/[_A-Za-z]\w*/g)?.length ?? 0);
      sizes.set(query, size);
    }
    return size;
  }

  return (query) => {
    let spent = 0;
    let limit: number | undefined;
    // One for all the places that break it: making each its own, with a stack, takes longer than the answer would.
    let refusal: DomainError | undefined;
    return {
      spend(records) {
        if (refusal) throw refusal;
        spent += records;
        limit ??= Math.min(maxRecords, Math.max(1_000, Math.floor(maxValues / sizeOf(query))));
        if (spent <= limit) return;
        const message = `The answer would hold more than ${limit} records: ask for fewer, or for less of each`;
        refusal = new DomainError('QUERY_TOO_COMPLEX', message);
        throw refusal;
      },
    };
  };
}
