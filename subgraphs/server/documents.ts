/** Operations prepared once for each schema: parsed, validated and, when they come again, compiled. */
import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  GraphQLError,
  GraphQLScalarType,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
  type OperationTypeNode,
  parse,
  validate,
} from 'graphql';
import { type CompiledQuery, compileQuery, isCompiledQuery } from 'graphql-jit';
import { LRUCache } from 'lru-cache';

/** How often an operation must come before compiling it pays (compiling costs about 20 plain executions). */
const usesBeforeCompiling = 3;
/** Characters of query text kept for one schema. */
const keptCharacters = 2_000_000;

/** The declared type of every variable in a compiled document: its values were coerced before. */
const coerced = new GraphQLScalarType({ name: '_Coerced' });

/**
 * Compiles all but the coercion of variables. graphql-jit unrolls input types where they stand: those that refer to
 * themselves (every filter does) become megabytes of code, and seconds of a blocked process.
 */
function compile(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): CompiledQuery<unknown, unknown>['query'] | null {
  const withCoerced = Object.create(schema, {
    getType: { value: (name: string) => (name === coerced.name ? coerced : schema.getType(name)) },
  }) as GraphQLSchema;
  const type = { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: coerced.name } } as const;
  const untyped: OperationDefinitionNode = {
    ...operation,
    variableDefinitions: operation.variableDefinitions?.map(({ kind, variable }) => ({
      kind,
      variable,
      type,
    })),
  };
  const definitions = document.definitions.map((definition) =>
    definition === operation ? untyped : definition,
  );
  const compiled = compileQuery(withCoerced, { ...document, definitions }, operation.name?.value ?? '', {
    disablingCapturingStackErrors: true,
  });
  return isCompiledQuery(compiled) ? (compiled.query as CompiledQuery<unknown, unknown>['query']) : null;
}

export interface PreparedDocument {
  readonly document: DocumentNode;
  readonly kind: OperationTypeNode;
  /** Queries and mutations only; runs compiled once that pays. */
  execute(
    context: object,
    variables: Record<string, unknown> | undefined,
  ): Promise<ExecutionResult> | ExecutionResult;
}

function refuse(code: string, errors: readonly GraphQLError[]): ExecutionResult {
  return {
    errors: errors.map((error) => new GraphQLError(error.message, { extensions: { code } })),
  };
}

function parseDocument(query: string): DocumentNode | ExecutionResult {
  try {
    return parse(query, { noLocation: true });
  } catch (error) {
    // A RangeError is a stack that ran out under very deep nesting.
    const failure =
      error instanceof GraphQLError ? error : new GraphQLError('The operation is nested too deeply');
    return refuse('GRAPHQL_PARSE_FAILED', [failure]);
  }
}

function prepare(
  schema: GraphQLSchema,
  query: string,
  operationName: string | undefined,
): PreparedDocument | ExecutionResult {
  const document = parseDocument(query);
  if (!('kind' in document)) return document;
  const broken = validate(schema, document);
  if (broken.length > 0) return refuse('GRAPHQL_VALIDATION_FAILED', broken);
  const operation = getOperationAST(document, operationName);
  if (!operation) {
    const message = operationName
      ? `Unknown operation named "${operationName}".`
      : 'Must provide an operation.';
    return refuse('BAD_USER_INPUT', [new GraphQLError(message)]);
  }

  let uses = 0;
  let run: CompiledQuery<unknown, unknown>['query'] | null = null;
  return {
    document,
    kind: operation.operation,
    execute(context, variables) {
      uses += 1;
      if (uses === usesBeforeCompiling) {
        // What cannot be compiled stays with graphql-js.
        run = compile(schema, document, operation);
      }
      if (run) {
        const values = getVariableValues(schema, operation.variableDefinitions ?? [], variables ?? {});
        if (values.errors) return { errors: values.errors };
        return run(undefined, context, values.coerced) as ExecutionResult | Promise<ExecutionResult>;
      }
      return execute({
        schema,
        document,
        contextValue: context,
        variableValues: variables,
        operationName,
      });
    },
  };
}

export interface PreparedDocuments {
  /** The operation, or a result with the errors that it has. */
  get(
    schema: GraphQLSchema,
    query: string,
    operationName: string | undefined,
  ): PreparedDocument | ExecutionResult;
}

/** Keeps prepared operations by schema object (they go with it) and query text, least recently used out first. */
export function createPreparedDocuments(): PreparedDocuments {
  const bySchema = new WeakMap<GraphQLSchema, LRUCache<string, PreparedDocument>>();
  return {
    get(schema, query, operationName) {
      let kept = bySchema.get(schema);
      if (!kept) {
        kept = new LRUCache({
          maxSize: keptCharacters,
          sizeCalculation: (_value, key) => key.length,
        });
        bySchema.set(schema, kept);
      }
      const key = operationName ? `${operationName}\n${query}` : query;
      const known = kept.get(key);
      if (known) return known;
      const made = prepare(schema, query, operationName);
      // Only good ones: a refused operation must not push out a good one.
      if (isPrepared(made)) kept.set(key, made);
      return made;
    },
  };
}

/** Tells a prepared operation from a result with errors. */
export function isPrepared(found: PreparedDocument | ExecutionResult): found is PreparedDocument {
  return 'document' in found && found.document.kind === Kind.DOCUMENT;
}
