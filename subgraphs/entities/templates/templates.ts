/** The templates that `applyTemplate` knows. */
import { invalidField } from '#schema/errors.ts';
import { crm } from './crm.ts';
import { delivery } from './delivery.ts';
import { pim } from './pim.ts';
import type { Template } from './template.ts';

export const templates: readonly Template[] = [crm, pim, delivery];

/** BAD_USER_INPUT where there is none of that name. */
export function findTemplate(name: string): Template {
  const template = templates.find((candidate) => candidate.name === name);
  if (template) return template;
  const known = templates.map((candidate) => candidate.name).join(', ');
  throw invalidField(
    'name',
    'known',
    `name must be one of ${known}; it was ${JSON.stringify(name.slice(0, 80))}`,
  );
}
