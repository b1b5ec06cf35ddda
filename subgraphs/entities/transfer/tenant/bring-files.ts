/** The files in a tenant's file become files here, before the records that hold them. */
import { DomainError } from '#schema/errors.ts';
import { isBroken, type RowItem } from '../formats/source-row.ts';
import { derivedId } from '../import/record-ids.ts';
import { isRowFault, type RowError, rowErrorsOf } from '../import/row-error.ts';
import { nothingCounted, type TransferRun, type TransferTools } from '../run.ts';
import { parseTenantLine, type TenantLine } from './tenant-file.ts';

const noColumns: ReadonlyMap<string, string> = new Map();

/**
 * Each under an id that follows from its own: one that is here already is passed by. Answers what is wrong with some of
 * them (too large, no room); the others are here.
 */
export async function bringFiles(
  { tenantFiles }: Pick<TransferTools, 'tenantFiles'>,
  run: TransferRun,
  rows: AsyncIterable<RowItem>,
): Promise<RowError[] | 'STOPPED'> {
  if (!tenantFiles) throw new DomainError('SUBGRAPH_UNAVAILABLE', 'Files are not served here');
  const { transfer } = run;
  const errors: RowError[] = [];
  const lines = readLines(rows);
  try {
    let step = await lines.next();
    while (!step.done) {
      const { content, number, line } = step.value;
      // What a file that is here already has of bytes is passed by too.
      step = await lines.next();
      if (content.kind !== 'FILE') continue;
      async function* readBytes(): AsyncGenerator<Uint8Array> {
        for (; !step.done && step.value.content.kind === 'BYTES'; step = await lines.next())
          yield Buffer.from(step.value.content.base64, 'base64');
      }
      const file = { ...content, id: derivedId(transfer.id, content.id.toLowerCase()) };
      try {
        await tenantFiles.bring(run.claims, file, readBytes());
      } catch (error) {
        if (!isRowFault(error)) throw error;
        errors.push(...rowErrorsOf(error, { number, line, columns: noColumns }));
      }
      const progress = { rows: transfer.rows, readBytes: transfer.readBytes, counts: nothingCounted };
      if (!(await run.report({ ...progress, errors: [] }))) return 'STOPPED';
    }
  } finally {
    await lines.return(undefined);
  }
  return errors;
}

interface PlacedLine {
  readonly content: TenantLine;
  readonly number: number;
  readonly line: number;
}

/** The file was checked before: every line is good. */
async function* readLines(rows: AsyncIterable<RowItem>): AsyncGenerator<PlacedLine, undefined> {
  for await (const item of rows) {
    const content = isBroken(item) ? { problem: item.problem.message } : parseTenantLine(item.values);
    if (!('problem' in content)) yield { content, number: item.number, line: item.line };
  }
  return undefined;
}

/** What is left for the records' turn: their bytes would fill the memory, batch by batch. */
export async function* withoutFiles(rows: AsyncIterable<RowItem>): AsyncGenerator<RowItem> {
  for await (const item of rows) {
    const kind = isBroken(item) ? null : item.values['kind'];
    if (kind !== 'FILE' && kind !== 'BYTES') yield item;
  }
}
