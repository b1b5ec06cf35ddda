/**
 * What a write takes from its entities' counters: the hour's allowance of creations, and numbers of sequences. Counters
 * are rows that are locked until COMMIT, so a write that is rolled back has taken nothing, and numbers stand in the order
 * of commits, without gaps. Every write locks records first, then counters (allowances, then sequences, each in the order
 * of ids), then keys, the tenant's counter row last: none waits for one that waits for it.
 */
import { DomainError, invalidInput } from '#schema/errors.ts';
import type { FieldError } from '#schema/errors.ts';
import type { TenantTransaction } from '#prisma/record-database.ts';
import {
  readNumber,
  sequenceFields,
  type SequenceField,
  writeNumber,
} from '#subgraphs/model/computed-defaults.ts';
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { typeName } from '#subgraphs/model/names.ts';
import type { InputData } from '#subgraphs/model/values/input.ts';
import { parseFieldValue } from '#subgraphs/model/values/input.ts';
import { nameStatement } from './named-statement.ts';
import type { TakenCounters, WriteScope } from './write-scope.ts';

/** One record that is written: all its values where it is new, else those that change. */
export interface CountedWrite {
  readonly entity: EntityDefinition;
  readonly isNew: boolean;
  readonly data: InputData;
}

const nothing: TakenCounters = {
  next: ({ field }) => {
    throw new Error(`no number was taken for ${field.name}`);
  },
};

// The first to come makes the row. `least` is above every number that was given by hand, so that none comes twice.
const numbersText = `insert into field_sequences as s (tenant_id, field_id, entity_id, next)
  values ($1::uuid, $2::uuid, $3::uuid, greatest($4::bigint, $5::bigint) + $6::bigint)
  on conflict (tenant_id, field_id) do update set next = greatest(s.next, $5::bigint) + $6::bigint
  returning (next - $6::bigint)::float8 as first`;

const allowanceText = `insert into entity_creations as c (tenant_id, entity_id, period_start, created)
  values ($1::uuid, $2::uuid, now(), $3::int)
  on conflict (tenant_id, entity_id) do update set
    created = $3::int + case when c.period_start > now() - interval '1 hour' then c.created else 0 end,
    period_start = case when c.period_start > now() - interval '1 hour' then c.period_start else now() end
  returning created, period_start + interval '1 hour' as "resetAt"`;

/**
 * Takes all that the writes need, once for a transaction: what is created after it (in `scope.counters`) takes no more.
 * Throws RATE_LIMITED.
 */
export async function takeCounters(
  scope: WriteScope,
  writes: readonly CountedWrite[],
): Promise<TakenCounters> {
  if (scope.counters) return scope.counters;
  const byEntity = [...Map.groupBy(writes, (write) => write.entity)].toSorted(([a], [b]) =>
    a.id < b.id ? -1 : 1,
  );
  for (const [entity, ofEntity] of byEntity) {
    await takeAllowance(scope, entity, ofEntity.filter((write) => write.isNew).length);
  }
  const wanted = byEntity
    .flatMap(([entity, ofEntity]) =>
      sequenceFields(entity).map((sequence) => ({ sequence, ...demandOf(sequence, ofEntity) })),
    )
    .filter(({ count, least }) => count > 0 || least > 0)
    .toSorted((a, b) => (a.sequence.field.id < b.sequence.field.id ? -1 : 1));
  if (wanted.length === 0) return nothing;
  // Sent one after the other without waiting: PostgreSQL runs, and locks, them in this order.
  const firsts = await Promise.all(
    wanted.map(({ sequence: { field, sequence }, count, least }) =>
      scope.tx.query<{ first: number }>(
        nameStatement(numbersText, [
          scope.tenantId,
          field.id,
          field.entityId,
          sequence.start ?? 1,
          least,
          count,
        ]),
      ),
    ),
  );
  const numbers = new Map(
    wanted.map(({ sequence }, index) => [sequence.field.id, firsts[index]?.[0]?.first ?? 0]),
  );
  return {
    next(sequence) {
      const number = numbers.get(sequence.field.id);
      if (number === undefined) return nothing.next(sequence);
      numbers.set(sequence.field.id, number + 1);
      return number;
    },
  };
}

/** How many numbers the writes need, and above what: numbers that were given by hand are never given out again. */
function demandOf(
  sequence: SequenceField,
  writes: readonly CountedWrite[],
): { count: number; least: number } {
  let count = 0;
  let least = 0;
  for (const { isNew, data } of writes) {
    if (isNew && !(sequence.field.key in data)) count += 1;
    else least = Math.max(least, (readNumber(sequence, data[sequence.field.key]) ?? -1) + 1);
  }
  return { count, least };
}

async function takeAllowance(scope: WriteScope, entity: EntityDefinition, count: number): Promise<void> {
  const limit = entity.limits?.createsPerHour ?? null;
  if (limit === null || count === 0 || scope.ignoresLimits) return;
  const [row] = await scope.tx.query<{ created: number; resetAt: Date }>(
    nameStatement(allowanceText, [scope.tenantId, entity.id, count]),
  );
  if (!row || row.created <= limit) return;
  const remaining = Math.max(0, limit - (row.created - count));
  const resetAt = row.resetAt.toISOString();
  const left = remaining === 0 ? 'none is left' : `${remaining} are left`;
  throw new DomainError(
    'RATE_LIMITED',
    `At most ${limit} ${typeName(entity)} records may be created in an hour, and ${left} until ${resetAt}`,
    { details: { entity: entity.name, limit, remaining, resetAt } },
  );
}

/** Gives new records their numbers, in order. BAD_USER_INPUT where the field cannot hold the next one. */
export function numberRecords(
  entity: EntityDefinition,
  counters: TakenCounters,
  records: readonly { readonly data: InputData; readonly path: string | undefined }[],
): void {
  const errors: FieldError[] = [];
  for (const sequence of sequenceFields(entity)) {
    const { field } = sequence;
    for (const { data, path } of records) {
      if (field.key in data) continue;
      const at = path === undefined ? field.name : `${path}.${field.name}`;
      const { stored, errors: broken } = parseFieldValue(
        field,
        writeNumber(sequence, counters.next(sequence)),
        at,
      );
      data[field.key] = stored;
      errors.push(...broken);
    }
  }
  if (errors.length > 0) throw invalidInput(errors.slice(0, 100));
}

/** Part of a change of definitions, before the tenant's counter row: writers hold theirs when they come to it. */
export async function holdCounters(tx: TenantTransaction): Promise<void> {
  for (const [table, id] of [
    ['entity_creations', 'entity_id'],
    ['field_sequences', 'field_id'],
  ] as const) {
    await tx.query({
      name: `counters_hold_${table}`,
      text: `select from public.${table} where tenant_id = $1 order by ${id} for update`,
      values: [tx.claims.tenantId],
    });
  }
}
