import { LRUCache } from 'lru-cache';
import type { LoadedGraph, OperationText, PreparedOperation } from './executor.ts';
import { parseOperation, type OperationLimits } from './parse-operation.ts';
import type { SharedOperations } from './shared-operations.ts';

export type { OperationText };

/** Prepared operations by graph and text. They outlive the loaded graph that they were prepared on. */
export interface OperationCache {
  find(graphHash: string, text: OperationText): PreparedOperation | undefined;
  /** One that another gateway prepared; kept like one prepared here. */
  fetch(graphHash: string, text: OperationText): Promise<PreparedOperation | undefined>;
  /** Keeps one that was prepared here, for other gateways too. */
  set(graphHash: string, text: OperationText, operation: PreparedOperation): void;
  /**
   * Prepares on the new graph what is asked for most on another one, so that who asks next after a swap does not wait for it.
   * What does not fit any more is left out. Gives I/O a turn after each, and ends after `budgetMs` (default 200). `load` is
   * called where something has to be prepared.
   */
  warmUp(
    fromHash: string,
    toHash: string,
    load: () => Promise<LoadedGraph>,
    budgetMs?: number,
  ): Promise<void>;
}

export interface OperationCacheOptions {
  /** What the operations may hold together; the least recently used go first. */
  readonly heapBudgetBytes: number;
  readonly limits?: OperationLimits;
  /** Default: none are shared. */
  readonly shared?: SharedOperations | undefined;
}

interface Entry {
  readonly graphHash: string;
  readonly text: OperationText;
  readonly operation: PreparedOperation;
  hits: number;
}

/** Enough for the screens of one frontend. */
const maxWarmed = 50;

export function createOperationCache({
  heapBudgetBytes,
  limits,
  shared,
}: OperationCacheOptions): OperationCache {
  const byGraph = new Map<string, Set<Entry>>();
  const entries = new LRUCache<string, Entry>({
    maxSize: heapBudgetBytes,
    sizeCalculation: ({ operation }) => Math.max(1, Math.min(operation.heapBytes, heapBudgetBytes)),
    dispose(entry) {
      const siblings = byGraph.get(entry.graphHash);
      siblings?.delete(entry);
      if (siblings?.size === 0) byGraph.delete(entry.graphHash);
    },
  });
  // Hashes and GraphQL names hold no line break, so no two operations share a key.
  const keyOf = (graphHash: string, { query, operationName }: OperationText): string =>
    `${graphHash}\n${operationName ?? ''}\n${query}`;

  function find(graphHash: string, text: OperationText): PreparedOperation | undefined {
    const entry = entries.get(keyOf(graphHash, text));
    if (!entry) return undefined;
    entry.hits += 1;
    return entry.operation;
  }

  function keep(graphHash: string, text: OperationText, operation: PreparedOperation): void {
    const entry: Entry = { graphHash, text, operation, hits: 0 };
    entries.set(keyOf(graphHash, text), entry);
    let siblings = byGraph.get(graphHash);
    if (!siblings) byGraph.set(graphHash, (siblings = new Set()));
    siblings.add(entry);
  }

  async function fetch(graphHash: string, text: OperationText): Promise<PreparedOperation | undefined> {
    const operation = await shared?.find(graphHash, text);
    if (operation && !entries.has(keyOf(graphHash, text))) keep(graphHash, text, operation);
    return operation;
  }

  function set(graphHash: string, text: OperationText, operation: PreparedOperation): void {
    shared?.share(graphHash, text, operation);
    keep(graphHash, text, operation);
  }

  return {
    find,
    fetch,
    set,
    async warmUp(fromHash, toHash, load, budgetMs = 200) {
      const hottest = [...(byGraph.get(fromHash) ?? [])].toSorted((one, other) => other.hits - one.hits);
      let graph: LoadedGraph | undefined;
      let end = performance.now() + budgetMs;
      for (const { text } of hottest.slice(0, maxWarmed)) {
        if (performance.now() > end) return;
        if (entries.has(keyOf(toHash, text)) || (await fetch(toHash, text))) continue;
        if (!graph) {
          const begun = performance.now();
          graph = await load();
          end += performance.now() - begun;
        }
        const parsed = parseOperation(text.query, text.operationName, limits);
        const operation = 'errors' in parsed ? parsed : graph.prepare(parsed);
        if (!('errors' in operation)) set(toHash, text, operation);
        await new Promise(setImmediate);
      }
    },
  };
}
