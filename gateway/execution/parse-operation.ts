import { GraphQLError, Kind, parse } from 'graphql';
import type {
  DocumentNode,
  FragmentDefinitionNode,
  OperationDefinitionNode,
  SelectionSetNode,
} from 'graphql';
import type { OperationSummary, ParsedOperation } from './executor.ts';

export interface OperationLimits {
  /** Tokens of the whole document. */
  readonly maxTokens: number;
  /** Selection sets nested in each other, fragments expanded. */
  readonly maxDepth: number;
  /** Fields after fragments are expanded, so that fragments that double each other cannot blow up the planner. */
  readonly maxFields: number;
}

export const defaultOperationLimits: OperationLimits = {
  maxTokens: 10_000,
  maxDepth: 50,
  maxFields: 4_000,
};

/**
 * Reads a query text and picks its operation. Answers GRAPHQL_PARSE_FAILED, QUERY_TOO_COMPLEX or
 * OPERATION_RESOLUTION_FAILURE instead of throwing; no text, however deep, overflows the stack.
 */
export function parseOperation(
  query: string,
  operationName: string | null,
  limits: OperationLimits = defaultOperationLimits,
): ParsedOperation | { readonly errors: readonly GraphQLError[] } {
  try {
    // Brackets bound the parser's recursion; strings and comments can only make this count too high.
    if (nestingOf(query) > limits.maxDepth * 4) throw tooComplex('nesting', limits.maxDepth);
    const document = parseWithin(query, limits.maxTokens);
    const operation = chooseOperation(document, operationName);
    const rootFields = measure(document, operation, limits);
    return {
      query,
      document,
      kind: operation.operation,
      operationName: operation.name?.value ?? null,
      rootFields,
    };
  } catch (error) {
    if (error instanceof GraphQLError) return { errors: [error] };
    throw error;
  }
}

function nestingOf(query: string): number {
  let depth = 0;
  let deepest = 0;
  for (let index = 0; index < query.length; index++) {
    const code = query.charCodeAt(index);
    if (code === 0x7b || code === 0x5b || code === 0x28) {
      depth++;
      if (depth > deepest) deepest = depth;
    } else if (code === 0x7d || code === 0x5d || code === 0x29) depth--;
  }
  return deepest;
}

function parseWithin(query: string, maxTokens: number): DocumentNode {
  try {
    return parse(query, { noLocation: false, maxTokens });
  } catch (error) {
    const syntax = error as GraphQLError;
    const code = syntax.message.includes('tokens. Parsing aborted')
      ? 'QUERY_TOO_COMPLEX'
      : 'GRAPHQL_PARSE_FAILED';
    throw new GraphQLError(syntax.message, {
      source: syntax.source,
      positions: syntax.positions,
      extensions: { code },
    });
  }
}

function chooseOperation(document: DocumentNode, operationName: string | null): OperationDefinitionNode {
  const operations = document.definitions.filter(
    (definition) => definition.kind === Kind.OPERATION_DEFINITION,
  );
  const unresolved = (message: string) =>
    new GraphQLError(message, {
      extensions: { code: 'OPERATION_RESOLUTION_FAILURE' },
    });
  if (operationName !== null) {
    const named = operations.find((operation) => operation.name?.value === operationName);
    if (!named) throw unresolved(`Unknown operation named "${operationName}".`);
    return named;
  }
  const [only, second] = operations;
  if (!only) throw unresolved('Must provide an operation.');
  if (second) throw unresolved('Must provide operation name if query contains multiple operations.');
  return only;
}

function tooComplex(what: string, limit: number): GraphQLError {
  return new GraphQLError(`The operation exceeds the limit of ${limit} for ${what}.`, {
    extensions: { code: 'QUERY_TOO_COMPLEX' },
  });
}

/** Checks depth and size; answers the root fields' names. Fragments that spread themselves are left to validation. */
function measure(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  limits: OperationLimits,
): readonly string[] {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  const rootFields = new Set<string>();
  const open = new Set<string>();
  let fields = 0;

  const visit = (selectionSet: SelectionSetNode, depth: number): void => {
    if (depth > limits.maxDepth) throw tooComplex('depth', limits.maxDepth);
    for (const selection of selectionSet.selections) {
      if (selection.kind === Kind.FIELD) {
        if (++fields > limits.maxFields) throw tooComplex('fields', limits.maxFields);
        if (depth === 1) rootFields.add(selection.name.value);
        if (selection.selectionSet) visit(selection.selectionSet, depth + 1);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        visitFragment(selection.selectionSet, depth);
      } else {
        const name = selection.name.value;
        const fragment = fragments.get(name);
        if (!fragment || open.has(name)) continue;
        open.add(name);
        visitFragment(fragment.selectionSet, depth);
        open.delete(name);
      }
    }
  };
  // Fragments add no depth to the answer, but they do to the walk.
  let fragmentDepth = 0;
  const visitFragment = (selectionSet: SelectionSetNode, depth: number): void => {
    if (++fragmentDepth > limits.maxDepth * 4) throw tooComplex('nested fragments', limits.maxDepth * 4);
    // An empty doubling chain has no field to count, so each spread counts as one.
    if (++fields > limits.maxFields) throw tooComplex('fields', limits.maxFields);
    visit(selectionSet, depth);
    fragmentDepth--;
  };
  visit(operation.selectionSet, 1);
  return [...rootFields];
}

/** Whether an operation asks for nothing but the schema. */
export function asksSchemaAlone({ kind, rootFields }: OperationSummary): boolean {
  return kind === 'query' && rootFields.every((field) => /^__(schema|type|typename)$/.test(field));
}
