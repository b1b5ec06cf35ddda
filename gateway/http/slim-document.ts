import { Kind, type DocumentNode, type OperationTypeNode } from 'graphql';
import type { OperationSummary } from '#gateway/execution/executor.ts';

const documents = new WeakMap<OperationSummary, DocumentNode>();

/** The least document from which Apollo Server and graphql-ws tell an operation's kind and name; nothing executes it. */
export function slimDocument(summary: OperationSummary): DocumentNode {
  let document = documents.get(summary);
  if (!document) {
    const { kind, operationName } = summary;
    document = {
      kind: Kind.DOCUMENT,
      definitions: [
        {
          kind: Kind.OPERATION_DEFINITION,
          operation: kind as OperationTypeNode,
          name: operationName === null ? undefined : { kind: Kind.NAME, value: operationName },
          selectionSet: { kind: Kind.SELECTION_SET, selections: [] },
        },
      ],
    };
    documents.set(summary, document);
  }
  return document;
}

/** Stands in for an operation that was refused before it was known. */
export const refusedOperation: OperationSummary = { kind: 'query', operationName: null, rootFields: [] };
