/** What an import would do with rows whose form is good, found out without writing. */
import { checkInput } from '#subgraphs/model/values/input.ts';
import { relationIdName } from '#subgraphs/model/names.ts';
import { getTarget } from '#subgraphs/model/relations.ts';
import { readId } from '#subgraphs/model/values/choice.ts';
import type { RecordStore, StoreContext } from '../../store/record-store.ts';
import type { ImportPlan } from './import-plan.ts';
import { rowHash } from './key-check.ts';
import type { KnownKeys } from './known-keys.ts';
import type { RowError } from './row-error.ts';
import type { RowInput } from './row-input.ts';
import type { BatchResult } from './write-batch.ts';

/** Uniqueness is not looked at here: see key-check.ts. */
export async function checkWithoutWriting(
  { records, known: keys }: { records: Pick<RecordStore, 'findMany'>; known: KnownKeys },
  context: StoreContext,
  plan: ImportPlan,
  rows: readonly RowInput[],
): Promise<BatchResult> {
  const errors = await findMissingTargets(records, context, plan, rows);
  const known = await findKnown(keys, context, plan, rows);
  let updated = 0;
  let created = 0;
  const refused = new Set(errors.map((error) => error.row));
  for (const row of rows) {
    if (refused.has(row.number)) continue;
    if (known.has(row)) {
      updated += 1;
      continue;
    }
    const broken = plan.upsertOn ? checkInput(plan.entity, row.input, { partial: false }).errors : [];
    if (broken.length === 0) created += 1;
    for (const { field, rule, message } of broken) {
      errors.push({
        row: row.number,
        line: row.line,
        column: row.columns.get(field) ?? null,
        field,
        rule,
        message,
      });
    }
  }
  return { created, updated, errors };
}

/** UPSERT: rows whose record is there. */
async function findKnown(
  keys: KnownKeys,
  context: StoreContext,
  { entity, upsertOn }: ImportPlan,
  rows: readonly RowInput[],
): Promise<Set<RowInput>> {
  if (!upsertOn) return new Set();
  const hashes = new Map<RowInput, string>();
  for (const row of rows) {
    const hash = rowHash(upsertOn, row);
    if (hash !== null) hashes.set(row, hash);
  }
  const taken = await keys.findOwners(context, {
    entity,
    keyId: upsertOn.id,
    hashes: [...new Set(hashes.values())],
    onlyVisible: true,
  });
  return new Set(rows.filter((row) => taken.has(hashes.get(row) ?? '')));
}

/** Relations given by id: the store checks them when it writes. */
async function findMissingTargets(
  records: Pick<RecordStore, 'findMany'>,
  context: StoreContext,
  { model, entity }: ImportPlan,
  rows: readonly RowInput[],
): Promise<RowError[]> {
  const errors: RowError[] = [];
  for (const field of entity.fields) {
    if (field.type !== 'RELATION') continue;
    const member = relationIdName(field.name);
    const ids = new Set(rows.flatMap((row) => readId(row.input[member]) ?? []));
    if (ids.size === 0) continue;
    const list = [...ids];
    const found = await records.findMany(context, getTarget(model, field), list);
    const missing = new Set(list.filter((_, index) => found[index] === null));
    for (const row of rows) {
      if (!missing.has(readId(row.input[member]) ?? '')) continue;
      const message = `${member} must be the id of a record, and there is none with this one`;
      errors.push({
        row: row.number,
        line: row.line,
        column: row.columns.get(member) ?? null,
        field: member,
        rule: 'relation',
        message,
      });
    }
  }
  return errors;
}
