/** What a template is: entities as plain data, in an order in which relations point backwards. */
import type { CreateEntityInput } from '../definitions/definition-input.ts';

export interface Template {
  readonly name: string;
  readonly label: string;
  readonly description: string;
  readonly entities: readonly CreateEntityInput[];
}
