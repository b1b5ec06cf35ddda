/** All subgraphs of a shape over HTTP, in one process that is not measured: /<name>/graphql. */
import { createServer } from 'node:http';
import { createSubgraphExecutor } from '../shapes/shape.ts';
import { readArguments } from './arguments.ts';

const { shape, port } = readArguments();
const executors = new Map(
  shape.subgraphs.map((subgraph) => [subgraph.name, createSubgraphExecutor(subgraph)]),
);

createServer((request, response) => {
  const run = executors.get(request.url?.split('/')[1] ?? '');
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { query, variables } = JSON.parse(Buffer.concat(chunks).toString() || '{}') as {
      query?: string;
      variables?: Record<string, unknown>;
    };
    if (!run || !query) {
      response.writeHead(200).end('{}');
      return;
    }
    void run(query, variables ?? {}).then((result) => {
      const text = JSON.stringify(result);
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
      });
      response.end(text);
    });
  });
}).listen(port, '127.0.0.1');
