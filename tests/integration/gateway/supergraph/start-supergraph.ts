/** The gateway in front of a supergraph, as `npm run gateway -- --supergraph FILE` starts it. */
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import { readSupergraphConfig } from '#gateway/supergraph/config.ts';
import { createSupergraphGateway } from '#gateway/supergraph/server.ts';
import { servePlainSubgraph, type ServedPlainSubgraph } from './served-subgraph.ts';

const logger = { debug() {}, info() {}, warn() {}, error() {} };

export interface RunningSupergraph extends AsyncDisposable {
  readonly url: string;
  post(
    query: string,
    headers?: Record<string, string>,
    variables?: Record<string, unknown>,
    // oxlint-disable-next-line typescript/no-explicit-any -- the shape is the test's to know
  ): Promise<{ status: number; data: any; errors: any }>;
}

export async function startSupergraph(
  supergraphSdl: string,
  environment: Record<string, string> = {},
): Promise<RunningSupergraph> {
  const config = readSupergraphConfig(['--supergraph', 'a.graphql', '--port', '0'], environment);
  const gateway = await createSupergraphGateway({ config, supergraphSdl, logger });
  return {
    url: gateway.url,
    async post(query, headers = {}, variables = {}) {
      const response = await fetch(`${gateway.url}/graphql`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/graphql-response+json',
          ...headers,
        },
        body: JSON.stringify({ query, variables }),
      });
      // oxlint-disable-next-line typescript/no-explicit-any -- the shape is the test's to know
      const body: any = await response.json();
      return { status: response.status, data: body.data, errors: body.errors };
    },
    [Symbol.asyncDispose]: () => gateway.close(),
  };
}

export type SubgraphParts = Record<string, readonly [sdl: string, resolvers: Record<string, unknown>]>;

export interface ComposedSupergraph extends RunningSupergraph {
  readonly supergraphSdl: string;
  readonly subgraphs: Readonly<Record<string, ServedPlainSubgraph>>;
}

/** Composes and serves these subgraphs, over HTTP, behind the gateway. `version` is the federation's ("2.7"). */
export async function startComposed(version: string, parts: SubgraphParts): Promise<ComposedSupergraph> {
  await using starting = new AsyncDisposableStack();
  const imports = ['@key', '@shareable', '@external', '@requires', '@provides', '@override', '@inaccessible'];
  if (Number(version.slice(2)) >= 3) imports.push('@interfaceObject');
  if (Number(version.slice(2)) >= 8) imports.push('@context', '@fromContext');
  const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v${version}", import: ${JSON.stringify(imports)})`;
  const served = await Promise.all(
    Object.entries(parts).map(async ([name, [sdl, resolvers]]) =>
      starting.use(await servePlainSubgraph(name, `${link} ${sdl}`, resolvers)),
    ),
  );
  const composed = composeServices(served.map(({ name, url, sdl }) => ({ name, url, typeDefs: parse(sdl) })));
  if (composed.errors) throw new Error(composed.errors.map(({ message }) => message).join('\n'));
  const { supergraphSdl } = composed;
  const running = starting.use(await startSupergraph(supergraphSdl));
  const stack = starting.move();
  return {
    ...running,
    supergraphSdl,
    subgraphs: Object.fromEntries(served.map((subgraph) => [subgraph.name, subgraph])),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
