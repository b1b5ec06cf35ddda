/** Creating records, one or a thousand: the same few statements. */
import { DomainError, invalidField, invalidInput } from '#schema/errors.ts';
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { checkInput, maxFieldErrors } from '#subgraphs/model/values/input.ts';
import { createId } from './uuid-v7.ts';
import { attachFiles } from './record-files.ts';
import { insertKeys, keysOf } from './record-keys.ts';
import type { RecordKey } from './record-keys.ts';
import type { RecordOrigin, StoredRecord } from './record-store.ts';
import { insertRecords } from './record-rows-writing.ts';
import { requireTargets } from './relation-targets.ts';
import { numberRecords, takeCounters } from './write-counters.ts';
import { assertMayWrite } from './write-permissions.ts';
import type { RecordChange, WriteScope } from './write-scope.ts';

export const maxBatch = 1_000;

type Input = Readonly<Record<string, unknown>>;

export interface Creation {
  readonly changes: RecordChange[];
  /** Keys that other records have. Where there are any, the transaction must not commit. */
  readonly taken: RecordKey[];
  /** A record's place in the batch, for errors; undefined where it is alone. */
  pathOf(recordId: string): string | undefined;
}

/** BAD_USER_INPUT where the argument of this name holds more than a batch may. */
export function requireBatch(argument: string, members: readonly unknown[]): void {
  if (members.length <= maxBatch) return;
  const message = `${argument} must hold at most ${maxBatch}, holds ${members.length}`;
  throw invalidField(argument, 'maxLength', message);
}

/**
 * Creates a record for each input. Throws BAD_USER_INPUT that lists the broken rules of all of them. `paths` are the
 * inputs' places in errors; where absent, their own in `inputs`, or none for an only one.
 */
export async function createRecords(
  scope: WriteScope,
  entity: EntityDefinition,
  inputs: readonly Input[],
  origins: readonly RecordOrigin[] = [],
  paths?: readonly string[],
): Promise<Creation> {
  requireBatch('inputs', inputs);
  const pathAt = (index: number): string | undefined =>
    paths ? paths[index] : inputs.length > 1 ? `inputs.${index}` : undefined;
  assertMayWrite(
    scope,
    entity,
    'CREATE',
    inputs.map((input, index) => ({ input, path: pathAt(index) })),
  );
  const written = inputs.map((input, index) => {
    const path = pathAt(index);
    return {
      path,
      ...checkInput(entity, input, {
        partial: false,
        author: scope,
        ...(path === undefined ? {} : { path }),
      }),
    };
  });
  const errors = written.flatMap((one) => one.errors);
  if (errors.length > 0) throw invalidInput(errors.slice(0, maxFieldErrors));

  await requireTargets(scope, entity, written);
  const ids = written.map((_, index) => origins[index]?.id ?? createId());
  await attachFiles(
    scope,
    entity,
    written.map(({ data, path }, index) => ({ recordId: ids[index] as string, data, path })),
  );
  const counters = await takeCounters(
    scope,
    written.map(({ data }) => ({ entity, isNew: true, data })),
  );
  numberRecords(entity, counters, written);
  const records = written.map(({ data }, index): StoredRecord => {
    const { createdAt = scope.now, createdBy = scope.userId } = origins[index] ?? {};
    return {
      entityId: entity.id,
      id: ids[index] as string,
      data: withoutNulls(data),
      version: 1,
      createdAt,
      updatedAt: scope.now,
      createdBy,
      deletedAt: null,
    };
  });
  const keys = records.flatMap((record) => keysOf(entity, record));
  // Sent together: the keys do not wait for the rows' answer.
  const [taken] = await Promise.all([
    insertKeys(scope, keys),
    insertRecords(scope, entity, records).catch(explainTakenId),
  ]);
  const places = new Map(records.map((record, index) => [record.id, index]));
  return {
    changes: records.map((after) => ({
      operation: 'CREATED',
      before: null,
      after,
      changedFields: Object.keys(after.data),
    })),
    taken,
    pathOf: (recordId) => pathAt(places.get(recordId) ?? 0),
  };
}

/** An id that came along may be taken; those made here are not. */
function explainTakenId(error: unknown): never {
  const { code, constraint } = error as { code?: unknown; constraint?: unknown };
  if (code !== '23505' || constraint !== 'records_pkey') throw error;
  const message = 'A record has this id already';
  throw new DomainError('CONFLICT', message, {
    fields: [{ field: 'id', rule: 'unique', message }],
    cause: error,
  });
}

/** A record's data has no nulls: a field without a value is not a member. */
export function withoutNulls(data: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(data).filter(([, value]) => value !== null && value !== undefined),
  );
}
