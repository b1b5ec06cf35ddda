/** The whole gateway as an anonymous caller meets it; subgraphs in process, or over HTTP where addresses are given. */
import { createGateway } from '#gateway/server.ts';
import { readGatewayConfig } from '#gateway/config.ts';
import { createClaimsSigner } from '#gateway/execution/http/claims-signer.ts';
import { createHttpSubgraph } from '#gateway/execution/http/http-subgraph.ts';
import { createCompiledEngine } from '#gateway/execution/compiled/engine.ts';
import { createLogger } from '#gateway/logger.ts';
import type { SubgraphService } from '#schema/subgraph-protocol.ts';
import { createInProcessSubgraphs } from '../shapes/shape.ts';
import { readArguments } from './arguments.ts';

const { shape, port, subgraphUrls } = readArguments();
const config = readGatewayConfig({
  PORT: String(port),
  HOST: '127.0.0.1',
  LOG_LEVEL: 'warn',
  RATE_LIMIT_PER_MINUTE: '0',
});
const signer = createClaimsSigner(config.subgraphSecret);
const inProcess = createInProcessSubgraphs(shape);

const subgraphs = [...inProcess.values()].map((service): SubgraphService => {
  const url = subgraphUrls[service.name];
  if (url === undefined) return service;
  const remote = createHttpSubgraph({
    name: service.name,
    url: url.replace(/\/graphql$/, ''),
    signer,
    timeoutMs: 10_000,
    shareReads: config.shareInFlight,
  });
  return { ...remote, getSdl: service.getSdl };
});

await createGateway({
  config,
  subgraphs,
  identity: {
    getVersions: async () => ({ tenants: [], next: '0' }),
    getJwks: async () => ({ keys: [] }),
    identify: async () => ({ claims: null }),
  },
  logger: createLogger(config.logLevel),
  createEngine: createCompiledEngine,
});
