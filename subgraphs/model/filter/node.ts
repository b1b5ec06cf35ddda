/** A filter once it is parsed: every member checked and in stored form. Two-valued: a comparison holds or it does not. */
import type { EntityDefinition, FieldDefinition } from '../definition.ts';
import type { ComparisonKind } from '../field-types.ts';
import type { Operator } from './comparisons.ts';
import type { SystemFilterMember } from './sdl.ts';

export type FilterNode =
  /** All hold; with none, true. */
  | { readonly kind: 'all'; readonly nodes: readonly FilterNode[] }
  /** At least one holds; with none, false. */
  | { readonly kind: 'any'; readonly nodes: readonly FilterNode[] }
  | { readonly kind: 'not'; readonly node: FilterNode }
  | ComparisonNode
  /** The record at the other end of a to-one relation exists and matches. */
  | {
      readonly kind: 'to-one';
      readonly field: FieldDefinition;
      readonly target: EntityDefinition;
      readonly node: FilterNode;
    }
  /** At least one record whose `field` points here exists and matches. */
  | {
      readonly kind: 'to-many';
      /** Many-to-many: whether `entity` is at the end that the links point at (forward), or points itself. */
      readonly link?: 'forward' | 'inverse';
      readonly entity: EntityDefinition;
      readonly field: FieldDefinition;
      readonly node: FilterNode;
    };

export interface ComparisonNode {
  readonly kind: 'comparison';
  readonly comparison: ComparisonKind;
  /** What is compared: a field, or a system member. */
  readonly subject: FieldDefinition | SystemFilterMember;
  /** `ne`, `notIn` and `none` are gone by now: they are `not` around their opposites. */
  readonly operator: Exclude<Operator, 'ne' | 'notIn' | 'none'>;
  /** In stored form; a list for `in some every`, a boolean for `isNull`. Never null. */
  readonly value: unknown;
  /** Text only. */
  readonly isInsensitive: boolean;
}
