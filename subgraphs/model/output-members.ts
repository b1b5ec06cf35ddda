/** A field's members in answers, with what each shows of the stored value: its own, of a relation the id, of a union also the type. */
import type { FieldDefinition } from './definition.ts';
import { ruleOf } from './field-types.ts';
import { memberNames } from './names.ts';
import { activeTargets, isUnion, pointedAt, targetValue } from './union-relations.ts';

export interface OutputMember {
  readonly name: string;
  /** From the stored form (null or absent: none) to what the GraphQL type serialises. */
  readonly read: (stored: unknown) => unknown;
}

export function outputMembers(field: FieldDefinition): OutputMember[] {
  const { toOutput } = ruleOf(field);
  const read = (stored: unknown): unknown => toOutput(stored, field) ?? null;
  const names = memberNames(field);
  const own = { name: names.at(-1) as string, read };
  const [type] = names;
  if (!isUnion(field) || type === undefined) return [own];
  return [{ name: type, read: (stored) => pointedAtType(field, stored) }, own];
}

function pointedAtType(field: FieldDefinition, stored: unknown): string | null {
  const entityId = pointedAt(field, stored)?.entityId;
  const target = activeTargets(field).find((one) => one.entityId === entityId);
  return target ? targetValue(target) : null;
}
