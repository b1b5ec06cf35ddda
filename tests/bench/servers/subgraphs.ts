/** All subgraphs of a shape over HTTP, in one process that is not measured: /<name>/graphql. */
import { createServer } from 'node:http';
import { createSubgraphExecutor } from '../shapes/shape.ts';
import { readArguments } from './arguments.ts';

const { shape, port } = readArguments();
const executors = new Map(
  shape.subgraphs.map((subgraph) => [subgraph.name, createSubgraphExecutor(subgraph)]),
);

/** By path and body: the data never changes, so a subgraph takes as little of the machine as it can. */
const answers = new Map<string, Buffer>();

async function answer(path: string, body: string): Promise<Buffer> {
  const known = answers.get(path + body);
  if (known) return known;
  const { query, variables } = JSON.parse(body || '{}') as {
    query?: string;
    variables?: Record<string, unknown>;
  };
  const run = executors.get(path.split('/')[1] ?? '');
  if (!run || !query) return Buffer.from('{}');
  const made = Buffer.from(JSON.stringify(await run(query, variables ?? {})));
  if (answers.size < 1_000) answers.set(path + body, made);
  return made;
}

createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => {
    body += chunk;
  });
  request.on('end', () => {
    void answer(request.url ?? '', body).then((bytes) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length });
      response.end(bytes);
    });
  });
}).listen(port, '127.0.0.1');
