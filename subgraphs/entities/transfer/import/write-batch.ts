/** Writes a batch of rows; where the store refuses it as a whole, the others than those to blame. */
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import type { UniqueKey } from '#subgraphs/model/unique-keys.ts';
import type { RecordStore, StoreContext } from '../../store/record-store.ts';
import { type Halving, writeHalving } from './halving.ts';
import { rowHash } from './key-check.ts';
import type { RowInput } from './row-input.ts';
import { type RowError, rowErrorsOf } from './row-error.ts';

export interface BatchTarget {
  readonly context: StoreContext;
  readonly entity: EntityDefinition;
  /** UPSERT: the unique field or group; null: every row is a new record. */
  readonly upsertOn: UniqueKey | null;
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

/** All rows that the store takes. Throws what is no row's fault. */
export async function writeBatch(
  records: Pick<RecordStore, 'create' | 'upsertMany'>,
  target: BatchTarget,
  rows: readonly RowInput[],
): Promise<BatchResult> {
  const { context, entity, upsertOn, stopsAtError } = target;
  const result: BatchResult = { created: 0, updated: 0, errors: [] };
  const refuse: Halving<RowInput>['refuse'] = (row, error) => {
    result.errors.push(...rowErrorsOf(error, row));
  };

  const create = async (some: readonly RowInput[]): Promise<void> => {
    const inputs = some.map((row) => row.input);
    const origins = some.map((row) => ({ id: target.idOf(row.number) }));
    await records.create(context, entity, inputs, origins);
    result.created += some.length;
  };
  const upsert = async (some: readonly RowInput[], key: UniqueKey): Promise<void> => {
    const inputs = some.map((row) => row.input);
    const written = await records.upsertMany(context, entity, key.name, inputs);
    const created = written.filter((record) => record.version === 1).length;
    result.created += created;
    result.updated += some.length - created;
  };

  if (!upsertOn) {
    await writeHalving(rows, { write: create, refuse, stopsAtError });
    return result;
  }
  for (const group of splitByKey(rows, upsertOn)) {
    const write = (some: readonly RowInput[]): Promise<void> => upsert(some, upsertOn);
    if (!(await writeHalving(group, { write, refuse, stopsAtError }))) break;
  }
  return result;
}

/** In the rows' order, no key twice in a group: of two rows with the same key the later one has the last word. */
function splitByKey(rows: readonly RowInput[], upsertOn: UniqueKey): RowInput[][] {
  const groups: RowInput[][] = [];
  let seen = new Set<string>();
  for (const row of rows) {
    const key = rowHash(upsertOn, row) ?? '';
    if (groups.length === 0 || seen.has(key)) {
      groups.push([]);
      seen = new Set();
    }
    seen.add(key);
    groups.at(-1)?.push(row);
  }
  return groups;
}
