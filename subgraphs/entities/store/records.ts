/** The record store on PostgreSQL. */
import type { RecordDatabase } from '#prisma/record-database.ts';
import { readId } from '#subgraphs/model/values/choice.ts';
import { validateInput } from '#subgraphs/model/values/input.ts';
import { isNested } from '#subgraphs/model/values/nested-input.ts';
import { upsertNested } from './nested-upsert.ts';
import { writeNested } from './nested-writes.ts';
import { createRecordAggregates } from './record-aggregates.ts';
import { deleteBatch, requireDifferentIds, restoreBatch, updateBatch } from './record-batches.ts';
import { createRecords, requireBatch } from './record-creation.ts';
import { deleteRecord, restoreRecord } from './record-deletion.ts';
import { takenError } from './record-keys.ts';
import { lockRecord, notFound, requireVersion } from './record-locks.ts';
import { createRecordHistory } from './record-history.ts';
import { purgeRecords } from './record-purge.ts';
import { createRecordReads } from './record-reads.ts';
import type { RecordStore, StoredRecord } from './record-store.ts';
import { withSplitSearch } from './search-split.ts';
import { upsertBatch } from './record-upsert-batch.ts';
import { upsertRecord } from './record-upsert.ts';
import { toWritten, updateRecord } from './record-update.ts';
import { assertMayWrite } from './write-permissions.ts';
import { currentEntity, runWrite } from './write-transaction.ts';
import type { WriteDependencies } from './write-transaction.ts';

/**
 * `wakeUp.publish` is called after each commit that wrote events; `reload` reads the newest definitions where a write
 * met the fence. The store holds no state and is disposed of with the database.
 */
export function createRecordStore(
  database: RecordDatabase,
  wakeUp: WriteDependencies['wakeUp'],
  options: Pick<WriteDependencies, 'reload'>,
): RecordStore {
  const dependencies: WriteDependencies = { database, wakeUp, reload: options.reload };
  const reads = { ...createRecordReads(database), ...createRecordAggregates(database) };
  return {
    ...reads,
    ...withSplitSearch(reads, { database, load: options.reload }),
    ...createRecordHistory(database),

    create(context, entity, inputs, origins) {
      if (inputs.length === 0) return Promise.resolve([]);
      return runWrite(dependencies, context, async (scope) => {
        const current = currentEntity(scope, entity);
        requireBatch('inputs', inputs);
        if (origins === undefined && inputs.some((input) => isNested(scope.model, current, input))) {
          return writeNested(
            scope,
            current,
            inputs.map((input, index) => ({
              id: null,
              input,
              path: inputs.length > 1 ? `inputs.${index}` : undefined,
            })),
          );
        }
        const { changes, taken, pathOf } = await createRecords(scope, current, inputs, origins);
        if (taken.length > 0) throw takenError(taken, pathOf);
        return { result: changes.map((change) => change.after), changes };
      });
    },

    update(context, entity, id, input, expectedVersion) {
      return runWrite(dependencies, context, async (scope) => {
        const current = currentEntity(scope, entity);
        if (isNested(scope.model, current, input)) {
          const write = { id, input, expectedVersion: expectedVersion ?? null, path: undefined };
          const { result, changes } = await writeNested(scope, current, [write]);
          return { result: result[0] as StoredRecord, changes };
        }
        assertMayWrite(scope, current, 'UPDATE', [{ input }]);
        const data = validateInput(current, input, { partial: true });
        const record = await lockRecord(scope, current, id);
        if (!record || record.deletedAt) throw notFound(current, id);
        requireVersion(record, expectedVersion);
        return toWritten(record, await updateRecord(scope, current, record, data));
      });
    },

    upsert(context, entity, unique, input) {
      return runWrite(dependencies, context, async (scope) => {
        const current = currentEntity(scope, entity);
        if (!isNested(scope.model, current, input)) return upsertRecord(scope, current, unique, input);
        const { result, changes } = await upsertNested(scope, current, unique, [{ input, path: undefined }]);
        return { result: result[0] as StoredRecord, changes };
      });
    },

    delete(context, entity, id, expectedVersion) {
      return runWrite(dependencies, context, async (scope) => {
        const current = currentEntity(scope, entity);
        scope.access.of(current).assertAllows('DELETE');
        const known = readId(id);
        if (known === null) throw notFound(current, id);
        const changes = await deleteRecord(scope, current, known, expectedVersion);
        return { result: changes[0]?.after as StoredRecord, changes };
      });
    },

    restore(context, entity, id) {
      return runWrite(dependencies, context, async (scope) => {
        const current = currentEntity(scope, entity);
        scope.access.of(current).assertAllows('RESTORE');
        const record = await lockRecord(scope, current, id);
        if (!record) throw notFound(current, id);
        // Restored already: what was asked for is so.
        if (record.deletedAt === null) return { result: record, changes: [] };
        return toWritten(record, await restoreRecord(scope, current, record));
      });
    },

    updateMany: (context, entity, updates) =>
      runWrite(dependencies, context, (scope) => {
        const current = currentEntity(scope, entity);
        if (!updates.some(({ input }) => isNested(scope.model, current, input))) {
          return updateBatch(scope, current, updates);
        }
        requireBatch('inputs', updates);
        requireDifferentIds(updates);
        return writeNested(
          scope,
          current,
          updates.map((update, index) => ({ ...update, path: `inputs.${index}` })),
        );
      }),
    upsertMany: (context, entity, unique, inputs) =>
      runWrite(dependencies, context, (scope) => {
        const current = currentEntity(scope, entity);
        if (!inputs.some((input) => isNested(scope.model, current, input))) {
          return upsertBatch(scope, current, unique, inputs);
        }
        requireBatch('inputs', inputs);
        const items = inputs.map((input, index) => ({ input, path: `inputs.${index}` }));
        return upsertNested(scope, current, unique, items);
      }),
    deleteMany: (context, entity, ids) =>
      runWrite(dependencies, context, (scope) => deleteBatch(scope, currentEntity(scope, entity), ids)),
    purge: (context, entity, request) =>
      runWrite(dependencies, context, (scope) => purgeRecords(scope, currentEntity(scope, entity), request)),

    restoreMany: (context, entity, ids) =>
      runWrite(dependencies, context, (scope) => restoreBatch(scope, currentEntity(scope, entity), ids)),
  };
}
