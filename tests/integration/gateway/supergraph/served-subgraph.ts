/** A subgraph as another team would serve it: plain GraphQL over HTTP, subscriptions over graphql-ws, nothing of ours. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { graphql, parse } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';

export interface ServedPlainSubgraph extends AsyncDisposable {
  readonly name: string;
  url: string;
  sdl: string;
  /** Every operation with its headers, or its connection's parameters. */
  readonly seen: { query: string; headers: IncomingHttpHeaders | Record<string, unknown> }[];
  /** Answers this instead, whatever is asked; null: GraphQL. */
  rubbish: string | null;
  /** What the next answers wait for. */
  hold: Promise<void> | null;
  /** Its open WebSockets. */
  readonly connections: number;
  stop(): Promise<void>;
  /** At the same address. */
  start(): Promise<void>;
}

export async function servePlainSubgraph(
  name: string,
  sdl: string,
  resolvers: Record<string, unknown>,
): Promise<ServedPlainSubgraph> {
  const getSchema = () =>
    buildSubgraphSchema([{ typeDefs: parse(subgraph.sdl), resolvers: resolvers as never }]);
  const open = async (port: number) => {
    const server = createServer((request, response) => {
      void (async () => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        const body = JSON.parse(Buffer.concat(chunks).toString()) as {
          query: string;
          variables?: Record<string, unknown>;
          operationName?: string;
        };
        subgraph.seen.push({ query: body.query, headers: request.headers });
        await subgraph.hold;
        const answer =
          subgraph.rubbish ??
          JSON.stringify(
            await graphql({
              schema: getSchema(),
              source: body.query,
              variableValues: body.variables,
              operationName: body.operationName,
              contextValue: { headers: request.headers },
            }),
          );
        response.setHeader('content-type', 'application/json').end(answer);
      })();
    });
    const sockets = new WebSocketServer({ server, path: '/graphql' });
    const running = useServer(
      {
        schema: getSchema(),
        onSubscribe(context, _id, { query }) {
          subgraph.seen.push({ query, headers: context.connectionParams ?? {} });
        },
      },
      sockets,
    );
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return {
      port: (server.address() as AddressInfo).port,
      sockets,
      async close() {
        for (const socket of sockets.clients) socket.terminate();
        await running.dispose();
        server.closeAllConnections();
        server.close();
        await once(server, 'close');
      },
    };
  };
  const subgraph: ServedPlainSubgraph = {
    name,
    url: '',
    sdl,
    seen: [],
    rubbish: null,
    hold: null,
    get connections() {
      return server?.sockets.clients.size ?? 0;
    },
    async stop() {
      await server?.close();
      server = null;
    },
    async start() {
      server = await open(port);
    },
    [Symbol.asyncDispose]: () => subgraph.stop(),
  };
  let server: Awaited<ReturnType<typeof open>> | null = await open(0);
  const { port } = server;
  subgraph.url = `http://127.0.0.1:${port}/graphql`;
  return subgraph;
}
