/** From a file to the definition of an entity that holds it, and to the mapping of its columns. */
import type { CreateEntityInput } from '../../definitions/definition-input.ts';
import { refuseClashes } from '../../definitions/clashes.ts';
import { pluralOf } from '../../definitions/plural.ts';
import { DomainError } from '#schema/errors.ts';
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { cellOf, isBroken, type RowItem, unreadable } from '../formats/source-row.ts';
import type { ColumnMapping } from '../import/column-mapping.ts';
import { type ColumnObserver, observeColumn } from './column-profile.ts';
import { camelCase, nameFields } from './field-names.ts';
import { proposeField } from './propose-field.ts';

export interface EntityProposal {
  readonly entity: CreateEntityInput;
  readonly columns: readonly ColumnMapping[];
  /** Rows that were looked at. */
  readonly rows: number;
  /** Whether the file has more. */
  readonly isSample: boolean;
}

export interface ProposalOptions {
  /** What the entity shall be called, about; made a free name. */
  readonly name: string;
  readonly existing: readonly EntityDefinition[];
  readonly isTextOnly: boolean;
  readonly maxRows?: number;
  /** Values remembered to tell whether a column is unique, over all columns. */
  readonly maxRemembered?: number;
}

/** Throws BAD_USER_INPUT where the file cannot be read or has no rows. */
export async function proposeEntity(
  rows: AsyncIterable<RowItem>,
  options: ProposalOptions,
): Promise<EntityProposal> {
  const maxRows = options.maxRows ?? 50_000;
  const budget = { left: options.maxRemembered ?? 1_000_000 };
  const columns = new Map<string, ColumnObserver>();
  let count = 0;
  let isSample = false;
  for await (const item of rows) {
    if (isBroken(item)) continue;
    if (count === maxRows) {
      isSample = true;
      break;
    }
    count += 1;
    for (const column of Object.keys(item.values)) {
      let observer = columns.get(column);
      if (!observer) {
        observer = observeColumn(column, options.isTextOnly, budget);
        columns.set(column, observer);
      }
      observer.add(cellOf(item, column));
    }
  }
  if (count === 0) throw unreadable('rows', 'The file has no rows to propose an entity from');

  const profiles = [...columns.values()].map((observer) => observer.finish());
  const names = nameFields(profiles.map((profile) => profile.column));
  const proposals = profiles.map((profile, index) => proposeField(profile, names[index] as string, count));
  return {
    entity: {
      ...freeEntityName(
        options,
        proposals.map(({ field }) => field),
      ),
      fields: proposals.map(({ field }) => field),
    },
    columns: proposals.map(({ field, dateFormat, nullTexts }, index) => ({
      column: profiles[index]?.column as string,
      field: field.name,
      ...(dateFormat ? { dateFormat } : {}),
      ...(nullTexts.length > 0 ? { nullTexts } : {}),
    })),
    rows: count,
    isSample,
  };
}

/** The wanted name, or the first of `movie2 movie3 …` that clashes with nothing. */
function freeEntityName(
  { name, existing }: ProposalOptions,
  fields: NonNullable<CreateEntityInput['fields']>,
): { name: string; pluralName: string } {
  const wanted = camelCase(name)?.replace(/^_+/, '') ?? '';
  const base = /^[a-z]/.test(wanted) ? wanted : 'item';
  for (let number = 1; ; number++) {
    const candidate = number === 1 ? base : `${base}${number}`;
    const plural = pluralOf(candidate);
    if (plural !== candidate && isFree(existing, candidate, plural, fields))
      return { name: candidate, pluralName: plural };
    if (number > 1_000) throw new DomainError('CONFLICT', `No free name like "${base}" was found`);
  }
}

function isFree(
  existing: readonly EntityDefinition[],
  name: string,
  pluralName: string,
  fields: NonNullable<CreateEntityInput['fields']>,
): boolean {
  const entity = {
    ...blankEntity,
    name,
    pluralName,
    fields: fields.map((field) => ({ ...blankField, ...field })),
  };
  try {
    refuseClashes(existing, [...existing, entity as unknown as EntityDefinition]);
    return true;
  } catch (error) {
    if (error instanceof DomainError && error.code === 'CONFLICT') return false;
    throw error;
  }
}

const blankEntity = {
  id: '',
  label: null,
  description: null,
  icon: null,
  position: 0,
  aliases: [],
  uniqueGroups: [],
};
const blankField = { targetEntityId: null, inverseName: null, aliases: [] };

/** Words whose plural looks as that of a word in -y. */
const endsInIe = /(?:mov|cook|zomb|calor|self|gen|rook|smooth|brown|prair|p|t|l|d)ies$/i;

/** "monthly-movies.json.gz" → "monthlyMovie": the file's name without its endings, its last word in the singular. */
export function nameFromFile(fileName: string | null): string {
  const base = (fileName ?? '').replace(/^.*[\\/]/, '').replace(/(\.[A-Za-z0-9]{1,8}){1,2}$/, '');
  const name = camelCase(base) ?? 'item';
  const candidates = [
    ...(name.endsWith('ies') && !endsInIe.test(name) ? [`${name.slice(0, -3)}y`] : []),
    ...(/(?:s|x|z|ch|sh)es$/i.test(name) ? [name.slice(0, -2)] : []),
    name.slice(0, -1),
  ];
  return candidates.find((singular) => singular.length > 1 && pluralOf(singular) === name) ?? name;
}
