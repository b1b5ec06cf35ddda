/** A page of records as a value of a connection type. */
import type { Page, StoredRecord } from '../store/record-store.ts';

export interface PageInfoNode {
  hasNextPage: boolean;
  hasPreviousPage: boolean;
  startCursor: string | null;
  endCursor: string | null;
}

const total = Symbol('total count');

export class ConnectionNode<Node> {
  readonly edges: readonly { readonly cursor: string; readonly node: Node }[];
  readonly pageInfo: PageInfoNode;
  readonly [total]: () => Promise<number>;

  /** `count` is called only when the total is asked for. */
  constructor(page: Page, toNode: (record: StoredRecord) => Node, count: () => Promise<number>) {
    this.edges = page.edges.map(({ cursor, record }) => ({ cursor, node: toNode(record) }));
    this.pageInfo = {
      hasNextPage: page.hasNextPage,
      hasPreviousPage: page.hasPreviousPage,
      startCursor: page.edges[0]?.cursor ?? null,
      endCursor: page.edges.at(-1)?.cursor ?? null,
    };
    this[total] = count;
  }

  get nodes(): Node[] {
    return this.edges.map((edge) => edge.node);
  }
}

/** The resolver of every connection's `totalCount`. */
export function resolveTotalCount(connection: ConnectionNode<unknown>): Promise<number> {
  return connection[total]();
}
