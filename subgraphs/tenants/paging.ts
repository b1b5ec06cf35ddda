/** Connections over rows in order of id. */
import { invalidField } from '#schema/errors.ts';
import type { RowPage } from './store/rows.ts';
import { isUuid } from './uuid.ts';

const largestPage = 1_000;

export interface PageArguments {
  first?: number | null;
  after?: string | null;
}

export interface Place {
  readonly first: number;
  readonly afterId: string | null;
}

/** Throws BAD_USER_INPUT for a size outside 1 to 1,000, and for a cursor that is none of ours. */
export function parsePlace({ first, after }: PageArguments): Place {
  const size = first ?? 50;
  if (size < 1 || size > largestPage)
    throw invalidField('first', 'range', `first must be 1 to ${largestPage}`);
  if (after === null || after === undefined) return { first: size, afterId: null };
  const match = /^id:(.+)$/.exec(Buffer.from(after, 'base64url').toString('latin1'));
  if (!match?.[1] || !isUuid(match[1]))
    throw invalidField('after', 'cursor', 'after is not a cursor of this list');
  return { first: size, afterId: match[1] };
}

function cursorOf(row: { id: string }): string {
  return Buffer.from(`id:${row.id}`).toString('base64url');
}

/** The connection without its total, which is counted only when asked: `count` is what a totalCount resolver calls. */
export function buildConnection<Row extends { id: string }>(
  page: RowPage<Row>,
  place: Place,
  count: () => Promise<number>,
): object {
  const edges = page.rows.map((row) => ({ cursor: cursorOf(row), node: row }));
  return {
    edges,
    nodes: page.rows,
    pageInfo: {
      hasNextPage: page.hasNextPage,
      hasPreviousPage: place.afterId !== null,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    count,
  };
}
