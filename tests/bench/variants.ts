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
  start(options: VariantStart): Promise<Child>;
}

const peers = fileURLToPath(new URL('peers', import.meta.url));

function ours(name: string, title: string, script: string, needsSubgraphs = false): Variant {
  return {
    name,
    title,
    needsSubgraphs,
    start: async ({ shape, port, urls }) =>
      startProcess(script, [shape.name, String(port), JSON.stringify(urls)]),
  };
}

function hive(name: string, title: string, hasRustPlanner: boolean): Variant {
  return {
    name,
    title,
    needsSubgraphs: true,
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
    '});',
  ].join('\n');
}

export const variants: readonly Variant[] = [
  ours('bare', 'bare node:http, same JSON', 'servers/bare.ts'),
  ours('executor', 'our executor behind node:http, in process', 'servers/executor.ts'),
  ours('gateway', 'our gateway, in process', 'servers/gateway.ts'),
  ours('gateway-http', 'our gateway, HTTP subgraphs', 'servers/gateway.ts', true),
  ours('stock', '@apollo/gateway, HTTP subgraphs', 'servers/stock.ts', true),
  hive('hive', 'Hive Gateway, HTTP subgraphs', false),
  hive('hive-rust', 'Hive Gateway with Rust planner, HTTP subgraphs', true),
];

export function arePeersInstalled(): boolean {
  return existsSync(join(peers, 'node_modules/@graphql-hive/gateway/package.json'));
}

export const peersFolder = peers;
