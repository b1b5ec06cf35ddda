/**
 * `npm run bench [-- --shape list --only executor,bare --runs 5 --seconds 5]`: ours beside the limit and the peers in one
 * run. Prints a table and writes tests/bench/results/queries.json. With `--memory`: what tenants' graphs
 * cost instead. With `--product`: a page of records through the whole product. With `--subscriptions`: one event
 * to many subscribers. Installs the peers where they are missing.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { measureInTurns, startVariant } from './measure.ts';
import type { Subject } from './measure.ts';
import { answerOnce } from './servers/compiled-in-process.ts';
import { shapes } from './shapes/index.ts';
import { createInProcessSubgraphs } from './shapes/shape.ts';
import type { Shape } from './shapes/shape.ts';
import { formatTable, writeResults } from './table.ts';
import type { ShapeResult } from './table.ts';
import { arePeersInstalled, peersFolder, variants } from './variants.ts';
import type { Variant } from './variants.ts';

const { values } = parseArgs({
  options: {
    shape: { type: 'string' },
    only: { type: 'string' },
    runs: { type: 'string', default: '4' },
    seconds: { type: 'string', default: '1.5' },
    'warm-up': { type: 'string', default: '4' },
    connections: { type: 'string', default: '32' },
    memory: { type: 'boolean', default: false },
    product: { type: 'boolean', default: false },
    subscriptions: { type: 'boolean', default: false },
  },
});
if (values.memory) {
  const memory = fileURLToPath(new URL('memory.ts', import.meta.url));
  execFileSync(process.execPath, ['--expose-gc', memory], { stdio: 'inherit' });
  process.exit();
}
const chosenVariants = values.only?.split(',');
const options = {
  runs: Number(values.runs),
  secondsPerRun: Number(values.seconds),
  warmUpSeconds: Number(values['warm-up']),
  connections: Number(values.connections),
};

if (values.product) {
  const { benchProduct } = await import('./product.ts');
  await benchProduct(options);
  process.exit();
}

if (values.subscriptions) {
  const { benchSubscriptions } = await import('./subscriptions.ts');
  await benchSubscriptions(options);
  process.exit();
}

const asked = variants.filter(({ name }) => !chosenVariants || chosenVariants.includes(name));
if (asked.some(({ name }) => name.startsWith('hive')) && !arePeersInstalled()) {
  process.stdout.write('Installing the peers …\n');
  execFileSync('npm', ['install', '--no-audit', '--no-fund'], { cwd: peersFolder, stdio: 'inherit' });
}

/** Every variant answers before any is measured; one that does not is left out. */
async function measureShape(shape: Shape, distinctAuthorization: boolean): Promise<ShapeResult> {
  const expected = JSON.stringify(await answerOnce(shape, createInProcessSubgraphs(shape)));
  const title = distinctAuthorization ? `${shape.title}; another authorization on each request` : shape.title;
  process.stdout.write(`${title}: starting …\n`);
  await using running = new AsyncDisposableStack();
  const started: { variant: Variant; subject: Subject }[] = [];
  for (const variant of asked) {
    if (distinctAuthorization && !variant.forwardsAuthorization) continue;
    try {
      const subject = await startVariant(running, shape, variant, expected, distinctAuthorization);
      started.push({ variant, subject });
    } catch (error) {
      process.stdout.write(
        `  ${variant.title} is not measured: ${error instanceof Error ? error.message : String(error)}\n`,
      );
    }
  }
  const runs = await measureInTurns(
    started.map(({ subject }) => subject),
    options,
  );
  return {
    shape: shape.name,
    title,
    answerBytes: Buffer.byteLength(expected),
    results: started.map(({ variant: { name, title: variantTitle } }, index) => ({
      name,
      title: variantTitle,
      runs: runs[index] ?? [],
    })),
  };
}

const results: ShapeResult[] = [];
for (const shape of shapes.filter(({ name }) => !values.shape || name === values.shape)) {
  for (const distinctAuthorization of shape.name === 'reviews' ? [false, true] : [false]) {
    const result = await measureShape(shape, distinctAuthorization);
    results.push(result);
    process.stdout.write(`\n${formatTable(result)}\n\n`);
  }
}
process.stdout.write(`Written to ${writeResults('queries', results)}\n`);
