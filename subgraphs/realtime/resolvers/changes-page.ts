import { DomainError, invalidField } from '#schema/errors.ts';
import { decodeLogCursor, encodeLogCursor } from '#schema/events.ts';
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { Change } from '../changes/change.ts';
import type { EventStore } from '../log/event-store.ts';
import { getEntities, getModel, type RealtimeContext } from '../request-context.ts';

export interface ChangesArguments {
  entities?: readonly string[] | null;
  first?: number | null;
  after?: string | null;
}

const defaultFirst = 100;
const maxFirst = 1_000;
/** Records of one page, as they are stored. */
const maxPageBytes = 16 * 1024 * 1024;

/** `Query.changes`: a stretch of the log, and where to go on from. */
export async function readChangesPage(
  store: Pick<EventStore, 'readChanges'>,
  context: RealtimeContext,
  { entities: names, first: asked, after }: ChangesArguments,
): Promise<Record<string, unknown>> {
  const first = asked ?? defaultFirst;
  if (first < 0 || first > maxFirst) {
    throw invalidField('first', 'range', `first must be from 0 to ${maxFirst}, was ${first}`);
  }
  const model = getModel(context);
  const entities = names ? getEntities(model, names) : model.entities;
  const afterSeq = after === null || after === undefined ? null : decodeLogCursor(after);
  const page = await store.readChanges(model.tenantId, {
    afterSeq,
    entityIds: entities.map((entity) => entity.id),
    limits: { count: first, bytes: maxPageBytes },
  });
  if (afterSeq !== null) {
    if (afterSeq > page.head.seq) throw invalidField('after', 'cursor', 'The cursor lies ahead of the log');
    if (afterSeq < page.head.trimmedSeq) {
      const message = 'The changes after this cursor are not kept any more: read the current state instead';
      throw new DomainError('CURSOR_EXPIRED', message);
    }
  }
  const nodes = page.events.flatMap((event) => {
    const entity = model.entityById.get(event.entityId as string) as EntityDefinition;
    return event.operation === null ? [] : [new Change(event, entity, event.operation)];
  });
  const isHead = first === 0 && afterSeq === null;
  // Where nothing follows, the log's head is as good a place to go on from, and the shortest way.
  const emptyEnd = encodeLogCursor(
    page.hasNextPage && !isHead ? (afterSeq ?? page.head.trimmedSeq) : page.head.seq,
  );
  return {
    edges: nodes.map((node) => ({ cursor: node.cursor, node })),
    nodes,
    pageInfo: {
      hasNextPage: page.hasNextPage,
      hasPreviousPage: (afterSeq ?? page.head.trimmedSeq) > page.head.trimmedSeq,
      startCursor: nodes[0]?.cursor ?? null,
      endCursor: nodes.at(-1)?.cursor ?? emptyEnd,
    },
  };
}
