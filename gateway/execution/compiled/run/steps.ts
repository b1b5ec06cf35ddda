/** A plan as one function: sequences wait, parallels do not, conditions choose. */
import type { SubgraphMap } from '../../executor.ts';
import type { PlanStep } from '../recipe.ts';
import { createCallers } from './callers.ts';
import type { Callers } from './callers.ts';
import { createFetch } from './fetch.ts';
import type { OperationRun, Step } from './operation-run.ts';

export function createStep(plan: PlanStep, subgraphs: SubgraphMap): Step {
  const callers = createCallers(subgraphs);
  return build(plan, callers);
}

function build(step: PlanStep, callers: Callers): Step {
  switch (step.kind) {
    case 'fetch':
      return createFetch(step, callers(step));
    case 'sequence':
      return sequence(step.steps.map((child) => build(child, callers)));
    case 'parallel':
      return parallel(step.steps.map((child) => build(child, callers)));
    case 'condition': {
      const whenTrue = step.whenTrue && build(step.whenTrue, callers);
      const whenFalse = step.whenFalse && build(step.whenFalse, callers);
      return (run) => (run.variables[step.variable] ? whenTrue : whenFalse)?.(run);
    }
  }
}

function sequence(steps: readonly Step[]): Step {
  const from = (run: OperationRun, start: number): Promise<void> | undefined => {
    for (let index = start; index < steps.length; index++) {
      const pending = steps[index]?.(run);
      if (pending) return index + 1 < steps.length ? pending.then(() => from(run, index + 1)) : pending;
    }
    return undefined;
  };
  return (run) => from(run, 0);
}

function parallel(steps: readonly Step[]): Step {
  return (run) => {
    const pending: Promise<void>[] = [];
    for (const step of steps) {
      const one = step(run);
      if (one) pending.push(one);
    }
    if (pending.length < 2) return pending[0];
    return Promise.all(pending).then(() => undefined);
  };
}
