/** What a field or group becomes unique with: keys for the records that are there, or a refusal that shows which share a value. */
import { DomainError } from '#schema/errors.ts';
import type { TenantTransaction } from '#prisma/record-database.ts';
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { memberName, type UniqueKey } from '#subgraphs/model/unique-keys.ts';
import type { BackfillFailure, DefinitionChange, Duplicate } from '../definitions/definition-change.ts';
import { insertKeys, keysOf, type RecordKey } from './record-keys.ts';
import type { StoredRecord } from './record-store.ts';
import type { WriteScope } from './write-scope.ts';

/** Values of one refusal, and records of each, that are shown. */
const shownValues = 5;
const shownRecords = 3;

/** Thrown where a record's value is another's already. */
export class NotUnique extends Error {
  readonly failure: BackfillFailure;
  constructor(failure: BackfillFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** CONFLICT with examples where live records share what is to become unique. Under the counter lock. */
export async function refuseDuplicates(tx: TenantTransaction, change: DefinitionChange): Promise<void> {
  for (const key of change.needsNoDuplicates) {
    const parameters = key.fields.map((_, index) => `$${index + 3}::text`);
    const values = key.fields.map(({ type }, index) => {
      const composed = `normalize(data ->> ${parameters[index]})`;
      return type === 'EMAIL' ? `lower(${composed})` : composed;
    });
    const found = await tx.query<{ values: string[]; ids: string[]; total: number }>({
      text: `
        select array[${values.join(', ')}] as values, (array_agg(id::text order by id))[1:${shownRecords}] as ids,
          count(*) over ()::int as total
        from public.records
        where tenant_id = $1 and entity_id = $2 and deleted_at is null
          and ${parameters.map((parameter) => `data ->> ${parameter} is not null`).join(' and ')}
        group by 1 having count(*) > 1 order by 1 limit ${shownValues}`,
      values: [tx.claims.tenantId, key.entityId, ...key.fields.map((field) => field.key)],
    });
    if (found.length === 0) continue;
    const failure = failureOf(
      key,
      found.map(({ values: shown, ids }) => ({ value: shownValue(key, shown), recordIds: ids })),
      found[0]?.total ?? found.length,
    );
    throw new DomainError('CONFLICT', failure.message, {
      fields: [
        { field: key.isGroup ? 'uniqueGroups' : 'isUnique', rule: 'unique', message: failure.message },
      ],
      details: { duplicates: failure.duplicates },
    });
  }
}

/** Of a group an object by the members' names. */
function shownValue(key: UniqueKey, values: readonly unknown[]): unknown {
  if (!key.isGroup) return values[0];
  return Object.fromEntries(key.fields.map((field, index) => [memberName(field), values[index]]));
}

function failureOf(key: UniqueKey, duplicates: Duplicate[], total: number): BackfillFailure {
  const examples = duplicates.map(
    ({ value, recordIds }) => `${JSON.stringify(value).slice(0, 100)} (${recordIds.join(', ')})`,
  );
  const what = total === 1 ? '1 value is' : `${total} values are`;
  return {
    message: `"${key.name}" cannot become unique: ${what} in several records, such as ${examples.join('; ')}`,
    duplicates,
  };
}

/** The records' keys of what is becoming unique. Throws NotUnique. */
export async function makeKeys(
  scope: WriteScope,
  entity: EntityDefinition,
  pendingKey: UniqueKey,
  records: readonly StoredRecord[],
): Promise<void> {
  const live = records.filter((record) => record.deletedAt === null);
  const keys = live.flatMap((record) => keysOf(entity, record).filter(({ key }) => key.id === pendingKey.id));
  const taken = await insertKeys(scope, keys);
  if (taken.length === 0) return;
  const owners = await ownersOf(scope, taken);
  const values = new Map(
    records.map(({ id, data }) => [
      id,
      shownValue(
        pendingKey,
        pendingKey.fields.map(({ key }) => data[key]),
      ),
    ]),
  );
  const duplicates = taken.flatMap(({ hash, recordId }): Duplicate[] => {
    const owner = owners.get(hash);
    // Written since the fence: the key is its own.
    if (owner === undefined || owner === recordId) return [];
    return [{ value: values.get(recordId), recordIds: [owner, recordId] }];
  });
  if (duplicates.length > 0)
    throw new NotUnique(failureOf(pendingKey, duplicates.slice(0, shownValues), duplicates.length));
}

async function ownersOf(scope: WriteScope, keys: readonly RecordKey[]): Promise<Map<string, string>> {
  const [first] = keys;
  const rows = await scope.tx.query<{ hash: string; owner: string }>({
    text: `
      select encode(hash, 'hex') as hash, record_id as owner from public.record_keys
      where tenant_id = $1 and entity_id = $2 and key_id = $3 and hash = any(array(select decode(h, 'hex') from unnest($4::text[]) as u (h)))`,
    values: [scope.tenantId, first?.entityId, first?.key.id, keys.map((key) => key.hash)],
  });
  return new Map(rows.map((row) => [row.hash, row.owner]));
}
