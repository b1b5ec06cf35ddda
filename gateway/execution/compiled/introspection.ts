/** Introspection without a loaded graph: from clients' SDL, which is kept as bytes when a graph goes. */
import { gunzipSync, gzipSync } from 'node:zlib';
import { buildSchema, execute, parse } from 'graphql';
import type { ExecutionResult, GraphQLError, GraphQLSchema } from 'graphql';
import type { ParsedOperation, PreparedOperation, SubgraphMap } from '../executor.ts';
import { buildRecipe } from './plan/build-recipe.ts';
import { createInputTypeCopies } from './plan/input-types.ts';
import { writeRecipe } from './portable-recipe.ts';
import type { OperationRecipe } from './recipe.ts';
import { CompiledOperation } from './run/compiled-operation.ts';
import type { Introspect } from './run/compiled-operation.ts';
import { findMistakes } from './validation.ts';

export interface IntrospectionOptions {
  readonly subgraphs: SubgraphMap;
  readonly introspection: boolean;
  readonly portable: boolean;
}

/** Prepares an operation that asks for nothing but the schema. Some tens of milliseconds; keeps nothing of the schema. */
export function prepareIntrospection(
  apiSdl: string,
  parsed: ParsedOperation,
  { subgraphs, introspection, portable }: IntrospectionOptions,
): PreparedOperation | { readonly errors: readonly GraphQLError[] } {
  const schema = readSchema(apiSdl);
  const errors = findMistakes(schema, parsed.document, introspection);
  if (errors.length > 0) return { errors };
  const inputTypes = createInputTypeCopies(() => schema);
  const recipe = buildRecipe({
    ...{ parsed, schema, inputTypes },
    supergraph: null,
    queryPlan: { kind: 'QueryPlan' },
  });
  return new CompiledOperation({
    recipe: JSON.parse(JSON.stringify(recipe)) as OperationRecipe,
    portable: portable ? writeRecipe(recipe, inputTypes.types) : null,
    inputTypes: inputTypes.types,
    subgraphs,
    introspect: createIntrospect(gzipSync(apiSdl)),
  });
}

/** Introspection with variables is rare: the schema is built again for it, and kept only while somebody else does. */
export function createIntrospect(zippedSdl: Buffer): Introspect {
  let known: WeakRef<GraphQLSchema> | undefined;
  return (query, variableValues) => {
    let schema = known?.deref();
    if (!schema) {
      schema = readSchema(gunzipSync(zippedSdl).toString());
      known = new WeakRef(schema);
    }
    return execute({ schema, document: parse(query), variableValues }) as ExecutionResult;
  };
}

function readSchema(sdl: string): GraphQLSchema {
  return buildSchema(sdl, { noLocation: true, assumeValid: true });
}
