/** What a nested input comes to: flat records, and what is to change of those that are there. */
import type { EntityDefinition, FieldDefinition } from '../definition.ts';
import type { FieldError } from '#schema/errors.ts';
import type { Inverse } from '../relations.ts';
import type { InputData } from './input.ts';

type Input = Readonly<Record<string, unknown>>;

/** A record that the caller writes; the rest follows from its input. */
export interface NestedRoot {
  readonly id: string;
  readonly isNew: boolean;
  readonly input: Input;
  /** Its place in a batch ("inputs.3"); undefined where it is alone. */
  readonly path: string | undefined;
}

export interface PlannedRecord {
  readonly entity: EntityDefinition;
  readonly id: string;
  readonly isNew: boolean;
  readonly path: string | undefined;
  /** Without nested members: what is created along a to-one relation is connected by its id. */
  readonly input: Input;
  /** As `checkInput` gives it; empty where a rule is broken. */
  readonly data: InputData;
}

/** A record that is there already and is to point at `parentId`, or not to any more. */
export interface PlannedLink {
  readonly kind: 'connect' | 'disconnect';
  readonly inverse: Inverse;
  readonly parentId: string;
  readonly id: string;
  readonly path: string;
}

/** What is to change of the list of a many-to-many relation of a record that is there. */
export interface PlannedList {
  readonly entity: EntityDefinition;
  readonly field: FieldDefinition;
  readonly ownerId: string;
  /** Where the owner itself is named; undefined where its input is what is read. */
  readonly ownerPath: string | undefined;
  readonly kind: 'add' | 'remove' | 'clear';
  /** Empty for `clear`, which comes before all others. */
  readonly targetId: string;
  readonly path: string;
}

/** A record that a many-to-many relation names. */
export interface PlannedTarget {
  readonly entity: EntityDefinition;
  readonly id: string;
  readonly path: string;
}

/** Whatever points at `parentId` by the relation and is not among `kept` is not to point at it any more. */
export interface PlannedSet {
  readonly inverse: Inverse;
  readonly parentId: string;
  readonly kept: ReadonlySet<string>;
  readonly path: string;
}

export interface NestedPlan {
  /** A record stands behind those that it points at. */
  readonly records: readonly PlannedRecord[];
  readonly links: readonly PlannedLink[];
  readonly sets: readonly PlannedSet[];
  readonly lists: readonly PlannedList[];
  readonly targets: readonly PlannedTarget[];
  readonly errors: readonly FieldError[];
}
