/**
 * A write that carries an idempotency key is done once: who repeats it gets the first answer. The key is kept in the
 * transaction of the write, so there is an answer if and only if the write was committed.
 */
import { createHash } from 'node:crypto';
import type { TenantTransaction } from '#prisma/record-database.ts';
import { DomainError, invalidField } from '#schema/errors.ts';
import type { StoreContext, StoredRecord } from './record-store.ts';

const maxKeyLength = 200;

// Where another transaction has the same key in hand, this waits for its end. A key of yesterday is free again.
const claimText = `insert into idempotency_keys as k (tenant_id, actor, operation, key, request)
  values ($1::uuid, $2, $3, $4, decode($5, 'hex')) on conflict (tenant_id, actor, operation, key)
  do update set request = excluded.request, answer = null, created_at = now() where k.created_at < now() - interval '24 hours'
  returning true as claimed`;
const findText = `select encode(request, 'hex') as request, answer from idempotency_keys
  where tenant_id = $1::uuid and actor = $2 and operation = $3 and key = $4`;
const answerText = `update idempotency_keys set answer = $5::json
  where tenant_id = $1::uuid and actor = $2 and operation = $3 and key = $4`;

/**
 * Runs `work`, or answers with `repeat` what it answered the first time to the same actor's same operation. The result is
 * of stored records or plain JSON. CONFLICT where the key came with another request; BAD_USER_INPUT for one that is none.
 */
export async function onlyOnce<Written extends { readonly result: unknown }>(
  tx: TenantTransaction,
  context: StoreContext,
  work: () => Promise<Written>,
  repeat: (answer: unknown) => Promise<Written>,
): Promise<Written> {
  if (!context.idempotency) return work();
  const { key, operation, entityId, request } = context.idempotency;
  requireKey(key);
  const { actorKind, actorId } = context.claims;
  const where = [tx.claims.tenantId, `${actorKind}:${actorId}`, `${operation} ${entityId}`, key];
  const hash = hashOf(request);

  const claimed = await tx.query({
    name: 'idempotency_claim',
    text: claimText,
    values: [...where, hash],
  });
  if (claimed.length > 0) {
    const written = await work();
    await tx.query({
      name: 'idempotency_answer',
      text: answerText,
      values: [...where, JSON.stringify(written.result)],
    });
    return written;
  }
  const [first] = await tx.query<{ request: string; answer: unknown }>({
    name: 'idempotency_find',
    text: findText,
    values: where,
  });
  if (first?.request !== hash) {
    const message = 'This idempotencyKey came with another request before: a retry repeats all of it';
    throw new DomainError('CONFLICT', message, {
      fields: [{ field: 'idempotencyKey', rule: 'reused', message }],
    });
  }
  return repeat(revive(first.answer));
}

function requireKey(key: string): void {
  if (key.length > 0 && key.length <= maxKeyLength && key.isWellFormed() && !key.includes('\0')) return;
  const message = `idempotencyKey must be a text of 1 to ${maxKeyLength} characters`;
  throw invalidField('idempotencyKey', 'length', message);
}

/** Of the request in JSON, whatever the order of its members. */
function hashOf(request: unknown): string {
  const text = JSON.stringify(request, (_name, value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value ?? null;
    return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
  return createHash('sha256').update(text).digest('hex');
}

/** Records as they were before they were written down in JSON. */
function revive(answer: unknown): unknown {
  if (Array.isArray(answer)) return answer.map(revive);
  if (typeof answer !== 'object' || answer === null) return answer;
  const record = answer as StoredRecord;
  return {
    ...record,
    createdAt: new Date(record.createdAt),
    updatedAt: new Date(record.updatedAt),
    deletedAt: record.deletedAt && new Date(record.deletedAt),
  };
}
