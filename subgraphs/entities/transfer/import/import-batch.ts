/** One batch of an import: checked, and written unless it is a dry run. */
import type { RecordStore, StoreContext } from '../../store/record-store.ts';
import { isBroken, type SourceRow } from '../formats/source-row.ts';
import type { ImportPlan } from './import-plan.ts';
import type { ImportSettings } from './import-settings.ts';
import type { KeyCheck } from './key-check.ts';
import type { KnownKeys } from './known-keys.ts';
import type { RowBatch } from './read-batches.ts';
import { checkWithoutWriting } from './dry-run.ts';
import type { RowError } from './row-error.ts';
import { type RowInput, toInputs } from './row-input.ts';
import { type BatchResult, writeBatch } from './write-batch.ts';

export interface BatchJob {
  readonly records: RecordStore;
  readonly known: KnownKeys;
  readonly context: StoreContext;
  readonly plan: ImportPlan;
  readonly settings: ImportSettings;
  readonly isTextOnly: boolean;
  readonly keys: KeyCheck;
  /** An earlier attempt may have written some of these rows. */
  readonly mayRepeat: boolean;
  idOf(number: number): string;
}

/** With `onError: STOP` the errors are those of the first bad row, and the rows before it are written. */
export async function importBatch(job: BatchJob, batch: RowBatch): Promise<BatchResult> {
  const { records, context, plan, settings } = job;
  const errors: RowError[] = [];
  const rows: SourceRow[] = [];
  for (const item of batch.items) {
    if (isBroken(item))
      errors.push({ row: item.number, line: item.line, column: null, field: null, ...item.problem });
    else rows.push(item);
  }
  const read = await toInputs(job.known, context, plan.entity, rows, {
    ...job,
    ...plan,
    ...settings,
    upsertOn: plan.upsertOn,
  });
  errors.push(...read.errors);
  const stopsAtError = settings.onError === 'STOP';
  let inputs = stopsAtError ? before(read.inputs, errors) : read.inputs;

  const written =
    job.mayRepeat && !settings.isDryRun && !plan.upsertOn
      ? await findWritten(job, inputs)
      : new Set<string>();
  inputs = inputs.filter((row) => !written.has(job.idOf(row.number)));

  if (!plan.upsertOn) {
    const taken = await job.keys.check(context, plan.entity, inputs);
    errors.push(...taken);
    const refused = new Set(taken.map((error) => error.row));
    inputs = stopsAtError ? before(inputs, taken) : inputs.filter((row) => !refused.has(row.number));
  }
  const result = settings.isDryRun
    ? await checkWithoutWriting(job, context, plan, inputs)
    : await writeBatch(
        records,
        { context, entity: plan.entity, upsertOn: plan.upsertOn, idOf: job.idOf, stopsAtError },
        inputs,
      );
  const all = [...errors, ...result.errors].toSorted((a, b) => a.row - b.row);
  return {
    created: result.created + written.size,
    updated: result.updated,
    errors: stopsAtError ? all.filter((error) => error.row === all[0]?.row) : all,
  };
}

/** The rows before the first bad one. */
function before(rows: readonly RowInput[], errors: readonly RowError[]): RowInput[] {
  const end = Math.min(...errors.map((error) => error.row));
  return rows.filter((row) => row.number < end);
}

/** Ids of these rows' records that are there; deleted meanwhile counts too. */
function findWritten(job: BatchJob, rows: readonly RowInput[]): Promise<ReadonlySet<string>> {
  const ids = rows.map((row) => job.idOf(row.number));
  return job.known.findIds(job.context.claims, { entityId: job.plan.entity.id, ids });
}
