/** Content between processes: the gateway's client against the entities subgraph's own server. */
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createClaimsSigner } from '#gateway/execution/http/claims-signer.ts';
import { createRemoteContent } from '#gateway/http/remote-content.ts';
import { createRemoteTransfers } from '#gateway/http/remote-transfers.ts';
import { gatewayClaims } from '#schema/claims.ts';
import type { SubgraphService } from '#schema/subgraph-protocol.ts';
import { internalContentPath, type TransferContent } from '#schema/transfer-content.ts';
import { addContentRoute } from '#subgraphs/entities/transfer/content-route.ts';
import type { TransferService } from '#subgraphs/entities/transfer/service.ts';
import { serveSubgraph } from '#subgraphs/server/subgraph-server.ts';
import { bytesOf, createTransferBench, type TenantClaims, type TransferBench } from './transfer-bench.ts';

const secret = 'a secret for these tests alone';
const stack = new AsyncDisposableStack();
let bench: TransferBench;
let service: TransferService;
let remote: TransferContent;
let url: string;
let user: TenantClaims;

beforeAll(async () => {
  bench = stack.use(await createTransferBench());
  service = bench.service({ maxUploadBytes: 3_000_000 });
  const server = stack.adopt(
    await serveSubgraph({
      service: {} as SubgraphService,
      ...{ secret, port: 0, host: '127.0.0.1', logger: pino({ level: 'silent' }) },
      addRoutes: (app, claimsOf) => addContentRoute(app, service.content, claimsOf),
    }),
    (it) => it.close(),
  );
  url = server.url;
  remote = createRemoteTransfers(stack.use(createRemoteContent({ url, signer: createClaimsSigner(secret) })));
  const admin = await bench.addTenant({ name: 'note', fields: [{ name: 'text', type: 'TEXT' }] });
  user = await bench.addUser(admin.tenantId, 'USER');
});
afterAll(() => stack.disposeAsync());

const ask = (transferId: string, claims = user) => ({ claims, transferId, requestId: 'test' });

it('passes both ways, with the name of the file', async () => {
  const transfer = await service.startImport(user, { format: 'CSV' });
  const line = 'Zoë, 東京\n';
  const sent = await remote.put({
    ...ask(transfer.id),
    body: bytesOf('text\n', line.repeat(100_000)),
    fileName: 'Zoë 東京.csv',
  });
  expect(sent).toEqual({ id: transfer.id, bytes: 5 + Buffer.byteLength(line) * 100_000, status: 'PENDING' });
  const got = await remote.get(ask(transfer.id));
  expect(got).toMatchObject({
    bytes: sent.bytes,
    contentType: 'text/csv; charset=utf-8',
    fileName: 'Zoë 東京.csv',
  });
  let length = 0;
  for await (const chunk of got.body) length += chunk.length;
  expect(length).toBe(sent.bytes);
});

it('refuses as in one process', async () => {
  const transfer = await service.startImport(user, { format: 'CSV' });
  const stranger = await bench.addTenant();
  await expect(remote.get(ask(transfer.id))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(remote.get(ask(transfer.id, stranger))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(
    remote.put({ ...ask(transfer.id, stranger), body: bytesOf('x'), fileName: null }),
  ).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(
    remote.put({ ...ask('../../internal/sdl'), body: bytesOf('x'), fileName: null }),
  ).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await service.stop(user, transfer.id);
  const done = await service.startExport(user, { entity: 'note', format: 'CSV' });
  await expect(remote.put({ ...ask(done.id), body: bytesOf('x'), fileName: null })).rejects.toMatchObject({
    code: 'CONFLICT',
  });
});

it('needs signed claims of somebody', async () => {
  const transfer = await service.startImport(user, { format: 'CSV' });
  const send = async (headers: Record<string, string>) =>
    (await fetch(url + internalContentPath(transfer.id), { headers })).status;
  expect(await send({})).toBe(401);
  expect(
    await send({ 'x-tenantry-claims': await createClaimsSigner('another secret, not the one').sign(user) }),
  ).toBe(401);
  expect(
    await send({
      'x-tenantry-claims': await createClaimsSigner(secret).sign({
        ...gatewayClaims,
        tenantId: user.tenantId,
      }),
    }),
  ).toBe(401);
});

it('says that the subgraph is away', async () => {
  await using nowhere = createRemoteContent({
    url: 'http://127.0.0.1:9',
    signer: createClaimsSigner(secret),
  });
  const away = createRemoteTransfers(nowhere);
  await expect(away.get(ask(crypto.randomUUID()))).rejects.toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE' });
});
