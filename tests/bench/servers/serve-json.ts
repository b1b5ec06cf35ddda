/** The least HTTP server in front of a GraphQL function. */
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';

export interface GraphQLBody {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly operationName?: string | null;
}

/** Listens on the port given as the process's argument. */
export function serveJson(port: number, answer: (body: GraphQLBody) => Promise<unknown>): void {
  const server = createServer((request, response) => {
    readBody(request)
      .then((body) => answer(JSON.parse(body) as GraphQLBody))
      .then(
        (result) => {
          const text = JSON.stringify(result);
          response.writeHead(200, {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(text),
          });
          response.end(text);
        },
        (error: unknown) => {
          response.writeHead(500).end(String(error));
        },
      );
  });
  server.keepAliveTimeout = 60_000;
  server.listen(port, '127.0.0.1');
}

function readBody(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => resolve(body));
    request.on('error', reject);
  });
}
