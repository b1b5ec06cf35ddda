/** From what people call columns to names that a definition may have. */
import { findReservedFieldName } from '#schema/reserved-names.ts';
import { enumValueOf, generatedNames } from '#subgraphs/model/names.ts';

const maxLength = 63;
/** A number that makes a name different from the others still fits behind it. */
const maxBaseLength = maxLength - 4;

/** "US Gross" → `usGross`, "Miles_per_Gallon" → `milesPerGallon`, "Größe (cm)" → `grosseCm`; null where nothing is left. */
export function camelCase(text: string): string | null {
  const words = text
    .replaceAll('ß', 'ss')
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== '')
    .map((word) => word.toLowerCase());
  if (words.length === 0) return null;
  const name = words
    .map((word, index) => (index === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1)))
    .join('');
  return (/^\d/.test(name) ? `_${name}` : name).slice(0, maxBaseLength);
}

/**
 * A field's name for each column, in order: all different (also as values of enums, and without regard to case) and none
 * of the platform's own. A column `id` becomes `sourceId`.
 */
export function nameFields(columns: readonly string[]): string[] {
  const taken = new Set<string>();
  return columns.map((column, index) => {
    const base = freeOfReserved(camelCase(column) ?? `column${index + 1}`);
    let name = base;
    for (let number = 2; isTaken(taken, name); number++) name = `${base}${number}`;
    take(taken, name);
    return name;
  });
}

/** "filter", "order" …: as a choice, such a field would have a type called as one that the entity has anyway. */
const ownTypeEndings = new Set(
  generatedNames({ name: 'x', pluralName: 'xs', fields: [], uniqueGroups: [] }).types.map((type) =>
    type.slice(1).toLowerCase(),
  ),
);

function freeOfReserved(name: string): string {
  if (findReservedFieldName(name) === null && !ownTypeEndings.has(name.toLowerCase())) return name;
  return `source${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

function isTaken(taken: ReadonlySet<string>, name: string): boolean {
  return (
    taken.has(name.toLowerCase()) || taken.has(enumValueOf(name)) || findReservedFieldName(name) !== null
  );
}

function take(taken: Set<string>, name: string): void {
  taken.add(name.toLowerCase());
  taken.add(enumValueOf(name));
}
