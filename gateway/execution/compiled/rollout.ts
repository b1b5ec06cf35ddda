/** `@override(label: "percent(20)")`: a field that moves to another subgraph for a share of the requests. */
import type { PreparedOperation } from '../executor.ts';

/** Labels that are on, and those that are not. */
export type LabelConditions = ReadonlyMap<string, boolean>;

/** Requests whose draw, from 0 to 100, is below `below` and in no cohort before. */
export interface Cohort {
  readonly below: number;
  readonly conditions: LabelConditions;
}

/**
 * The cohorts that a supergraph's labels divide requests into; one where there are none. A request is early for all labels or
 * late for all. A label that names no share is taken as off: nothing here could tell.
 */
export function readCohorts(supergraphSdl: string): readonly Cohort[] {
  const shares = new Map<string, number>();
  for (const [, label = '', share] of supergraphSdl.matchAll(/\boverrideLabel: "(percent\(([\d.]+)\))"/g)) {
    shares.set(label, Number(share));
  }
  const conditionsAt = (draw: number): LabelConditions =>
    new Map([...shares].map(([label, share]) => [label, draw < share]));
  const inner = [...new Set(shares.values())].filter((share) => share > 0 && share < 100);
  const bounds = [...inner.toSorted((one, other) => one - other), 100];
  return bounds.map((below, index) => ({ below, conditions: conditionsAt(bounds[index - 1] ?? 0) }));
}

export interface Variant {
  readonly cohort: Cohort;
  readonly operation: PreparedOperation;
  /** Equal for equal plans. */
  readonly plan: string;
}

/** The operation as each cohort runs it. All are made beforehand, so that none holds what they are made from. */
export function createRollout(variants: readonly Variant[]): PreparedOperation {
  const [first] = variants;
  if (!first) throw new Error('Requests are of some cohort');
  if (variants.every(({ plan }) => plan === first.plan)) return first.operation;
  const choose = (): PreparedOperation => {
    const draw = Math.random() * 100;
    return (variants.find(({ cohort }) => draw < cohort.below) ?? first).operation;
  };
  const { summary, stream = null } = first.operation;
  return {
    ...{ summary, stream },
    heapBytes: variants.reduce((sum, { operation }) => sum + operation.heapBytes, 0),
    execute: (request) => choose().execute(request),
    subscribe: (request) => choose().subscribe(request),
  };
}
