/**
 * Finds rows whose unique values are taken, before they are written: by a record, or by an earlier row of the file. The
 * store has the last word; this spares it batches that it would refuse, and lets a dry run see what an import would.
 */
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { keyHash, memberName, type UniqueKey, uniqueKeys } from '#subgraphs/model/unique-keys.ts';
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

/** The hash of a row's values; null where it has no such key. */
export function rowHash(key: UniqueKey, row: Pick<RowInput, 'input'>): string | null {
  const values = key.fields.map((field) => {
    const member = memberName(field);
    return [field.key, parseFieldValue(field, row.input[member] ?? null, member).stored];
  });
  return keyHash(key, Object.fromEntries(values));
}

/** `remembers`: rows of earlier batches are not in the store (a dry run), so their keys are kept here. */
export function createKeyCheck(known: KnownKeys, options: { remembers: boolean }): KeyCheck {
  const before = new Map<string, Map<string, number>>();
  let remembered = 0;

  async function checkKey(
    context: StoreContext,
    entity: EntityDefinition,
    key: UniqueKey,
    rows: readonly RowInput[],
  ): Promise<RowError[]> {
    const members = key.fields.map(memberName);
    const lines = before.get(key.id) ?? new Map<string, number>();
    if (options.remembers) before.set(key.id, lines);
    const hashes = rows.map((row) => rowHash(key, row));
    const taken = await known.findOwners(context, {
      entity,
      keyId: key.id,
      hashes: [...new Set(hashes.flatMap((hash) => hash ?? []))],
      // Unique is unique, also beside what the caller does not see.
      onlyVisible: false,
    });
    const errors: RowError[] = [];
    for (const [index, row] of rows.entries()) {
      const hash = hashes[index] ?? null;
      if (hash === null) continue;
      const firstLine = lines.get(hash);
      if (taken.has(hash) || firstLine !== undefined) {
        const where =
          firstLine === undefined ? `a ${entity.name} has it already` : `line ${firstLine} has it already`;
        const what = members.join(' and ');
        for (const member of members) {
          errors.push({
            row: row.number,
            line: row.line,
            column: row.columns.get(member) ?? null,
            field: member,
            rule: 'unique',
            message: `${what} must be unique${key.isGroup ? ' together' : ''}, and ${where}`,
          });
        }
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
      for (const key of uniqueKeys(entity)) errors.push(...(await checkKey(context, entity, key, rows)));
      return errors.toSorted((a, b) => a.row - b.row);
    },
  };
}
