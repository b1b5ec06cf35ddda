/** Rows of a file become inputs of the entity; what is wrong with them is collected, row by row. */
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { checkInput, parseFieldValue } from '#subgraphs/model/values/input.ts';
import { memberName, uniqueHash, type UniqueKey } from '#subgraphs/model/unique-keys.ts';
import type { StoreContext } from '../../store/record-store.ts';
import { cellOf, type SourceRow } from '../formats/source-row.ts';
import { convertCell } from '../values/convert-cell.ts';
import type { ColumnTarget, ColumnTargets } from './column-mapping.ts';
import type { ImportMode } from './import-settings.ts';
import { findReferences, type KnownKeys, type Reference } from './known-keys.ts';
import type { RowError, RowPlace } from './row-error.ts';

export interface RowInput extends RowPlace {
  readonly input: Readonly<Record<string, unknown>>;
}

export interface RowInputOptions {
  readonly targets: ColumnTargets;
  readonly mode: ImportMode;
  readonly upsertOn: UniqueKey | null;
  readonly nullTexts: readonly string[];
  readonly isTextOnly: boolean;
}

interface PendingReference extends Reference {
  readonly row: DraftRow;
  readonly column: ColumnTarget;
}

interface DraftRow {
  readonly number: number;
  readonly line: number;
  readonly input: Record<string, unknown>;
  readonly columns: Map<string, string>;
  readonly errors: RowError[];
}

/** The good rows in order, and every error of the others. Relations by a unique field cost one statement for each such column. */
export async function toInputs(
  known: KnownKeys,
  context: StoreContext,
  entity: EntityDefinition,
  rows: readonly SourceRow[],
  options: RowInputOptions,
): Promise<{ inputs: RowInput[]; errors: RowError[] }> {
  const references: PendingReference[] = [];
  const drafts = rows.map((row) => draftRow(row, options, references));
  await resolveReferences(known, context, references);
  for (const draft of drafts) checkDraft(entity, draft, options);
  return {
    inputs: drafts.filter((draft) => draft.errors.length === 0),
    errors: drafts.flatMap((draft) => draft.errors),
  };
}

function draftRow(row: SourceRow, options: RowInputOptions, references: PendingReference[]): DraftRow {
  const draft: DraftRow = { number: row.number, line: row.line, input: {}, columns: new Map(), errors: [] };
  for (const name of Object.keys(row.values)) {
    const column = options.targets.find(name);
    if (!column) continue;
    const { field, member, relation } = column;
    draft.columns.set(member, name);
    const value = convertCell(cellOf(row, name), relation?.by ?? field, {
      dateFormat: column.dateFormat,
      nullTexts: [...options.nullTexts, ...column.nullTexts],
      isTextOnly: options.isTextOnly,
    });
    if (value === null) {
      // A field that must have a value gets its default; elsewhere "nothing" is what the file says.
      if (options.mode === 'UPSERT' || !field.isRequired) draft.input[member] = null;
    } else if (relation?.by) {
      const { stored, errors } = parseFieldValue(relation.by, value, member);
      draft.errors.push(
        ...errors.map((error) => ({ row: row.number, line: row.line, column: name, ...error })),
      );
      if (stored !== null)
        references.push({ target: relation.target, by: relation.by, stored, row: draft, column });
    } else {
      draft.input[member] = value;
    }
  }
  return draft;
}

async function resolveReferences(
  known: KnownKeys,
  context: StoreContext,
  references: readonly PendingReference[],
): Promise<void> {
  if (references.length === 0) return;
  const found = await findReferences(known, context, references);
  for (const { row, column, target, by, stored } of references) {
    const id = found.get(by)?.get(uniqueHash(by, stored));
    if (id !== undefined) {
      row.input[column.member] = id;
      continue;
    }
    const shown = String(stored).slice(0, 40).toWellFormed();
    row.errors.push({
      row: row.number,
      line: row.line,
      column: column.column,
      field: column.member,
      rule: 'relation',
      message: `${column.member} must refer to a ${target.name}, and none has the ${by.name} "${shown}"`,
    });
  }
}

function checkDraft(entity: EntityDefinition, draft: DraftRow, { mode, upsertOn }: RowInputOptions): void {
  const failed = new Set(draft.errors.map((error) => error.field));
  const { errors } = checkInput(entity, draft.input, { partial: mode === 'UPSERT' });
  for (const { field, rule, message } of errors) {
    // A relation that was not found is not also missing.
    if (failed.has(field)) continue;
    draft.errors.push({
      row: draft.number,
      line: draft.line,
      column: draft.columns.get(field) ?? null,
      field,
      rule,
      message,
    });
  }
  for (const member of upsertOn?.fields.map(memberName) ?? []) {
    if ((draft.input[member] ?? null) !== null || failed.has(member)) continue;
    const message = `${member} is required: it tells which record the row is`;
    draft.errors.push({
      row: draft.number,
      line: draft.line,
      column: draft.columns.get(member) ?? null,
      field: member,
      rule: 'required',
      message,
    });
  }
}
