/** What an export was asked for; kept with its transfer. */
export interface ExportSettings {
  /** Paths (`name`, `companyId`, `company.taxId`); empty: every field. */
  readonly fields: readonly string[];
  /** As the entity's own filter input. */
  readonly filter: Readonly<Record<string, unknown>> | null;
  readonly search: string | null;
  /** Options by their labels instead of their values. */
  readonly usesLabels: boolean;
  /** CSV. */
  readonly delimiter: string | null;
  /** What its reader might see when it was begun (`exportSight`). */
  readonly sight: string;
}

export const defaultExportSettings: ExportSettings = {
  fields: [],
  filter: null,
  search: null,
  usesLabels: false,
  delimiter: null,
  sight: '',
};
