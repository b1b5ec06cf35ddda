/** A recipe as text that another process can run, with copies of the input types that its variables are made of. */
import type { InputRef, InputTypeRecipe, InputTypes, OperationRecipe } from './recipe.ts';

export interface PortableRecipe {
  readonly recipe: OperationRecipe;
  readonly inputTypes: readonly (readonly [string, PortableInputType])[];
}

type PortableInputType =
  | Extract<InputTypeRecipe, { kind: 'scalar' }>
  | { readonly kind: 'enum'; readonly values: readonly string[] }
  | {
      readonly kind: 'object';
      readonly fields: readonly (readonly [string, { type: InputRef; defaultValue?: unknown }])[];
      readonly isOneOf: boolean;
    };

/** Null where it needs the graph's schema to run (introspection with variables). */
export function writeRecipe(recipe: OperationRecipe, types: InputTypes): string | null {
  if (recipe.introspection.some(({ query }) => query !== null)) return null;
  const reached = new Map<string, PortableInputType>();
  const reach = (ref: InputRef): void => {
    if (ref.list) return reach(ref.list);
    const type = types.get(ref.named);
    if (!type || reached.has(ref.named)) return;
    if (type.kind === 'object') {
      const fields = [...type.fields];
      reached.set(ref.named, { kind: 'object', fields, isOneOf: type.isOneOf });
      for (const [, field] of fields) reach(field.type);
    } else {
      reached.set(ref.named, type.kind === 'enum' ? { kind: 'enum', values: [...type.values] } : type);
    }
  };
  for (const variable of recipe.variables) reach(variable.type);
  return JSON.stringify({ recipe, inputTypes: [...reached] } satisfies PortableRecipe);
}

/** `types` are those of the same graph that are known already; what is new is added to them. */
export function readRecipe(text: string, types: Map<string, InputTypeRecipe>): OperationRecipe {
  const { recipe, inputTypes } = JSON.parse(text) as PortableRecipe;
  for (const [name, type] of inputTypes) if (!types.has(name)) types.set(name, toInputType(type));
  return recipe;
}

function toInputType(type: PortableInputType): InputTypeRecipe {
  if (type.kind === 'scalar') return type;
  if (type.kind === 'enum') return { kind: 'enum', values: new Set(type.values) };
  const fields = type.fields.map(
    ([name, { type: ref, ...rest }]) =>
      [name, { type: ref, defaultValue: 'defaultValue' in rest ? rest.defaultValue : undefined }] as const,
  );
  return { kind: 'object', fields: new Map(fields), isOneOf: type.isOneOf };
}
