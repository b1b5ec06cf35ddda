/** The peer that most people run: @apollo/gateway behind Apollo Server, as its documentation sets it up. */
import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { composeShape } from '../shapes/shape.ts';
import { readArguments } from './arguments.ts';

const { shape, port, subgraphUrls } = readArguments();

interface Context {
  readonly authorization?: string | undefined;
}

const gateway = new ApolloGateway({
  supergraphSdl: composeShape(shape, subgraphUrls),
  buildService: ({ url }) =>
    new RemoteGraphQLDataSource<Context>({
      url,
      willSendRequest({ request, context }) {
        if (context.authorization !== undefined)
          request.http?.headers.set('authorization', context.authorization);
      },
    }),
});
const server = new ApolloServer<Context>({ gateway, nodeEnv: 'production' });
await startStandaloneServer(server, {
  listen: { port, host: '127.0.0.1' },
  context: async ({ req }) => ({ authorization: req.headers.authorization }),
});
