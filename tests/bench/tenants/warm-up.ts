/** Asks every tenant everything once, a few at a time, and tells what the first request of each took. */
import { queriesOf } from './definitions.ts';
import type { BenchTenant } from './fill.ts';
import { ask } from './ask.ts';
import { quantiles, type Quantiles } from './quantiles.ts';

const atOnce = 3;

export async function warmUp(
  url: string,
  authorizations: ReadonlyMap<BenchTenant, string>,
): Promise<{ firstMs: Quantiles }> {
  const waiting = [...authorizations];
  const firstMs: number[] = [];
  const asker = async (): Promise<void> => {
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const [tenant, authorization] = next;
      const started = performance.now();
      for (const [index, query] of queriesOf(tenant.number).entries()) {
        const problem = await ask(url, authorization, query);
        if (problem !== null) throw new Error(`tenant ${tenant.number}: ${problem}`);
        if (index === 0) firstMs.push(performance.now() - started);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, asker));
  return { firstMs: quantiles(firstMs) };
}
