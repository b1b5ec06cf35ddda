import type { RecordDatabase } from '#prisma/record-database.ts';
import { DomainError } from '#schema/errors.ts';
import { matchingImagesSql } from '#subgraphs/model/filter/images-sql.ts';
import type { EventStore, LogHead } from '../log/event-store.ts';
import { systemClaims } from '../log/system-claims.ts';
import { eventColumns, type EventRow, parseEventRow } from './event-rows.ts';
import { matchingStatement } from './matching.ts';

/** What a row occupies besides its two documents, about. */
const rowBytes = 200;
const columns = eventColumns.map((column) => `e.${column}`).join(', ');
/** As they are stored: a compressed document counts less than it is in memory. */
const sizeOf = `(coalesce(pg_column_size(e.before), 0) + coalesce(pg_column_size(e.after), 0) + ${rowBytes})::bigint`;

const headStatement = {
  name: 'realtime_head',
  text: `
    select seq, trimmed_seq as "trimmedSeq", definitions_version as "definitionsVersion"
    from public.tenant_heads where tenant_id = $1`,
};

/** $1 tenant, $2 after seq, $3 count, $4 bytes. The event that reaches the limit is still in it. */
const pageStatement = {
  name: 'realtime_page',
  text: `
    select ${columns}, e.bytes from (
      select e.*, sum(e.bytes) over (order by e.seq) as total from (
        select ${columns}, ${sizeOf} as bytes
        from public.events e where e.tenant_id = $1 and e.seq > $2 order by e.seq limit $3
      ) e
    ) e where e.total - e.bytes < $4 order by e.seq`,
};

/** $1 tenant, $2 after seq or null, $3 entity ids, $4 count + 1, $5 bytes. One row without an event where nothing follows. */
const changesStatement = (withBefore: boolean) => ({
  name: withBefore ? 'realtime_changes_whole' : 'realtime_changes',
  text: `
    select h.seq as head_seq, h.trimmed_seq as head_trimmed_seq, h.definitions_version as head_definitions_version,
      e.fetched, ${withBefore ? columns : columns.replace('e.before', 'null as before')}
    from public.tenant_heads h
    left join lateral (
      select e.*, count(*) over () as fetched, sum(e.bytes) over (order by e.seq) as total from (
        select e.*, ${sizeOf} as bytes from public.events e
        where e.tenant_id = h.tenant_id and e.seq > coalesce($2, h.trimmed_seq)
          and e.kind = 'RECORD' and e.entity_id = any ($3::uuid[])
        order by e.seq limit $4
      ) e
    ) e on e.total - e.bytes < $5
    where h.tenant_id = $1
    order by e.seq`,
});

/** $1 tenants. */
const lastSeqsStatement = {
  name: 'realtime_last_seqs',
  text: 'select tenant_id as "tenantId", seq from public.tenant_heads where tenant_id = any ($1::uuid[])',
};

/** An advisory lock that only the retention of the log takes. */
const trimLock = 7_261_914_302;

/**
 * $1 age limit, $2 batch. Each tenant loses a whole beginning of its log, whatever its clock did; one runner at a time, so
 * that two never wait for each other's rows. What happened to records becomes their history, except to purged ones.
 */
const trimStatement = {
  name: 'realtime_trim',
  text: `
    with old as (
      select tenant_id, max(seq) as seq from (
        select tenant_id, seq from public.events where at < $1 order by at limit $2
      ) e
      where (select pg_try_advisory_xact_lock(${trimLock}))
      group by tenant_id
    ), gone as (
      delete from public.events e using old where e.tenant_id = old.tenant_id and e.seq <= old.seq returning e.*
    ), history as (
      insert into public.record_history (
        tenant_id, entity_id, record_id, seq, at, operation, changed_fields, before, after, actor_kind, actor_id)
      select tenant_id, entity_id, record_id, seq, at, operation, changed_fields, before, after, actor_kind, actor_id
      from gone g where g.kind = 'RECORD' and g.entity_id is not null and g.record_id is not null and g.operation is not null
        and not exists (select from public.purged_records p where p.tenant_id = g.tenant_id
          and p.entity_id = g.entity_id and p.record_id in (g.record_id, '00000000-0000-0000-0000-000000000000'))
    ), heads as (
      update public.tenant_heads h set trimmed_seq = greatest(h.trimmed_seq, old.seq)
      from old where h.tenant_id = old.tenant_id
    )
    select count(*) as count from gone`,
};

