/**
 * A compiled operation as plain data: everything that running it needs and nothing of a schema. `plan/` makes it from a
 * loaded graph, `run/` runs it. It survives `JSON.stringify`, so a cache outside the process can keep it.
 */
import type { OperationSummary } from '../executor.ts';

export interface OperationRecipe {
  readonly summary: OperationSummary;
  readonly variables: readonly VariableRecipe[];
  /** Variables that a skip or include reads: they must be booleans once coerced. */
  readonly conditionVariables: readonly string[];
  /** Null where no subgraph is asked (introspection, `__typename` alone). */
  readonly plan: PlanStep | null;
  /** The first event's fetch of a subscription; `plan` is then what runs for each event. */
  readonly source: FetchStep | null;
  readonly shapes: readonly Shape[];
  /** Index in `shapes` of the operation's root. */
  readonly rootShape: number;
  readonly introspection: readonly IntrospectionRecipe[];
}

export interface VariableRecipe {
  readonly name: string;
  readonly type: InputRef;
  /** The default, coerced; absent where there is none (null is a default). */
  readonly defaultValue?: unknown;
}

/** A type as a variable or input field names it. */
export interface InputRef {
  readonly nonNull: boolean;
  /** The element's type, for a list; `named` is then empty. */
  readonly list: InputRef | null;
  readonly named: string;
}

/** Answered without any subgraph. */
export interface IntrospectionRecipe {
  /** The response name. */
  readonly key: string;
  /** The answer as JSON where no variable takes part. */
  readonly json: string | null;
  /** The operation that answers it on the API schema, where variables do; `variables` are those it names. */
  readonly query: string | null;
  readonly variables: readonly string[];
}

export type PlanStep =
  | { readonly kind: 'sequence'; readonly steps: readonly PlanStep[] }
  | { readonly kind: 'parallel'; readonly steps: readonly PlanStep[] }
  | ConditionStep
  | FetchStep;

export interface ConditionStep {
  readonly kind: 'condition';
  readonly variable: string;
  readonly whenTrue: PlanStep | null;
  readonly whenFalse: PlanStep | null;
}

export interface FetchStep {
  readonly kind: 'fetch';
  readonly subgraph: string;
  /** Where the objects to extend are; empty for the root. */
  readonly path: readonly PathSegment[];
  readonly query: string;
  readonly operationName: string | null;
  readonly operationKind: 'query' | 'mutation' | 'subscription';
  readonly variables: readonly string[];
  /** What a representation of an object holds; null for a fetch of root fields. */
  readonly requires: readonly Requirement[] | null;
  readonly inputRewrites: readonly Rewrite[];
  readonly outputRewrites: readonly Rewrite[];
  /** Variables whose values are read above each object; those of equal values are asked for together. */
  readonly contexts?: readonly ContextArgument[];
  /** Equal entities get answers of their own: what is above them may make a difference further down. */
  readonly isIsolated?: true;
}

export interface ContextArgument {
  readonly variable: string;
  /** Fields up from the object, lists not counted. */
  readonly up: number;
  /** From there: response names, and the type names that an object must have one of. */
  readonly path: readonly (string | readonly string[])[];
}

/** One step of a path into the response: a response name, or null for every element of a list; only objects of these types go on. */
export interface PathSegment {
  readonly key: string | null;
  readonly typenames: readonly string[] | null;
}

export type Requirement =
  | {
      readonly kind: 'field';
      readonly key: string;
      readonly selections: readonly Requirement[] | null;
    }
  | {
      readonly kind: 'fragment';
      readonly typenames: readonly string[] | null;
      readonly selections: readonly Requirement[];
    };

/** The steps of `path` are response names, or the type names that an object must have one of. Lists are entered. */
export type Rewrite =
  | {
      readonly kind: 'set';
      readonly path: readonly (string | readonly string[])[];
      readonly key: string;
      readonly value: unknown;
    }
  | {
      readonly kind: 'rename';
      readonly path: readonly (string | readonly string[])[];
      readonly key: string;
      readonly to: string;
    };

/** The fields to answer for an object, by its runtime type. */
export interface Shape {
  /** For messages: the type as the schema declares this place. */
  readonly type: string;
  /** False: a place of an object type, whose single variant serves whatever `__typename` the data holds. */
  readonly isAbstract: boolean;
  readonly variants: readonly ShapeVariant[];
  /**
   * What an abstract place answers for an object known only by an interface's name (an interface object whose type was
   * not needed), or without `__typename`: by that name. The place's own type is always there.
   */
  readonly untyped: readonly ShapeVariant[];
}

export interface ShapeVariant {
  readonly typenames: readonly string[];
  readonly fields: readonly FieldShape[];
}

export interface FieldShape {
  readonly key: string;
  /** The field's name, for messages. */
  readonly name: string;
  /** Answered when one of these conjunctions holds; null: always. */
  readonly when: readonly Conjunction[] | null;
  /** `typename`: the object's own; `introspection`: from `OperationRecipe.introspection`. */
  readonly value: ValueShape | 'typename' | 'introspection';
  /** Null whatever the data says: a plan may have fetched it for its own needs. */
  readonly isDenied?: true;
}

export type Conjunction = readonly {
  readonly variable: string;
  readonly is: boolean;
}[];

export type ValueShape =
  | {
      readonly kind: 'leaf';
      readonly nonNull: boolean;
      readonly leaf: BuiltInLeaf;
    }
  | {
      readonly kind: 'enum';
      readonly nonNull: boolean;
      readonly values: readonly string[];
    }
  | {
      readonly kind: 'object';
      readonly nonNull: boolean;
      readonly shape: number;
    }
  | {
      readonly kind: 'list';
      readonly nonNull: boolean;
      readonly of: ValueShape;
    };

/** `Custom`: a scalar whose values are passed on as they are. */
export type BuiltInLeaf = 'String' | 'Int' | 'Float' | 'Boolean' | 'ID' | 'Custom';

/** Input types by name, shared by the operations of a graph; complete below every type that a variable names. */
export type InputTypes = ReadonlyMap<string, InputTypeRecipe>;

export type InputTypeRecipe =
  | { readonly kind: 'scalar'; readonly leaf: BuiltInLeaf }
  | { readonly kind: 'enum'; readonly values: ReadonlySet<string> }
  | {
      readonly kind: 'object';
      readonly fields: ReadonlyMap<string, InputFieldRecipe>;
      /** Exactly one field, and not null (`@oneOf`). */
      readonly isOneOf: boolean;
    };

export interface InputFieldRecipe {
  readonly type: InputRef;
  /** Coerced; undefined where there is none. */
  readonly defaultValue: unknown;
}
