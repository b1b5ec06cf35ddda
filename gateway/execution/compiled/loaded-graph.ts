/** A supergraph that operations can be compiled on. What it compiles keeps nothing of it but copies of input types. */
import { gzipSync } from 'node:zlib';
import {
  DEFAULT_SUPPORTED_SUPERGRAPH_FEATURES,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  operationFromDocument,
  Supergraph,
} from '@apollo/federation-internals';
import type { Operation, Schema } from '@apollo/federation-internals';
import { QueryPlanner } from '@apollo/query-planner';
import { GraphQLError, parse, printSchema } from 'graphql';
import type { FieldNode } from 'graphql';
import { DomainError } from '#schema/errors.ts';
import type { LoadedGraph, ParsedOperation, PreparedOperation, SubgraphMap } from '../executor.ts';
import { findGuardedFields, withoutFields } from './authorization/guarded-fields.ts';
import { createGuardedOperation, type AuthorizationMode } from './authorization/guarded-operation.ts';
import { readRequirements } from './authorization/requirements.ts';
import { createIntrospect } from './introspection.ts';
import { buildRecipe } from './plan/build-recipe.ts';
import { createInputTypeCopies } from './plan/input-types.ts';
import { writeRecipe } from './portable-recipe.ts';
import type { OperationRecipe } from './recipe.ts';
import { readCohorts, createRollout, type Cohort } from './rollout.ts';
import { CompiledOperation } from './run/compiled-operation.ts';
import { findMistakes, validationError } from './validation.ts';

export interface LoadedGraphOptions {
  readonly subgraphs: SubgraphMap;
  readonly introspection: boolean;
  /** False for a supergraph that was just composed here. */
  readonly validateSupergraph: boolean;
  /** Undefined: a supergraph that uses `@authenticated`, `@requiresScopes` or `@policy` is refused. */
  readonly authorization?: AuthorizationMode | undefined;
  /** Whether operations can be taken to other processes. */
  readonly portable?: boolean | undefined;
}

/** Beside what the planner knows: what is enforced here, and what tells about caches and costs alone. */
const enforcedFeatures = new Set([
  ...DEFAULT_SUPPORTED_SUPERGRAPH_FEATURES,
  'https://specs.apollo.dev/authenticated/v0.1',
  'https://specs.apollo.dev/requiresScopes/v0.1',
  'https://specs.apollo.dev/policy/v0.1',
  'https://specs.apollo.dev/cacheTag/v0.1',
  'https://specs.apollo.dev/cost/v0.1',
  'https://specs.apollo.dev/context/v0.1',
]);

/** Bytes of heap for each field, argument and value of the supergraph, in all the forms that planning needs. */
const heapBytesPerElement = 2_500;

/** Throws when the SDL is no supergraph or needs federation features that the planner lacks. */
export function createLoadedGraph(supergraphSdl: string, options: LoadedGraphOptions): LoadedGraph {
  const supergraph = Supergraph.build(parse(supergraphSdl, { noLocation: true }), {
    validateSupergraph: options.validateSupergraph,
    supportedFeatures: options.authorization ? enforcedFeatures : DEFAULT_SUPPORTED_SUPERGRAPH_FEATURES,
  });
  const requirements = options.authorization ? readRequirements(supergraph.schema) : null;
  const apiSchema = supergraph.apiSchema();
  const schema = apiSchema.toGraphQLJSSchema();
  const planner = new QueryPlanner(supergraph);
  const apiSdl = printSchema(schema);
  const inputTypes = createInputTypeCopies(() => schema);
  // Made outside of any scope that sees the schema: operations keep these.
  const introspect = createIntrospect(gzipSync(apiSdl));

  const cohorts = readCohorts(supergraphSdl);

  const compileFor = (
    { conditions }: Cohort,
    parsed: ParsedOperation,
    operation: Operation,
    denied: ReadonlySet<FieldNode>,
  ): { operation: PreparedOperation; plan: string } => {
    const queryPlan = planner.buildQueryPlan(operation, { overrideConditions: new Map(conditions) });
    const recipe = buildRecipe({
      parsed,
      schema,
      supergraph: supergraph.schema,
      queryPlan,
      inputTypes,
      denied,
    });
    const compiled = new CompiledOperation({
      // Copied: a name parsed out of SDL is a window on its whole text, and would keep that.
      recipe: JSON.parse(JSON.stringify(recipe)) as OperationRecipe,
      portable: options.portable ? writeRecipe(recipe, inputTypes.types) : null,
      inputTypes: inputTypes.types,
      subgraphs: options.subgraphs,
      introspect,
    });
    return { operation: compiled, plan: cohorts.length > 1 ? JSON.stringify(queryPlan.node) : '' };
  };

  /** Fields that are denied are in the answer, as null, and in no plan. */
  const compile = (parsed: ParsedOperation, denied: ReadonlySet<FieldNode> = new Set()) => {
    const planned = denied.size > 0 ? withoutFields(parsed.document, denied) : parsed.document;
    const operation = operationFromDocument(apiSchema, planned, {
      operationName: parsed.operationName ?? undefined,
      validate: false,
    });
    const variants = cohorts.map((cohort) => ({ cohort, ...compileFor(cohort, parsed, operation, denied) }));
    return createRollout(variants);
  };

  return {
    apiSdl,
    heapBytes: countElements(supergraph.schema) * heapBytesPerElement,
    prepare(parsed) {
      const errors = findMistakes(schema, parsed.document, options.introspection);
      if (errors.length > 0) return { errors };
      try {
        const guarded = requirements ? findGuardedFields(parsed, schema, requirements) : [];
        if (guarded.length === 0 || !options.authorization) return compile(parsed);
        const { kind, operationName, rootFields } = parsed;
        return createGuardedOperation({
          summary: { kind, operationName, rootFields },
          mode: options.authorization,
          guarded,
          compileWithout: (denied) => compile(parsed, denied),
        });
      } catch (error) {
        if (error instanceof GraphQLError) return { errors: [validationError(error)] };
        if (!(error instanceof DomainError)) throw error;
        return { errors: [new GraphQLError(error.message, { extensions: error.extensions })] };
      }
    },
  };
}

function countElements(schema: Schema): number {
  let count = 0;
  for (const type of schema.types()) {
    count++;
    if (isEnumType(type)) count += type.values.length;
    else if (isInputObjectType(type)) count += type.fields().length;
    else if (isObjectType(type) || isInterfaceType(type)) {
      for (const field of type.fields()) count += 1 + field.arguments().length;
    }
  }
  return count;
}
