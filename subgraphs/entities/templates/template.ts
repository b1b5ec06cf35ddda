/** What a template is: entities as plain data, in an order in which relations point backwards. */
import type { CreateEntityInput, FieldInput, PermissionInput } from '../definitions/definition-input.ts';

export interface TemplateEntity extends CreateEntityInput {
  readonly fields: readonly FieldInput[];
  /** Of a new entity only. */
  readonly permissions?: readonly PermissionInput[];
}

export interface Template {
  readonly name: string;
  readonly label: string;
  readonly description: string;
  readonly entities: readonly TemplateEntity[];
}
