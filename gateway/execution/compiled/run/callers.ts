/** How each fetch of an operation reaches its subgraph: straight, or merged with others of the same turn. */
import type { ExecutionResult } from 'graphql';
import { DomainError } from '#schema/errors.ts';
import type { SubgraphRequest, SubgraphService } from '#schema/subgraph-protocol.ts';
import type { SubgraphMap } from '../../executor.ts';
import type { FetchStep } from '../recipe.ts';
import { createCallMerger } from './call-merger.ts';
import type { MergedDocuments } from './call-merger.ts';
import type { OperationRun } from './operation-run.ts';

/** Throws, or rejects, where the subgraph cannot be reached. */
export type Caller = (run: OperationRun, request: SubgraphRequest) => Promise<ExecutionResult>;
export type Callers = (step: FetchStep) => Caller;

/** One for an operation. */
export function createCallers(subgraphs: SubgraphMap): Callers {
  const documents = new Map<string, MergedDocuments>();
  let nextId = 0;
  return (step) => {
    const service = subgraphs.get(step.subgraph);
    if (!service) {
      return () => {
        throw new DomainError('SUBGRAPH_UNAVAILABLE', `There is no subgraph "${step.subgraph}"`);
      };
    }
    // Merged calls have their variables in common.
    if (!service.isRemote || !step.requires || step.contexts)
      return (_run, request) => service.execute(request);
    let merged = documents.get(service.name);
    if (!merged) documents.set(service.name, (merged = new Map()));
    return mergingCaller(service, merged, nextId++);
  };
}

function mergingCaller(service: SubgraphService, documents: MergedDocuments, id: number): Caller {
  return (run, request) => {
    run.mergers ??= new Map();
    let merger = run.mergers.get(service.name);
    if (!merger) run.mergers.set(service.name, (merger = createCallMerger(service, documents)));
    return merger.execute(id, request);
  };
}
