/** The realtime subgraph as a process of its own: signed claims, places in the log, and going down. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import pg from 'pg';
import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createRecordDatabase } from '#prisma/record-database.ts';
import { deriveRolePassword } from '#prisma/roles.ts';
import { type Claims, gatewayClaims, signedClaims } from '#schema/claims.ts';
import { testClaims } from '#tests/harness/claims.ts';
import { createTestDatabase } from '#tests/harness/database.ts';

const secret = 'a-secret-of-this-test-0123456789';

function sign(claims: Claims, key = secret): Promise<string> {
  return new SignJWT({ claims })
    .setProtectedHeader({ alg: signedClaims.algorithm })
    .setIssuer(signedClaims.issuer)
    .setAudience(signedClaims.audience)
    .setIssuedAt()
    .setExpirationTime(`${signedClaims.lifetimeSeconds}s`)
    .sign(new TextEncoder().encode(key));
}

async function startProcess(
  env: Record<string, string>,
): Promise<AsyncDisposable & { url: string; stop(): Promise<number | null> }> {
  const child = spawn(process.execPath, ['subgraphs/realtime/main.ts'], {
    cwd: join(import.meta.dirname, '../../..'),
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'info', ...env },
  });
  let output = '';
  const ready = Promise.withResolvers<string>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const match = /ready at (http:\/\/[^\s"]+)/.exec(output);
      if (match?.[1]) ready.resolve(match[1]);
    });
  }
  const ended = once(child, 'close').then(([code]) => code as number | null);
  void ended.then(() => ready.reject(new Error(`the process ended:\n${output}`)));
  const stop = async (): Promise<number | null> => {
    child.kill('SIGTERM');
    return ended;
  };
  return { url: await ready.promise, stop, [Symbol.asyncDispose]: async () => void (await stop()) };
}

type Message = { type?: string; id?: string; payload?: unknown; closed?: number };

/** graphql-transport-ws by hand, after its handshake: what comes and in which order is the point. */
async function openSocket(
  url: string,
  token: string,
): Promise<AsyncDisposable & { send(message: Message): void; next(): Promise<Message> }> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  const arrived: Message[] = [];
  let notify = (): void => {};
  const arrive = (message: Message): void => {
    arrived.push(message);
    notify();
  };
  socket.on('message', (data) => arrive(JSON.parse((data as Buffer).toString())));
  socket.on('close', (code) => arrive({ closed: code }));
  const next = async (): Promise<Message> => {
    while (arrived.length === 0) {
      await new Promise<void>((resolve) => {
        notify = resolve;
      });
    }
    return arrived.shift() as Message;
  };
  await once(socket, 'open');
  const send = (message: Message): void => socket.send(JSON.stringify(message));
  send({ type: 'connection_init', payload: { [signedClaims.header]: token } });
  const first = await next();
  if (first.type !== 'connection_ack') throw new Error(JSON.stringify(first));
  return { send, next, [Symbol.asyncDispose]: async () => socket.terminate() };
}

it('serves its gateway and nobody else, and ends streams with their cursor when it goes down', async () => {
  await using database = await createTestDatabase();
  await using realtime = await startProcess({ DATABASE_URL: database.url, SUBGRAPH_SECRET: secret });
  const rolePassword = deriveRolePassword(secret);
  await using records = createRecordDatabase({ url: database.url, rolePassword });
  const claims = testClaims(randomUUID());
  const superuser = new pg.Client(database.url);
  await superuser.connect();
  await superuser.query(`insert into tenants (id, name, slug) values ($1, 'a', 'a')`, [claims.tenantId]);
  await superuser.query('insert into tenant_heads (tenant_id) values ($1)', [claims.tenantId]);
  await superuser.query(
    `insert into entity_definitions (id, tenant_id, name, plural_name) values ($1, $1, 'contact', 'contacts')`,
    [claims.tenantId],
  );
  await superuser.end();

  const sdl = `${realtime.url}/internal/sdl?audience=TENANT&tenant=${claims.tenantId}&version=1`;
  expect((await fetch(sdl)).status).toBe(401);
  expect((await fetch(sdl, { headers: { [signedClaims.header]: await sign(claims) } })).status).toBe(403);
  const answer = await fetch(sdl, { headers: { [signedClaims.header]: await sign(gatewayClaims) } });
  expect(await answer.json()).toMatchObject({ version: 1, sdl: expect.stringContaining('contactChanged') });

  const forged = openSocket(realtime.url, await sign(claims, 'another secret that is as long'));
  await expect(forged).rejects.toThrow('4403');

  await using socket = await openSocket(realtime.url, await sign(claims));
  socket.send({
    type: 'subscribe',
    id: '1',
    payload: { query: 'subscription { contactChanged { cursor contactId } }' },
  });
  // The place in the log is fixed once a Ping that follows the Subscribe is answered.
  socket.send({ type: 'ping' });
  expect(await socket.next()).toEqual({ type: 'pong' });
  const recordId = randomUUID();
  const event = {
    kind: 'RECORD',
    entityId: claims.tenantId,
    recordId,
    operation: 'CREATED',
    changedFields: [],
    before: null,
    after: { data: {}, version: 1, createdAt: '', updatedAt: '', createdBy: null, deletedAt: null },
    actorKind: 'SYSTEM',
  };
  await records.transaction(claims, (tx) =>
    tx.finish(`select append_events(1, ${pg.escapeLiteral(JSON.stringify([event]))}::jsonb)`),
  );
  const change = await socket.next();
  expect(change).toMatchObject({
    type: 'next',
    payload: { data: { contactChanged: { contactId: recordId } } },
  });

  expect(await realtime.stop()).toBe(0);
  const { cursor } = (change.payload as { data: { contactChanged: { cursor: string } } }).data.contactChanged;
  expect(await socket.next()).toMatchObject({
    type: 'next',
    payload: { errors: [{ extensions: { code: 'SUBGRAPH_UNAVAILABLE', cursor } }] },
  });
  expect(await socket.next()).toEqual({ type: 'complete', id: '1' });
  expect(await socket.next()).toEqual({ closed: 1001 });
});

it('answers a Ping after the refusal of a subscription that came before it', async () => {
  await using database = await createTestDatabase();
  await using realtime = await startProcess({ DATABASE_URL: database.url, SUBGRAPH_SECRET: secret });
  await using socket = await openSocket(realtime.url, await sign(testClaims(randomUUID())));
  socket.send({
    type: 'subscribe',
    id: '1',
    payload: { query: 'subscription { recordChanged { recordId } }' },
  });
  socket.send({ type: 'subscribe', id: '2', payload: { query: 'subscription {' } });
  socket.send({ type: 'ping' });
  const answers = [await socket.next(), await socket.next(), await socket.next(), await socket.next()];
  expect(answers.at(-1)).toEqual({ type: 'pong' });
  expect(answers.map(({ type }) => type)).toEqual(expect.arrayContaining(['error', 'next', 'complete']));
});

it('names every variable that is missing or wrong, and no secret', async () => {
  const starting = startProcess({
    DATABASE_URL: 'mysql://root:hunter2@db',
    SUBGRAPH_SECRET: 'short',
    PORT: 'http',
  });
  const message = await starting.then(
    () => 'it started',
    (error: Error) => error.message,
  );
  expect(message).toMatch(/DATABASE_URL[\s\S]*SUBGRAPH_SECRET[\s\S]*PORT/);
  expect(message).not.toMatch(/hunter2|short/);
});
