/** Imports a file, batch by batch, from where it was left. */
import { DomainError } from '#schema/errors.ts';
import { modelAccess } from '#subgraphs/model/permissions/access.ts';
import type { TransferRun, RunEnd, TransferTools } from '../run.ts';
import { nothingCounted } from '../run.ts';
import { readRows } from '../formats/read-rows.ts';
import {
  columnsOf,
  createImportPlan,
  type ImportPlan,
  requireAccess,
  requireColumns,
} from './import-plan.ts';
import { importBatch } from './import-batch.ts';
import { defaultImportSettings, type ImportSettings } from './import-settings.ts';
import { createKeyCheck } from './key-check.ts';
import { countBytes, readBatches } from './read-batches.ts';
import { rowId } from './record-ids.ts';
import { type RowError, storableText } from './row-error.ts';

/** Columns named as ignored, at most. */
const maxIgnored = 100;

/**
 * Every batch is written before it is noted down. Where the process died in between, the next one repeats the batch and
 * finds its records by their ids (`rowId`); an upsert finds them by their keys.
 */
export async function runImport(tools: TransferTools, run: TransferRun): Promise<RunEnd> {
  const { transfer } = run;
  const settings: ImportSettings = { ...defaultImportSettings, ...transfer.settings };
  const file = transfer.fileId === null ? null : await tools.files.read(transfer.tenantId, transfer.fileId);
  if (!file) throw new DomainError('NOT_FOUND', 'The file of this transfer is not there any more');
  const counter = countBytes(file.content);
  const rows = readRows(counter.content, { format: transfer.format, delimiter: settings.delimiter });
  const keys = createKeyCheck(tools.known, { remembers: settings.isDryRun });
  const ignored = new Set(transfer.ignoredColumns);
  let plan: ImportPlan | null = null;
  let mayRepeat = transfer.rows > 0 || transfer.attempts > 1;

  for await (const batch of readBatches(rows, { afterRow: transfer.rows })) {
    const model = await tools.getModel(run.claims);
    if (plan?.model !== model) {
      plan = createImportPlan(model, run.claims, transfer.entity, settings);
      requireColumns(plan, batch.items);
    }
    const columns = columnsOf(batch.items);
    // Rights may have changed since the last batch.
    requireAccess(plan, modelAccess(model, run.claims), columns);
    for (const column of columns) {
      if (ignored.size < maxIgnored && plan.targets.find(column) === null) ignored.add(storableText(column));
    }
    const context = { claims: run.claims, model, requestId: run.requestId };
    const result = await importBatch(
      {
        ...{ records: tools.records, known: tools.known, context, plan, settings, keys, mayRepeat },
        isTextOnly: transfer.format === 'CSV',
        idOf: (number) => rowId(transfer, number),
      },
      batch,
    );
    mayRepeat = false;
    const { created, updated, errors } = result;
    const [first] = errors;
    const stopsHere = settings.onError === 'STOP' && first !== undefined;
    const goesOn = await run.report({
      rows: stopsHere ? first.row - 1 : batch.number,
      readBytes: counter.read,
      counts: {
        ...nothingCounted,
        created,
        updated,
        failed: stopsHere ? 0 : new Set(errors.map((error) => error.row)).size,
      },
      errors: stopsHere ? [] : errors,
      ignoredColumns: [...ignored],
    });
    if (stopsHere) throw stoppedAt(errors);
    if (!goesOn) return { status: 'STOPPED', file: null };
  }
  return { status: 'DONE', file: null };
}

function stoppedAt(errors: readonly RowError[]): DomainError {
  const [first] = errors;
  const sentences = errors.map((error) => error.message).join('; ');
  return new DomainError(
    'BAD_USER_INPUT',
    `Row ${first?.row} (line ${first?.line}) was refused: ${sentences}`,
    {
      fields: errors.map(({ column, field, rule, message }) => ({
        field: field ?? column ?? 'row',
        rule,
        message,
      })),
    },
  );
}
