/** Who is measured: ourselves in parts, the limit, and the peers. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProcess } from './processes.ts';
import type { Child } from './processes.ts';
import { composeShape } from './shapes/shape.ts';
import type { Shape } from './shapes/shape.ts';

export interface VariantStart {
  readonly shape: Shape;
  readonly port: number;
  /** Of the subgraphs, where the variant asks them over HTTP. */
  readonly urls: Readonly<Record<string, string>>;
}

export interface Variant {
  readonly name: string;
  readonly title: string;
  readonly needsSubgraphs: boolean;
  /** Sends the client's Authorization on, so that no two callers' subgraph calls are equal. */
  readonly forwardsAuthorization: boolean;
  start(options: VariantStart): Promise<Child>;
}

const peers = fileURLToPath(new URL('peers', import.meta.url));

function inNode(
  name: string,
  title: string,
  script: string,
  { needsSubgraphs = false, forwardsAuthorization = false } = {},
): Variant {
  return {
    name,
    title,
    needsSubgraphs,
    forwardsAuthorization,
    start: async ({ shape, port, urls }) =>
      startProcess(script, [shape.name, String(port), JSON.stringify(urls)]),
  };
}

function hive(name: string, title: string, hasRustPlanner: boolean): Variant {
  return {
    name,
    title,
    needsSubgraphs: true,
    forwardsAuthorization: true,
    async start({ shape, port, urls }) {
      // Below the peers' packages, so that the configuration can import them.
      const folder = join(peers, 'node_modules/.bench');
      mkdirSync(folder, { recursive: true });
      const supergraph = join(folder, `${name}.graphql`);
      const config = join(folder, `${name}.config.mjs`);
      writeFileSync(supergraph, composeShape(shape, urls));
      writeFileSync(config, hiveConfig(supergraph, port, hasRustPlanner));
      const bin = join(peers, 'node_modules/@graphql-hive/gateway/dist/bin.js');
      const args = ['supergraph', supergraph, '--port', String(port), '--host', '127.0.0.1', '--fork', '1'];
      return startProcess(bin, [...args, '--config-path', config], { cwd: peers, isQuiet: true });
    },
  };
}

function hiveConfig(supergraph: string, port: number, hasRustPlanner: boolean): string {
  return [
    "import { defineConfig } from '@graphql-hive/gateway';",
    hasRustPlanner ? "import { unifiedGraphHandler } from '@graphql-hive/router-runtime';" : '',
    'export const gatewayConfig = defineConfig({',
    `  supergraph: ${JSON.stringify(supergraph)}, port: ${port}, host: '127.0.0.1', logging: 'error',`,
    hasRustPlanner ? '  unifiedGraphHandler,' : '',
    '  propagateHeaders: { fromClientToSubgraphs: ({ request }) => {',
    "    const authorization = request.headers.get('authorization');",
    '    return authorization === null ? {} : { authorization };',
    '  } },',
    '});',
  ].join('\n');
}

const forwarding = { needsSubgraphs: true, forwardsAuthorization: true };

export const variants: readonly Variant[] = [
  inNode('bare', 'bare node:http, same JSON', 'servers/bare.ts'),
  inNode('executor', 'our executor behind node:http, in process', 'servers/executor.ts'),
  inNode('gateway', 'our gateway, in process', 'servers/gateway.ts'),
  inNode('gateway-http', 'our gateway, HTTP subgraphs', 'servers/gateway.ts', { needsSubgraphs: true }),
  inNode('supergraph', 'our gateway for any supergraph, HTTP subgraphs', 'servers/supergraph.ts', forwarding),
  inNode('stock', '@apollo/gateway, HTTP subgraphs', 'servers/stock.ts', forwarding),
  hive('hive', 'Hive Gateway, HTTP subgraphs', false),
  hive('hive-rust', 'Hive Gateway with Rust planner, HTTP subgraphs', true),
];

export function arePeersInstalled(): boolean {
  return existsSync(join(peers, 'node_modules/@graphql-hive/gateway/package.json'));
}

export const peersFolder = peers;
