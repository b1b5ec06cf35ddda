/** How often it is tried whether an extra subgraph fits. */
import { expect, it } from 'vitest';
import { createExtras } from '#gateway/graph/extras/extras.ts';
import { tenantScope } from '#gateway/graph/scope.ts';
import { withServices, type GraphSources } from '#gateway/graph/subgraph-sdl.ts';
import type { SubgraphService } from '#schema/subgraph-protocol.ts';

const link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key"])';
const logger = { debug() {}, info() {}, warn() {}, error() {} };
const sharing = {
  subgraphs: new Set<string>(),
  perUserRoles: new Set<never>(),
  perUserSubscriptions: new Set<string>(),
};

function sourcesWith(field: string): GraphSources {
  const nothing: GraphSources = { hash: '', version: 1, services: [], sharing };
  return withServices(nothing, [{ name: 'entities', sdl: `${link} type Query { a: Int ${field}: Int }` }]);
}

/** Counts the trials by the verdicts that are put into the cache for others. */
async function start(sdl: string) {
  const counts = { trials: 0 };
  const subgraph: SubgraphService = {
    name: 'extra',
    getSdl: async () => ({ sdl: `${link} ${sdl}`, version: null }),
    execute: async () => ({}),
    subscribe: async () => ({}),
  };
  const shared = {
    get: async () => null,
    set() {
      counts.trials += 1;
    },
  };
  const extras = createExtras({ subgraphs: [subgraph], logger, shared });
  await extras.firstLook;
  return { extras, counts, [Symbol.asyncDispose]: () => extras[Symbol.asyncDispose]() };
}

it.each([
  ['that fits', 'type Query { extra: Int }', ['entities', 'extra']],
  ['that does not', 'type Query { a: Int }', ['entities']],
])(
  'one %s is tried once for a thousand equal tenants, and once more for another',
  async (_what, sdl, expected) => {
    await using started = await start(sdl);
    const { extras, counts } = started;
    const plugInAll = () =>
      Promise.all(
        Array.from({ length: 1_000 }, (_, index) =>
          extras.plugIn(tenantScope(`tenant-${index}`), sourcesWith('b')),
        ),
      );
    for (const sources of [...(await plugInAll()), ...(await plugInAll())]) {
      expect(sources.services.map(({ name }) => name)).toEqual(expected);
    }
    expect(counts.trials).toBe(1);
    await extras.plugIn(tenantScope('other'), sourcesWith('c'));
    expect(counts.trials).toBe(2);
    expect(extras.report()).toMatchObject([{ leftOut: expected.length === 1 ? 1_001 : 0 }]);
  },
);
