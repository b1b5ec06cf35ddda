/** The peer that most people run: @apollo/gateway behind Apollo Server, as its documentation sets it up. */
import { ApolloGateway } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { composeShape } from '../shapes/shape.ts';
import { readArguments } from './arguments.ts';

const { shape, port, subgraphUrls } = readArguments();
const gateway = new ApolloGateway({ supergraphSdl: composeShape(shape, subgraphUrls) });
const server = new ApolloServer({ gateway, nodeEnv: 'production' });
await startStandaloneServer(server, { listen: { port, host: '127.0.0.1' } });
