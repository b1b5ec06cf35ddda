import { LRUCache } from 'lru-cache';
import type { PreparedOperation } from './executor.ts';

/** Prepared operations by graph and text. They outlive the loaded graph that they were prepared on. */
export interface OperationCache {
  find(graphHash: string, operationName: string | null, query: string): PreparedOperation | undefined;
  set(graphHash: string, operationName: string | null, query: string, operation: PreparedOperation): void;
}

/** `heapBudgetBytes`: what the operations may hold together; the least recently used go first. */
export function createOperationCache({ heapBudgetBytes }: { heapBudgetBytes: number }): OperationCache {
  const operations = new LRUCache<string, PreparedOperation>({
    maxSize: heapBudgetBytes,
    sizeCalculation: (operation) => Math.max(1, Math.min(operation.heapBytes, heapBudgetBytes)),
  });
  // Hashes and GraphQL names hold no line break, so no two operations share a key.
  const keyOf = (hash: string, operationName: string | null, query: string): string =>
    `${hash}\n${operationName ?? ''}\n${query}`;
  return {
    find: (hash, operationName, query) => operations.get(keyOf(hash, operationName, query)),
    set(hash, operationName, query, operation) {
      operations.set(keyOf(hash, operationName, query), operation);
    },
  };
}
