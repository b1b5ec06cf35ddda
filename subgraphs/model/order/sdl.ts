/** The order language in SDL: `orderBy: [{ createdAt: DESC }, { company: { name: ASC_NULLS_LAST } }]`. */
import type { EntityDefinition, FieldDefinition, TenantModel } from '../definition.ts';
import { deprecation } from '../aliases.ts';
import { ruleOf } from '../field-types.ts';
import { orderTypeName, typeName } from '../names.ts';
import { getTarget, inversesOf, isSingleInverse } from '../relations.ts';
import type { Inverse } from '../relations.ts';
import { isUnion, isUnionView } from '../union-relations.ts';
import { describe } from '../sdl-text.ts';

/** ASC puts records without a value last and DESC first, as PostgreSQL does. */
export const orderDirections = [
  'ASC',
  'DESC',
  'ASC_NULLS_FIRST',
  'ASC_NULLS_LAST',
  'DESC_NULLS_FIRST',
  'DESC_NULLS_LAST',
] as const;
export type OrderDirection = (typeof orderDirections)[number];

/** System members that any list can be ordered by. */
export const systemOrderMembers = ['id', 'version', 'createdAt', 'updatedAt', 'deletedAt'] as const;
export type SystemOrderMember = (typeof systemOrderMembers)[number];

/** Whether a field may stand in `orderBy`: by its value, or, for a relation, by a field of its target. */
export function isOrderMember(field: FieldDefinition): boolean {
  return field.isSortable && (field.type === 'RELATION' ? !isUnion(field) : ruleOf(field).isOrderable);
}

/** Whether lists of the target may be ordered by the one record that points at each of theirs. */
export function isOrderInverse(inverse: Inverse): boolean {
  // One to several entities is not sortable itself: its targets' lists are, by what points at them.
  return isSingleInverse(inverse) && (inverse.field.isSortable || isUnionView(inverse.field));
}

/** The enum that all tenants share. */
export function orderDirectionSdl(): string {
  return `"""A direction. Records without a value come last with ASC and first with DESC, unless it says otherwise."""
enum OrderDirection {
  ${orderDirections.join('\n  ')}
}`;
}

/** `ContactOrder`. */
export function orderSdl(model: TenantModel, entity: EntityDefinition): string {
  const members = systemOrderMembers.map((member) => `  ${member}: OrderDirection`);
  for (const field of entity.fields) {
    if (!isOrderMember(field)) continue;
    const type = field.type === 'RELATION' ? orderTypeName(getTarget(model, field)) : 'OrderDirection';
    members.push(
      `${describe(field.description ?? field.label, '  ')}  ${field.name}: ${type}${deprecation(field)}`,
    );
  }
  for (const inverse of inversesOf(model, entity)) {
    if (inverse.name === null || !isOrderInverse(inverse)) continue;
    const type = typeName(inverse.entity);
    members.push(
      `  "By the ${type} record whose ${inverse.field.name} this is."\n  ${inverse.name}: ${orderTypeName(inverse.entity)}`,
    );
  }
  return `"""How ${typeName(entity)} records are ordered: one member for each term. Equal ones are ordered by id."""
input ${orderTypeName(entity)} {
${members.join('\n')}
}`;
}
