/** Requests that never end: given up, unless they are files that keep arriving. */
import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { fastify } from 'fastify';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { endSlowReaders, endSlowRequests, takesFiles } from '#gateway/http/slow-requests.ts';

const app = fastify();
let port: number;
beforeAll(async () => {
  endSlowRequests(app, { wholeMs: 200, silenceMs: 2_000 });
  endSlowReaders(app, { silenceMs: 200 });
  app.get('/large', async () => 'x'.repeat(32 * 2 ** 20));
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => {
    let length = 0;
    payload.on('data', (chunk: Buffer) => (length += chunk.length));
    payload.on('end', () => done(null, length));
    payload.on('error', () => done(new Error('gone')));
  });
  app.put('/file', { config: takesFiles }, async (request) => ({ length: request.body }));
  app.post('/graphql', async (request) => ({ length: request.body }));
  await app.listen({ port: 0, host: '127.0.0.1' });
  port = (app.server.address() as AddressInfo).port;
});
afterAll(() => app.close());

function begin(line: string, body: string): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(`${line} HTTP/1.1\r\nhost: x\r\ncontent-type: text/x\r\ncontent-length: 4\r\n\r\n${body}`);
  return socket;
}

it('ends a request that does not arrive, and lets a file take its time', async () => {
  const file = begin('PUT /file', 'a');
  const slow = begin('POST /graphql', 'a');
  // By then more time has passed than any request but a file has.
  await once(slow, 'close');
  file.write('bcd');
  const [answer] = (await once(file, 'data')) as [Buffer];
  expect(answer.toString()).toContain('200 OK');
  file.destroy();
});

it('ends a large answer that nobody reads, and not the connection of who reads it', async () => {
  const opened = once(app.server, 'connection');
  const idle = connect(port, '127.0.0.1');
  idle.pause();
  idle.on('error', () => {});
  idle.write('GET /large HTTP/1.1\r\nhost: x\r\n\r\n');
  const [held] = (await opened) as [Socket];
  await once(held, 'close');
  idle.destroy();
  const read = await fetch(`http://127.0.0.1:${port}/large`);
  expect((await read.text()).length).toBe(32 * 2 ** 20);
});

it('ends a file of which nothing more comes', async () => {
  const file = begin('PUT /file', 'a');
  await once(file, 'close');
});
