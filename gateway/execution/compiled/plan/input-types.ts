/** Copies the input types that variables use out of a schema, so that coercing needs none. */
import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isSpecifiedScalarType,
  typeFromAST,
  valueFromAST,
} from 'graphql';
import type { GraphQLInputType, GraphQLSchema, VariableDefinitionNode } from 'graphql';
import type { BuiltInLeaf, InputFieldRecipe, InputRef, InputTypeRecipe, VariableRecipe } from '../recipe.ts';

/** A text parsed out of SDL is a window on the whole SDL, and would keep it; this one stands alone. */
function standAlone(text: string): string {
  return JSON.parse(JSON.stringify(text)) as string;
}

/** One for a graph: types are copied once and shared by its operations. */
export interface InputTypeCopies {
  readonly types: ReadonlyMap<string, InputTypeRecipe>;
  /** Roughly what `types` holds of the heap. */
  readonly heapBytes: number;
  variable(definition: VariableDefinitionNode): VariableRecipe;
}

/** `definition` must have passed validation against `schema`. */
export function createInputTypeCopies(getSchema: () => GraphQLSchema): InputTypeCopies {
  const types = new Map<string, InputTypeRecipe>();
  // Few different ones, named by thousands of fields.
  const refs = new Map<string, InputRef>();
  let heapBytes = 0;

  const refOf = (type: GraphQLInputType): InputRef => {
    const text = String(type);
    const known = refs.get(text);
    if (known) return known;
    const nonNull = isNonNullType(type);
    const nullable = nonNull ? type.ofType : type;
    const ref: InputRef = isListType(nullable)
      ? { nonNull, list: refOf(nullable.ofType), named: '' }
      : { nonNull, list: null, named: standAlone(getNamedType(nullable).name) };
    refs.set(text, ref);
    heapBytes += 100;
    return ref;
  };

  const copy = (type: GraphQLInputType) => {
    const named = getNamedType(type);
    if (types.has(named.name)) return;
    heapBytes += 200;
    if (isEnumType(named)) {
      const values = new Set(named.getValues().map((value) => standAlone(value.name)));
      heapBytes += values.size * 40;
      types.set(standAlone(named.name), { kind: 'enum', values });
      return;
    }
    if (!isInputObjectType(named)) {
      const leaf = isSpecifiedScalarType(named) ? (standAlone(named.name) as BuiltInLeaf) : 'Custom';
      types.set(standAlone(named.name), { kind: 'scalar', leaf });
      return;
    }
    const fields = new Map<string, InputFieldRecipe>();
    // Known before its fields are copied: filters refer to themselves.
    types.set(standAlone(named.name), { kind: 'object', fields, isOneOf: named.isOneOf });
    for (const field of Object.values(named.getFields())) {
      fields.set(standAlone(field.name), { type: refOf(field.type), defaultValue: field.defaultValue });
      copy(field.type);
    }
    heapBytes += fields.size * 100;
  };

  return {
    types,
    get heapBytes() {
      return heapBytes;
    },
    variable(definition) {
      const type = typeFromAST(getSchema(), definition.type as never) as GraphQLInputType;
      copy(type);
      const recipe = { name: definition.variable.name.value, type: refOf(type) };
      if (!definition.defaultValue) return recipe;
      return { ...recipe, defaultValue: valueFromAST(definition.defaultValue, type) };
    },
  };
}
