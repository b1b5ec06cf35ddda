import { DomainError, invalidField } from '#schema/errors.ts';
import { decodeLogCursor, encodeLogCursor, type LogEvent } from '#schema/events.ts';
import type { EntityDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import { accessOf, modelAccess } from '#subgraphs/model/permissions/access.ts';
import { Change } from '../changes/change.ts';
import { createSights, type Sights } from '../changes/sights.ts';
import type { ChangesPage, EventStore } from '../log/event-store.ts';
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

/** Stretches of the log that are read for one page, where little of them is the caller's to see. */
const maxStretches = 20;

/** `Query.changes`: a stretch of the log, and where to go on from. */
export async function readChangesPage(
  store: Pick<EventStore, 'readChanges' | 'findMatchingImages'>,
  context: RealtimeContext,
  { entities: names, first: asked, after }: ChangesArguments,
): Promise<Record<string, unknown>> {
  const first = asked ?? defaultFirst;
  if (first < 0 || first > maxFirst) {
    throw invalidField('first', 'range', `first must be from 0 to ${maxFirst}, was ${first}`);
  }
  const model = getModel(context);
  const { claims } = context;
  const entities = names
    ? getEntities(model, names)
    : model.entities.filter((entity) => accessOf(model, entity, claims).allows('READ'));
  for (const entity of entities) accessOf(model, entity, claims).assertAllows('READ');
  const withBefore = entities.some((entity) => accessOf(model, entity, claims).rowFilter !== null);
  const afterSeq = after === null || after === undefined ? null : decodeLogCursor(after);
  const read = (from: number | null, count: number): Promise<ChangesPage> =>
    store.readChanges(model.tenantId, {
      afterSeq: from,
      entityIds: entities.map((entity) => entity.id),
      withBefore,
      limits: { count, bytes: maxPageBytes },
    });
  let page = await read(afterSeq, first);
  if (afterSeq !== null) {
    if (afterSeq > page.head.seq) throw invalidField('after', 'cursor', 'The cursor lies ahead of the log');
    if (afterSeq < page.head.trimmedSeq) {
      const message = 'The changes after this cursor are not kept any more: read the current state instead';
      throw new DomainError('CURSOR_EXPIRED', message);
    }
  }
  const sights = createSights(store, claims);
  const nodes = await toChanges(model, sights, page.events);
  const start = page.head.trimmedSeq;
  // Who sees little of the log is not sent through it in empty pages.
  let lastSeq = page.events.at(-1)?.seq ?? null;
  const stretches = modelAccess(model, claims).isRestricted ? maxStretches : 1;
  for (let n = 1; page.hasNextPage && nodes.length < first && n < stretches; n++) {
    page = await read(lastSeq, first - nodes.length);
    nodes.push(...(await toChanges(model, sights, page.events)));
    lastSeq = page.events.at(-1)?.seq ?? lastSeq;
  }
  const isHead = first === 0 && afterSeq === null;
  // Where nothing follows, the log's head is as good a place to go on from, and the shortest way.
  const emptyEnd = encodeLogCursor(
    page.hasNextPage && !isHead ? (lastSeq ?? afterSeq ?? page.head.trimmedSeq) : page.head.seq,
  );
  return {
    edges: nodes.map((node) => ({ cursor: node.cursor, node })),
    nodes,
    pageInfo: {
      hasNextPage: page.hasNextPage,
      hasPreviousPage: (afterSeq ?? start) > start,
      startCursor: nodes[0]?.cursor ?? null,
      endCursor: nodes.at(-1)?.cursor ?? emptyEnd,
    },
  };
}

async function toChanges(model: TenantModel, sights: Sights, events: readonly LogEvent[]): Promise<Change[]> {
  const changes = await Promise.all(
    events.map(async (event): Promise<Change | null> => {
      const entity = model.entityById.get(event.entityId as string) as EntityDefinition;
      const sight = sights.of(model, entity);
      if (event.operation === null || sight === 'NOTHING') return null;
      const operation = sight === null ? event.operation : await sight.judge(event);
      return operation && new Change(event, entity, operation, sight);
    }),
  );
  return changes.filter((change) => change !== null);
}
