/** What one gateway made and another need not make again. */
export const sharedKinds = ['supergraph', 'api-sdl', 'extras', 'operation'] as const;
export type SharedKind = (typeof sharedKinds)[number];

/**
 * Bytes that all gateways of a platform share. A help and never a need: it may lose anything at any time, and what it gives is
 * what a gateway of the same platform put there, to the byte.
 */
export interface SharedCache {
  /** Null: not there, or not to be had now. Never rejects, and gives up soon. */
  get(kind: SharedKind, id: string): Promise<string | null>;
  /** Begins to put it there. Too large a value is dropped. */
  set(kind: SharedKind, id: string, value: string): void;
}
