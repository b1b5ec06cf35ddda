/** What an entity's definition may be, whatever else there is. Names that clash: clashes.ts. */
import { DomainError } from '#schema/errors.ts';
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { typeName } from '#subgraphs/model/names.ts';
import type { BrokenRules } from './broken-rules.ts';
import { checkName, checkText, maxDescriptionLength, maxIconLength, maxLabelLength } from './name-rules.ts';

/** Adds every broken rule of an entity as it would become; its fields are not looked at. Throws CONFLICT where its names are one. */
export function checkEntity(rules: BrokenRules, entity: EntityDefinition): void {
  const isNamed = checkName(rules, 'name', entity.name);
  const isListed = checkName(rules, 'pluralName', entity.pluralName);
  checkText(rules, 'label', entity.label, maxLabelLength);
  checkText(rules, 'description', entity.description, maxDescriptionLength);
  checkText(rules, 'icon', entity.icon, maxIconLength);
  const { createsPerHour } = entity.limits ?? {};
  if (createsPerHour !== undefined && (!Number.isInteger(createsPerHour) || createsPerHour < 0)) {
    const message = 'limits.createsPerHour must be a whole number from 0';
    rules.add('limits.createsPerHour', 'range', message);
  }
  if (isNamed && isListed && entity.name.toLowerCase() === entity.pluralName.toLowerCase()) {
    const message = `The plural name of "${entity.name}" must differ from its name (upper and lower case count as equal): give a pluralName`;
    throw new DomainError('CONFLICT', message, {
      fields: [{ field: 'pluralName', rule: 'unique', message }],
    });
  }
  if (isNamed && typeName(entity) === '_') rules.add('name', 'name', 'name needs a letter or a digit');
}
