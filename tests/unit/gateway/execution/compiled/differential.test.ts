/**
 * Our executor against Apollo's `executeQueryPlan`, over supergraphs, operations and faults drawn from a seed.
 * DIFFERENTIAL_CASES and DIFFERENTIAL_SEED ask for more of them, or for one that failed again.
 */
import { expect, test } from 'vitest';
import { createGraphPair } from './differential/differential-case.ts';
import type { GraphPair } from './differential/differential-case.ts';
import { generateOperation } from './differential/operation-generator.ts';
import type { GeneratedOperation } from './differential/operation-generator.ts';
import { createRandom } from './differential/random.ts';
import { shrinkOperation } from './differential/shrink.ts';
import type { Faults } from './differential/subgraph-simulator.ts';
import { generateGraph } from './differential/supergraph-generator.ts';

const cases = Number(process.env.DIFFERENTIAL_CASES ?? 600);
const firstSeed = Number(process.env.DIFFERENTIAL_SEED ?? 1);
const operationsPerGraph = 20;

/** A third of the cases have no faults, so that answers run deep; the others have some of every kind. */
function drawFaults(seed: number): Faults {
  const random = createRandom(seed);
  const scale = random.pick([0, 0.3, 1]);
  const faults = {
    resolverError: 0.06,
    wrongNull: 0.05,
    wrongLeaf: 0.02,
    missingEntity: 0.1,
    failedCall: 0.08,
  };
  const scaled = Object.fromEntries(
    Object.entries(faults).map(([kind, rate]) => [kind, random.chance(0.5) ? rate * scale : 0]),
  );
  return { ...(scaled as typeof faults), lateAnswer: random.pick([0, 0.5]), seed };
}

test(`answers as executeQueryPlan does (${cases} cases from seed ${firstSeed})`, {
  timeout: 120_000 + cases * 200,
}, async () => {
  let ran = 0;
  let withErrors = 0;
  let gaveUp = 0;
  for (let seed = firstSeed; ran < cases; seed++) {
    const graph = generateGraph(seed);
    if (!graph) continue;
    const pair = await createGraphPair(graph);
    for (let index = 0; index < operationsPerGraph; index++) {
      const operation = generateOperation(pair.schema, seed * 1_000 + index);
      if (!operation) continue;
      const faults = drawFaults(seed * 7_919 + index);
      const comparison = await pair.run(operation, faults);
      ran++;
      if (comparison.ours.errors) withErrors++;
      if (comparison.stockGaveUp) gaveUp++;
      if (comparison.difference)
        expect.fail(await report(pair, operation, faults, `seed ${seed}, operation ${index}`));
    }
  }
  expect(ran).toBeGreaterThanOrEqual(cases);
  expect(withErrors, 'cases with errors').toBeGreaterThan(cases / 20);
  expect(gaveUp, 'cases that the stock executor gives up').toBeLessThan(cases / 10);
});

async function report(
  pair: GraphPair,
  operation: GeneratedOperation,
  faults: Faults,
  title: string,
): Promise<string> {
  const smallest = await shrinkOperation(pair.schema, operation, async (smaller) => {
    return (await pair.run(smaller, faults)).difference !== null;
  });
  const { difference, ours, stock } = await pair.run(smallest, faults);
  const text = (value: unknown) => JSON.stringify(value, null, 1);
  return [
    `${title}: ${difference}`,
    smallest.query,
    `variables ${text(smallest.variables)}`,
    `faults ${text(faults)}`,
    `ours ${text(ours)}`,
    `stock ${text(stock)}`,
  ].join('\n');
}
