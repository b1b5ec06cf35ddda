/** Our executor on a shape, without any of the gateway around it. */
import { parse } from 'graphql';
import type { ExecutionResult } from 'graphql';
import { anonymousClaims } from '#schema/claims.ts';
import { createCompiledEngine } from '#gateway/execution/compiled/engine.ts';
import type { PreparedOperation, SubgraphMap } from '#gateway/execution/executor.ts';
import { composeShape } from '../shapes/shape.ts';
import type { Shape } from '../shapes/shape.ts';

export async function prepareShape(shape: Shape, subgraphs: SubgraphMap): Promise<PreparedOperation> {
  const graph = await createCompiledEngine({ subgraphs }).load(composeShape(shape));
  const prepared = graph.prepare({
    query: shape.query,
    document: parse(shape.query),
    kind: 'query',
    operationName: null,
    rootFields: [],
  });
  if ('errors' in prepared) throw prepared.errors[0];
  return prepared;
}

export const anonymousRequest = {
  variables: {},
  claims: anonymousClaims,
  definitionsVersion: null,
  requestId: 'bench',
  clientAddress: null,
};

export async function answerOnce(shape: Shape, subgraphs: SubgraphMap): Promise<ExecutionResult> {
  return (await prepareShape(shape, subgraphs)).execute(anonymousRequest);
}
