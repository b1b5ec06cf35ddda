/** Our gateway as anybody may put it in front of a supergraph of theirs; it passes the client's authorization on. */
import { createLogger } from '#gateway/logger.ts';
import { readSupergraphConfig } from '#gateway/supergraph/config.ts';
import { createSupergraphGateway } from '#gateway/supergraph/server.ts';
import { composeShape } from '../shapes/shape.ts';
import { readArguments } from './arguments.ts';

const { shape, port, subgraphUrls } = readArguments();
await createSupergraphGateway({
  config: readSupergraphConfig(['--supergraph', 'composed here', '--port', String(port)], {}),
  supergraphSdl: composeShape(shape, subgraphUrls),
  logger: createLogger('warn'),
});