/** Answers to writes with an idempotency key, which the entities' store lets hold for 24 hours. */
const trimKeysStatement = {
  name: 'realtime_trim_keys',
  text: "delete from public.idempotency_keys where created_at < now() - interval '24 hours'",
};

/**
 * $1 age limit. The log has nothing of these records any more: from here on nothing of them can become history. What did
 * while they were being purged goes now.
 */
const forgetPurgedStatement = {
  name: 'realtime_forget_purged',
  text: `
    with done as (
      delete from public.purged_records where purged_at < $1::timestamptz - interval '1 day'
      returning tenant_id, entity_id, record_id
    )
    delete from public.record_history h using done d where h.tenant_id = d.tenant_id and h.entity_id = d.entity_id
      and (h.record_id = d.record_id or d.record_id = '00000000-0000-0000-0000-000000000000')`,
};

interface ChangesRow extends EventRow {
  head_seq: number;
  head_trimmed_seq: number;
  head_definitions_version: number;
  fetched: number | null;
}

/** The event log in PostgreSQL, read as SYSTEM of the tenant; polled and trimmed across tenants as the platform. */
export function createEventStore(database: RecordDatabase): EventStore {
  return {
    async readHead(tenantId) {
      const [head] = await database.read<LogHead>(systemClaims(tenantId), {
        ...headStatement,
        values: [tenantId],
      });
      if (!head) throw unknownTenant();
      return head;
    },

    async readLastSeqs(tenantIds) {
      const rows = await database.platform<{ tenantId: string; seq: number }>({
        ...lastSeqsStatement,
        values: [tenantIds],
      });
      return new Map(rows.map((row) => [row.tenantId, row.seq]));
    },

    async readPage(tenantId, afterSeq, limits) {
      const rows = await database.read<EventRow & { bytes: number }>(systemClaims(tenantId), {
        ...pageStatement,
        values: [tenantId, afterSeq, limits.count, limits.bytes],
      });
      let total = 0;
      const events = rows.map((row) => {
        total += row.bytes;
        return { event: parseEventRow(tenantId, row), bytes: row.bytes };
      });
      return { events, isCut: events.length >= limits.count || total >= limits.bytes };
    },

    async readChanges(tenantId, { afterSeq, entityIds, withBefore = false, limits }) {
      const rows = await database.read<ChangesRow>(systemClaims(tenantId), {
        ...changesStatement(withBefore),
        values: [tenantId, afterSeq, entityIds, limits.count + 1, limits.bytes],
      });
      const [first] = rows;
      if (!first) throw unknownTenant();
      const events = rows.filter((row) => row.fetched !== null).slice(0, limits.count);
      return {
        events: events.map((row) => parseEventRow(tenantId, row)),
        hasNextPage: (first.fetched ?? 0) > events.length,
        head: {
          seq: first.head_seq,
          trimmedSeq: first.head_trimmed_seq,
          definitionsVersion: first.head_definitions_version,
        },
      };
    },

    async findMatching(model, entity, filter, ids) {
      const rows = await database.read<{ id: string }>(
        systemClaims(model.tenantId),
        matchingStatement(model, entity, filter, ids),
      );
      return new Set(rows.map((row) => row.id));
    },

    async findMatchingImages(model, entity, filter, images) {
      const rows = await database.read<{ n: number }>(
        systemClaims(model.tenantId),
        matchingImagesSql(model, entity, filter, images),
      );
      return new Set(rows.map((row) => row.n));
    },

    async trim(before, batchSize) {
      await database.platform(trimKeysStatement);
      await database.platform({ ...forgetPurgedStatement, values: [before] });
      const [row] = await database.platform<{ count: number }>({
        ...trimStatement,
        values: [before, batchSize],
      });
      return row?.count ?? 0;
    },
  };
}

function unknownTenant(): DomainError {
  return new DomainError('TENANT_NOT_FOUND', 'There is no such tenant');
}
