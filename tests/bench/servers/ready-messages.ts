/**
 * The limits of fanning out: a bare graphql-ws server whose subscriptions all give one ready-made result, and a bare ws
 * server that sends the same as text. `POST /publish` sends it to everybody.
 */
import { createServer } from 'node:http';
import type { ExecutionResult } from 'graphql';
import { buildSchema } from 'graphql';
import { handleProtocols } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';

const [kind = '', port = '', message = '{}'] = process.argv.slice(2);
const result = JSON.parse(message) as ExecutionResult;
const publishers = new Set<() => void>();

const server = createServer((_request, response) => {
  for (const publish of publishers) publish();
  response.end('{}');
});
const sockets = new WebSocketServer({ server, path: '/graphql', handleProtocols, perMessageDeflate: false });

/** Gives the result once for each time that something is published. */
function createResults(): AsyncGenerator<ExecutionResult, undefined> {
  let owed = 0;
  let waiting: ((step: IteratorResult<ExecutionResult, undefined>) => void) | null = null;
  const publish = (): void => {
    if (waiting) {
      waiting({ value: result, done: false });
      waiting = null;
    } else owed += 1;
  };
  publishers.add(publish);
  const end = { value: undefined, done: true } as const;
  const results = {
    next() {
      if (owed > 0) {
        owed -= 1;
        return Promise.resolve({ value: result, done: false as const });
      }
      return new Promise<IteratorResult<ExecutionResult, undefined>>((resolve) => (waiting = resolve));
    },
    async return() {
      publishers.delete(publish);
      waiting?.(end);
      return end;
    },
    throw: () => Promise.reject(new Error('not used')),
    [Symbol.asyncIterator]() {
      return results as unknown as AsyncGenerator<ExecutionResult, undefined>;
    },
  };
  return results as unknown as AsyncGenerator<ExecutionResult, undefined>;
}

if (kind === 'graphql-ws') {
  const schema = buildSchema('type Query { x: Int } type Subscription { movieChanged: Int }');
  useServer({ schema, validate: () => [], subscribe: createResults }, sockets);
} else {
  sockets.on('connection', (socket) => {
    socket.on('message', (data) => {
      const { type, id } = JSON.parse((data as Buffer).toString()) as { type: string; id?: string };
      if (type === 'connection_init') socket.send('{"type":"connection_ack"}');
      if (type === 'ping') socket.send('{"type":"pong"}');
      if (type !== 'subscribe') return;
      const text = JSON.stringify({ id, type: 'next', payload: result });
      publishers.add(() => socket.send(text));
    });
  });
}
server.listen(Number(port), '127.0.0.1');
