/** What keeps a field of many records from becoming another type: values that do not convert, shown in the refusal. */
import type { TenantTransaction } from '#prisma/record-database.ts';
import type { FieldDefinition } from '#subgraphs/model/definition.ts';
import { becomingOf } from '../definitions/becoming.ts';
import type { BackfillFailure, DefinitionChange, Duplicate } from '../definitions/definition-change.ts';
import { convertValue } from '../definitions/value-conversion.ts';

/** Records of one look. */
const batchSize = 500;

/** Values of one refusal that are shown. */
const shownValues = 5;

/** Thrown where a value does not convert, and may not be cleared. */
export class NotConverted extends Error {
  readonly fieldId: string;
  readonly failure: BackfillFailure;
  constructor(fieldId: string, failure: BackfillFailure) {
    super(failure.message);
    this.fieldId = fieldId;
    this.failure = failure;
  }
}

/** Throws NotConverted where records keep the field from becoming what it is to become. */
export function refuseProblems(
  field: FieldDefinition,
  records: readonly { readonly id: string; readonly data: Readonly<Record<string, unknown>> }[],
): void {
  const becoming = becomingOf(field);
  if (!becoming) return;
  const { before, after, onError } = becoming;
  const problems = records.flatMap(({ id, data }): Duplicate[] => {
    const value = data[before.key] ?? null;
    const conversion = value === null ? { stored: null } : convertValue(before, after, value);
    const isLost = !('stored' in conversion) && onError === 'REFUSE';
    const isMissing = after.isRequired && !('stored' in conversion && conversion.stored !== null);
    return isLost || isMissing ? [{ value, recordIds: [id] }] : [];
  });
  if (problems.length === 0) return;
  const shown = problems.slice(0, shownValues);
  const examples = shown.map(
    ({ value, recordIds }) => `${JSON.stringify(value).slice(0, 60)} (${recordIds.join()})`,
  );
  const message = `"${field.name}" stays ${field.type}: values do not convert to ${after.type}, such as ${examples.join(', ')}`;
  throw new NotConverted(field.id, { message, duplicates: shown });
}

/** Part of the transaction that settles conversions: looks at records without a converted value once more, under the counter lock. */
export async function refuseUnconverted(tx: TenantTransaction, change: DefinitionChange): Promise<void> {
  for (const { before, after } of change.converted) {
    let last: string | null = null;
    do {
      const rows: { id: string; value: unknown }[] = await tx.query({
        name: 'backfill_unconverted',
        text: `
          select id, data -> $3::text as value from public.records
          where tenant_id = $1 and entity_id = $2 and data -> $4::text is null and ($6 or data -> $3::text is not null)
            and id > coalesce($5::uuid, '00000000-0000-0000-0000-000000000000')
          order by id limit ${batchSize}`,
        values: [tx.claims.tenantId, before.entityId, before.key, after.key, last, after.isRequired],
      });
      refuseProblems(
        before,
        rows.map(({ id, value }) => ({ id, data: { [before.key]: value } })),
      );
      last = rows.at(-1)?.id ?? null;
    } while (last !== null);
  }
}
