/**
 * Finds rows whose unique values are taken, before they are written: by a record, or by an earlier row of the file. The
 * store has the last word; this spares it batches that it would refuse, and lets a dry run see what an import would.
 */
import type { EntityDefinition, FieldDefinition } from '#subgraphs/model/definition.ts';
import { relationIdName } from '#subgraphs/model/names.ts';
import { uniqueHash } from '#subgraphs/model/unique-keys.ts';
import { parseFieldValue } from '#subgraphs/model/values/input.ts';
import type { StoreContext } from '../../store/record-store.ts';
import type { KnownKeys } from './known-keys.ts';
import type { RowError } from './row-error.ts';
import type { RowInput } from './row-input.ts';

/** Hashes remembered over the whole file in a dry run, all fields together: about 100 bytes each. */
const maxRemembered = 500_000;

export interface KeyCheck {
  /** Errors of the rows of one batch, in the order of the rows. */
  check(context: StoreContext, entity: EntityDefinition, rows: readonly RowInput[]): Promise<RowError[]>;
}

/** `remembers`: rows of earlier batches are not in the store (a dry run), so their keys are kept here. */
export function createKeyCheck(known: KnownKeys, options: { remembers: boolean }): KeyCheck {
  const before = new Map<string, Map<string, number>>();
  let remembered = 0;

  async function checkField(
    context: StoreContext,
    entity: EntityDefinition,
    field: FieldDefinition,
    rows: readonly RowInput[],
  ): Promise<RowError[]> {
    const member = field.type === 'RELATION' ? relationIdName(field.name) : field.name;
    const lines = before.get(field.id) ?? new Map<string, number>();
    if (options.remembers) before.set(field.id, lines);
    const hashes = rows.map((row) => {
      const { stored } = parseFieldValue(field, row.input[member] ?? null, member);
      if (stored === null) return null;
      return uniqueHash(field, stored);
    });
    const taken = await known.findOwners(context.claims, {
      entityId: entity.id,
      fieldId: field.id,
      hashes: [...new Set(hashes.flatMap((hash) => hash ?? []))],
    });
    const errors: RowError[] = [];
    for (const [index, row] of rows.entries()) {
      const hash = hashes[index] ?? null;
      if (hash === null) continue;
      const firstLine = lines.get(hash);
      if (taken.has(hash) || firstLine !== undefined) {
        const where =
          firstLine === undefined ? `a ${entity.name} has it already` : `line ${firstLine} has it already`;
        errors.push({
          row: row.number,
          line: row.line,
          column: row.columns.get(member) ?? null,
          field: member,
          rule: 'unique',
          message: `${member} must be unique, and ${where}`,
        });
      } else if (!options.remembers || remembered < maxRemembered) {
        lines.set(hash, row.line);
        remembered += 1;
      }
    }
    return errors;
  }

  return {
    async check(context, entity, rows) {
      const errors: RowError[] = [];
      for (const field of entity.fields) {
        if (field.isUnique) errors.push(...(await checkField(context, entity, field, rows)));
      }
      return errors.toSorted((a, b) => a.row - b.row);
    },
  };
}
