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
  let heapBytes = 0;

  const copy = (type: GraphQLInputType) => {
    const named = getNamedType(type);
    if (types.has(named.name)) return;
    heapBytes += 200;
    if (isEnumType(named)) {
      const values = new Set(named.getValues().map((value) => value.name));
      heapBytes += values.size * 40;
      types.set(named.name, { kind: 'enum', values });
      return;
    }
    if (!isInputObjectType(named)) {
      const leaf = isSpecifiedScalarType(named) ? (named.name as BuiltInLeaf) : 'Custom';
      types.set(named.name, { kind: 'scalar', leaf });
      return;
    }
    const fields = new Map<string, InputFieldRecipe>();
    // Known before its fields are copied: filters refer to themselves.
    types.set(named.name, { kind: 'object', fields, isOneOf: named.isOneOf });
    for (const field of Object.values(named.getFields())) {
      fields.set(field.name, { type: refOf(field.type), defaultValue: field.defaultValue });
      copy(field.type);
    }
    heapBytes += fields.size * 160;
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

function refOf(type: GraphQLInputType): InputRef {
  const nonNull = isNonNullType(type);
  const nullable = nonNull ? type.ofType : type;
  if (isListType(nullable)) return { nonNull, list: refOf(nullable.ofType), named: '' };
  return { nonNull, list: null, named: getNamedType(nullable).name };
}
