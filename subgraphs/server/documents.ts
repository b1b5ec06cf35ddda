/** Operations prepared once for each schema: parsed, validated and, when they come again, compiled. */
import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  Kind,
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
        const name = operation.name?.value ?? '';
        const compiled = compileQuery(schema, document, name, {
          disablingCapturingStackErrors: true,
        });
        // What cannot be compiled stays with graphql-js.
        if (isCompiledQuery(compiled)) run = compiled.query as typeof run;
      }
      if (run) return run(undefined, context, variables ?? {}) as ExecutionResult | Promise<ExecutionResult>;
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
