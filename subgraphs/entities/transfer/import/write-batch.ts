/** Writes a batch of rows; where the store refuses it as a whole, finds the rows that are to blame and writes the others. */
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import type { RecordStore, StoreContext } from '../../store/record-store.ts';
import type { RowInput } from './row-input.ts';
import { isRowFault, type RowError, rowErrorsOf } from './row-error.ts';

export interface BatchTarget {
  readonly context: StoreContext;
  readonly entity: EntityDefinition;
  /** UPSERT: the unique field's name; null: every row is a new record. */
  readonly upsertOn: string | null;
  /** The id of a new record, by its row's number. */
  idOf(number: number): string;
  /** Ends at the first row that is refused; the rows before it are written. */
  readonly stopsAtError: boolean;
}

export interface BatchResult {
  created: number;
  updated: number;
  errors: RowError[];
}

type Writer = Pick<RecordStore, 'create' | 'upsert'>;

/** All rows that the store takes. Throws what is no row's fault. Safe to repeat: rows that are there already are not doubled by `idOf`. */
export async function writeBatch(
  records: Writer,
  target: BatchTarget,
  rows: readonly RowInput[],
): Promise<BatchResult> {
  const result: BatchResult = { created: 0, updated: 0, errors: [] };
  if (target.upsertOn === null) await createRows(records, target, rows, result);
  else await upsertRows(records, target, target.upsertOn, rows, result);
  return result;
}

/** Halves what was refused until the bad rows stand alone: about two statements for each of them and each halving. */
async function createRows(
  records: Writer,
  target: BatchTarget,
  rows: readonly RowInput[],
  result: BatchResult,
): Promise<void> {
  if (rows.length === 0 || (target.stopsAtError && result.errors.length > 0)) return;
  try {
    const inputs = rows.map((row) => row.input);
    const origins = rows.map((row) => ({ id: target.idOf(row.number) }));
    await records.create(target.context, target.entity, inputs, origins);
    result.created += rows.length;
  } catch (error) {
    if (!isRowFault(error)) throw error;
    const [row] = rows;
    if (row && rows.length === 1) {
      result.errors.push(...rowErrorsOf(error, row));
      return;
    }
    const middle = Math.ceil(rows.length / 2);
    await createRows(records, target, rows.slice(0, middle), result);
    await createRows(records, target, rows.slice(middle), result);
  }
}

/** One by one and in order: of two rows with the same key the later one has the last word. */
async function upsertRows(
  records: Writer,
  { context, entity, stopsAtError }: BatchTarget,
  uniqueField: string,
  rows: readonly RowInput[],
  result: BatchResult,
): Promise<void> {
  for (const row of rows) {
    try {
      const record = await records.upsert(context, entity, uniqueField, row.input);
      if (record.version === 1) result.created += 1;
      else result.updated += 1;
    } catch (error) {
      if (!isRowFault(error)) throw error;
      result.errors.push(...rowErrorsOf(error, row));
      if (stopsAtError) return;
    }
  }
}
