/** Writes an entity's records into a file. */
import { DomainError } from '#schema/errors.ts';
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { modelAccess } from '#subgraphs/model/permissions/access.ts';
import type { StoreContext, StoredRecord } from '../../store/record-store.ts';
import { exportSight } from '../access.ts';
import { createRowWriter } from '../formats/row-writer.ts';
import { nothingCounted, type RunEnd, type TransferRun, type TransferTools } from '../run.ts';
import { createExportColumns, type ExportColumn } from './export-columns.ts';
import { defaultExportSettings, type ExportSettings } from './export-settings.ts';
import { readPages } from './record-pages.ts';
import { Stopped, toBytes } from './stopped.ts';

/** An export's own limit, so that one tenant cannot fill the disk: 8 GiB. */
export const maxExportBytes = 8 * 1024 ** 3;

/** An export that is repeated begins anew: its file is not there before it is whole. */
export async function runExport(tools: TransferTools, run: TransferRun): Promise<RunEnd> {
  const { transfer } = run;
  const settings: ExportSettings = { ...defaultExportSettings, ...transfer.settings };
  const getContext = async (): Promise<{ context: StoreContext; entity: EntityDefinition }> => {
    const model = await tools.getModel(run.claims);
    const entity = model.entityByName.get(transfer.entity ?? '');
    if (!entity) throw new DomainError('NOT_FOUND', `There is no entity "${transfer.entity?.slice(0, 80)}"`);
    if (exportSight(model, run.claims) !== settings.sight) {
      const message =
        'What your role may see has changed since the export was begun: resume it to begin anew';
      throw new DomainError('FORBIDDEN', message);
    }
    return { context: { claims: run.claims, model, requestId: run.requestId }, entity };
  };
  const { context, entity } = await getContext();
  // The columns stay as they are now; a field that goes meanwhile reads as empty.
  const columns = createExportColumns(context.model, entity, {
    ...settings,
    format: transfer.format,
    access: modelAccess(context.model, run.claims),
  });
  const totalCount = await tools.records.count(context, {
    entity,
    filter: settings.filter,
    search: settings.search,
  });
  const writer = createRowWriter({
    format: transfer.format,
    columns: columns.map((column) => column.name),
    ...(settings.delimiter === null ? {} : { delimiter: settings.delimiter }),
  });

  async function* write(): AsyncGenerator<string> {
    yield writer.start();
    let rows = 0;
    let length = 0;
    const request = { filter: settings.filter, search: settings.search };
    for await (const page of readPages(tools.records, getContext, request)) {
      const values = await readValues(tools, page.context, columns, page.records);
      const text = values.map((row) => writer.row(row)).join('');
      yield text;
      rows += page.records.length;
      length += text.length;
      const goesOn = await run.report({
        rows,
        readBytes: length,
        counts: nothingCounted,
        errors: [],
        totalCount,
      });
      if (!goesOn) throw new Stopped();
    }
    yield writer.end();
  }

  try {
    const id = crypto.randomUUID();
    const { bytes } = await tools.files.write(transfer.tenantId, id, toBytes(write()), maxExportBytes);
    return { status: 'DONE', file: { id, bytes } };
  } catch (error) {
    if (error instanceof Stopped) return { status: 'STOPPED', file: null };
    throw error;
  }
}

/** One statement for each relation that columns lead through. */
async function readValues(
  { records }: Pick<TransferTools, 'records'>,
  context: StoreContext,
  columns: readonly ExportColumn[],
  page: readonly StoredRecord[],
): Promise<unknown[][]> {
  const others = new Map<string, ReadonlyMap<string, StoredRecord | null>>();
  for (const { through } of columns) {
    if (!through || others.has(through.field.id)) continue;
    const ids = [
      ...new Set(page.flatMap((record) => (record.data[through.field.key] as string | undefined) ?? [])),
    ];
    const found = ids.length > 0 ? await records.findMany(context, through.target, ids) : [];
    others.set(through.field.id, new Map(ids.map((id, index) => [id, found[index] ?? null])));
  }
  return page.map((record) =>
    columns.map(({ through, read }) => {
      if (!through) return read(record);
      const other = others.get(through.field.id)?.get(record.data[through.field.key] as string);
      return other ? read(other) : null;
    }),
  );
}
