/** Brings a tenant's file into another tenant: every record under an id of its own, every reference with it. */
import { DomainError } from '#schema/errors.ts';
import { readRows } from '../formats/read-rows.ts';
import type { RowItem } from '../formats/source-row.ts';
import { countBytes, readBatches } from '../import/read-batches.ts';
import type { RowError } from '../import/row-error.ts';
import type { RunEnd, TransferRun, TransferTools } from '../run.ts';
import { bringFiles, withoutFiles } from './bring-files.ts';
import { readContents } from './file-contents.ts';
import { deactivate, type Inactive, mergeDefinitions } from './merge-definitions.ts';
import { writeTenantLines } from './tenant-batch.ts';
import type { TenantLineOf } from './tenant-file.ts';

/**
 * The file is read to its end before anything is written. Definitions come in one transaction; then users, then files,
 * then records batch by batch. Repeating any of it changes nothing: ids are derived from those in the file.
 */
export async function importTenant(tools: TransferTools, run: TransferRun): Promise<RunEnd> {
  const { transfer } = run;
  const contents = await readContents((await openRows(tools, run)).rows);
  let inactive: Inactive = { entities: [], fields: [] };
  await tools.definitions.change({ claims: run.claims, requestId: run.requestId }, (draft) => {
    inactive = mergeDefinitions(draft, contents.entities);
  });
  const { people, errors: peopleErrors } = await bringPeople(tools, run, contents.people);
  const files = contents.hasFiles ? await bringFiles(tools, run, (await openRows(tools, run)).rows) : [];
  if (files === 'STOPPED') return { status: 'STOPPED', file: null };
  const errors = [...peopleErrors, ...files];

  const { rows, counter } = await openRows(tools, run);
  let mayRepeat = transfer.rows > 0 || transfer.attempts > 1;
  let notYetReported = transfer.rows === 0 ? errors : [];
  for await (const batch of readBatches(withoutFiles(rows), { afterRow: transfer.rows })) {
    const result = await writeTenantLines({ tools, run, people, mayRepeat }, batch.items);
    mayRepeat = false;
    const all = [...notYetReported, ...result.errors];
    notYetReported = [];
    const goesOn = await run.report({
      rows: batch.number,
      readBytes: counter.read,
      counts: {
        created: result.created,
        updated: result.updated,
        failed: new Set(result.errors.map((error) => error.row)).size,
      },
      errors: all,
    });
    if (!goesOn) return { status: 'STOPPED', file: null };
  }
  await tools.definitions.change({ claims: run.claims, requestId: run.requestId }, (draft) =>
    deactivate(draft, inactive),
  );
  return { status: 'DONE', file: null };
}

async function openRows(
  tools: TransferTools,
  { transfer }: TransferRun,
): Promise<{ rows: AsyncIterable<RowItem>; counter: { readonly read: number } }> {
  const file = transfer.fileId === null ? null : await tools.files.read(transfer.tenantId, transfer.fileId);
  if (!file) throw new DomainError('NOT_FOUND', 'The file of this transfer is not there any more');
  const counter = countBytes(file.content);
  return { rows: readRows(counter.content, { format: 'NDJSON', delimiter: null }), counter };
}

/** Ids here by ids in the file: who is here already by the e-mail address, and who was added. Who finds no seat is reported, and is nobody in what he made. */
async function bringPeople(
  tools: TransferTools,
  { claims, requestId }: TransferRun,
  lines: readonly TenantLineOf<'PERSON'>[],
): Promise<{ people: Map<string, string>; errors: RowError[] }> {
  const people = new Map<string, string>();
  const errors: RowError[] = [];
  if (lines.length === 0) return { people, errors };
  const known = new Map<string, string>();
  for await (const page of tools.people.list(claims, requestId)) {
    for (const { id, email } of page) known.set(email.toLowerCase(), id);
  }
  for (const { id, email, name, role } of lines) {
    const here = known.get(email.toLowerCase());
    if (here !== undefined) {
      people.set(id, here);
      continue;
    }
    const added = await tools.people.add(claims, requestId, { email, name, role });
    if (added.id !== null) people.set(id, added.id);
    else
      errors.push({
        row: 0,
        line: 0,
        column: null,
        field: 'user',
        rule: 'user',
        message: `${email}: ${added.reason}`,
      });
  }
  return { people, errors };
}
