/** Turns Apollo's query plan into steps that need no schema: absolute paths, type conditions as lists of names. */
import type { Schema } from '@apollo/federation-internals';
import type {
  FetchDataKeyRenamer,
  FetchDataRewrite,
  FetchNode,
  PlanNode,
  QueryPlan,
  QueryPlanSelectionNode,
  ResponsePath,
} from '@apollo/query-planner';
import type { ContextArgument, FetchStep, PathSegment, PlanStep, Requirement, Rewrite } from '../recipe.ts';
import { typenamesOf } from './type-relations.ts';

export interface PlannedSteps {
  readonly plan: PlanStep | null;
  readonly source: FetchStep | null;
}

/** Throws on nodes that this gateway never asks the planner for (`@defer`). */
export function buildPlanSteps(queryPlan: QueryPlan, supergraph: Schema | null): PlannedSteps {
  const conditions = new Map<string, readonly string[]>();
  const typenames = (condition: string) => {
    let names = conditions.get(condition);
    if (!names) conditions.set(condition, (names = supergraph ? typenamesOf(supergraph, condition) : []));
    return names;
  };

  let hasContexts = false;
  const fetchStep = (node: FetchNode, path: readonly PathSegment[]): FetchStep => {
    const contexts = (node.contextRewrites ?? []).map((rewrite) => contextArgument(rewrite, typenames));
    if (contexts.length > 0) hasContexts = true;
    return {
      kind: 'fetch',
      subgraph: node.serviceName,
      path,
      query: node.operation,
      operationName: node.operationName ?? null,
      operationKind: node.operationKind,
      variables: node.variableUsages ?? [],
      requires: node.requires ? requirements(node.requires, typenames) : null,
      inputRewrites: rewrites(node.inputRewrites, typenames),
      outputRewrites: rewrites(node.outputRewrites, typenames),
      ...(contexts.length > 0 ? { contexts } : {}),
    };
  };

  const step = (node: PlanNode | undefined, path: readonly PathSegment[]): PlanStep | null => {
    switch (node?.kind) {
      case undefined:
        return null;
      case 'Sequence':
        return group(
          'sequence',
          node.nodes.map((child) => step(child, path)),
        );
      case 'Parallel':
        return group(
          'parallel',
          node.nodes.map((child) => step(child, path)),
        );
      case 'Flatten':
        return step(node.node, [...path, ...pathSegments(node.path)]);
      case 'Condition':
        return {
          kind: 'condition',
          variable: node.condition,
          whenTrue: step(node.ifClause, path),
          whenFalse: step(node.elseClause, path),
        };
      case 'Fetch':
        return fetchStep(node, path);
      default:
        throw new Error(`Query plans with ${node?.kind} are not supported`);
    }
  };

  const root = queryPlan.node;
  const isStream = root?.kind === 'Subscription';
  const source = isStream ? fetchStep(root.primary, []) : null;
  const plan = step(isStream ? root.rest : root, []);
  return { source, plan: plan && hasContexts ? isolated(plan) : plan };
}

function isolated(step: PlanStep): PlanStep {
  if (step.kind === 'fetch') return { ...step, isIsolated: true };
  if (step.kind === 'condition') {
    const { whenTrue, whenFalse } = step;
    return { ...step, whenTrue: whenTrue && isolated(whenTrue), whenFalse: whenFalse && isolated(whenFalse) };
  }
  return { ...step, steps: step.steps.map(isolated) };
}

/** The planner writes "..", once for each field up, then the way down to the value. */
function contextArgument(
  { path, renameKeyTo }: FetchDataKeyRenamer,
  typenames: (condition: string) => readonly string[],
): ContextArgument {
  const up = path.findLastIndex((part) => part === '..') + 1;
  const prefix = '... on ';
  const down = path
    .slice(up)
    .map((part) => (part.startsWith(prefix) ? typenames(part.slice(prefix.length)) : part));
  return { variable: renameKeyTo, up, path: down };
}

function group(kind: 'sequence' | 'parallel', children: readonly (PlanStep | null)[]): PlanStep | null {
  const steps = children.filter((child) => child !== null);
  return steps.length > 1 ? { kind, steps } : (steps[0] ?? null);
}

/** Segments are response names and '@'; with type-conditioned fetching each may end in "|[A,B]", and the first be empty. */
export function pathSegments(path: ResponsePath): PathSegment[] {
  const segments: PathSegment[] = [];
  for (const part of path) {
    const text = String(part);
    const bar = text.indexOf('|[');
    const key = bar === -1 ? text : text.slice(0, bar);
    const typenames = bar === -1 ? null : text.slice(bar + 2, -1).split(',');
    if (key === '' && !typenames) continue;
    segments.push({ key: key === '@' ? null : key, typenames });
  }
  return segments;
}

function requirements(
  selections: readonly QueryPlanSelectionNode[],
  typenames: (condition: string) => readonly string[],
): Requirement[] {
  return selections.map((selection): Requirement => {
    if (selection.kind === 'Field') {
      const below = selection.selections?.length ? requirements(selection.selections, typenames) : null;
      return { kind: 'field', key: selection.alias ?? selection.name, selections: below };
    }
    return {
      kind: 'fragment',
      typenames: selection.typeCondition ? typenames(selection.typeCondition) : null,
      selections: requirements(selection.selections, typenames),
    };
  });
}

function rewrites(
  list: readonly FetchDataRewrite[] | undefined,
  typenames: (condition: string) => readonly string[],
): Rewrite[] {
  const prefix = '... on ';
  return (list ?? []).map((rewrite): Rewrite => {
    const steps = rewrite.path.map((part) =>
      part.startsWith(prefix) ? typenames(part.slice(prefix.length)) : part,
    );
    const key = steps.pop();
    if (typeof key !== 'string') throw new Error(`A rewrite must end at a field: ${rewrite.path.join('.')}`);
    return rewrite.kind === 'ValueSetter'
      ? { kind: 'set', path: steps, key, value: rewrite.setValueTo }
      : { kind: 'rename', path: steps, key, to: rewrite.renameKeyTo };
  });
}
