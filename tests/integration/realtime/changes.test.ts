/** Query.changes: the log as pages. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodeLogCursor } from '#schema/events.ts';
import type { RealtimeService } from '#subgraphs/realtime/service.ts';
import {
  createRealtimeFixture,
  type Message,
  open,
  type RealtimeFixture,
  type RealtimeTenant,
  request,
} from './fixture.ts';

let fixture: RealtimeFixture;
let service: RealtimeService;
let tenant: RealtimeTenant;
const contacts = Array.from({ length: 25 }, () => randomUUID());
const companies = Array.from({ length: 5 }, () => randomUUID());

beforeAll(async () => {
  fixture = await createRealtimeFixture();
  service = fixture.createService();
  tenant = await fixture.addTenant();
  await tenant.addEntity('company');
  await tenant.addEntity('contact');
  await tenant.append(contacts.slice(0, 10).map((recordId) => ({ recordId, after: { name: 'a' } })));
  await tenant.append(companies.map((recordId) => ({ recordId, entity: 'company' })));
  await tenant.append(contacts.slice(10).map((recordId) => ({ recordId })));
});
afterAll(() => fixture[Symbol.asyncDispose]());

const page = `query ($entities: [String!], $first: Int, $after: String) {
  changes(entities: $entities, first: $first, after: $after) {
    edges { cursor node { recordId } }
    nodes { entity operation recordId record changedFields actor { id } at cursor }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`;

async function read(variables: Record<string, unknown>, claims = tenant.claims): Promise<Message> {
  return service.execute(request(claims, page, variables));
}

async function pageOf(variables: Record<string, unknown>): Promise<NonNullable<Message['data']>> {
  const { data, errors } = await read(variables);
  expect(errors).toBeUndefined();
  return data.changes;
}

it('gives all of the log in order, from its beginning', async () => {
  const { nodes, edges, pageInfo } = await pageOf({});
  expect(nodes.map((node: { recordId: string }) => node.recordId)).toEqual([
    ...contacts.slice(0, 10),
    ...companies,
    ...contacts.slice(10),
  ]);
  expect(nodes[0]).toMatchObject({
    entity: 'contact',
    operation: 'CREATED',
    record: { id: contacts[0], name: 'a' },
    changedFields: ['name'],
    actor: { id: tenant.claims.actorId },
  });
  expect(edges[3]).toEqual({ cursor: nodes[3].cursor, node: { recordId: nodes[3].recordId } });
  expect(pageInfo).toEqual({
    hasNextPage: false,
    hasPreviousPage: false,
    startCursor: nodes[0].cursor,
    endCursor: nodes.at(-1).cursor,
  });
});

it('pages through some entities', async () => {
  const seen: string[] = [];
  let after: string | null = null;
  for (let pages = 1; ; pages += 1) {
    const { nodes, pageInfo } = await pageOf({ entities: ['contact'], first: 7, after });
    seen.push(...nodes.map((node: { recordId: string }) => node.recordId));
    expect(pageInfo.hasPreviousPage).toBe(pages > 1);
    after = pageInfo.endCursor;
    if (!pageInfo.hasNextPage) {
      expect(pages).toBe(4);
      break;
    }
  }
  expect(seen).toEqual(contacts);
});

it('has the log head as the end of an empty page, and a subscription goes on from there', async () => {
  const { nodes, pageInfo } = await pageOf({ first: 0 });
  expect(nodes).toEqual([]);
  const { seq } = await fixture.store.readHead(tenant.id);
  expect(pageInfo).toMatchObject({ hasNextPage: true, startCursor: null, endCursor: encodeLogCursor(seq) });
  expect((await pageOf({ after: pageInfo.endCursor })).pageInfo.endCursor).toBe(pageInfo.endCursor);

  const own = await fixture.addTenant();
  await own.addEntity('contact');
  const head = (await read({ first: 0 }, own.claims)).data.changes.pageInfo.endCursor;
  const recordId = randomUUID();
  await own.append([{ recordId }]);
  await using changes = await open(
    service,
    own.claims,
    `subscription ($after: String) { contactChanged(after: $after) { contactId } }`,
    { after: head },
  );
  expect(await changes.take(1)).toEqual([{ contactId: recordId }]);
});

it('skips to the head where nothing of the entities follows', async () => {
  const { pageInfo } = await pageOf({ entities: ['company'], after: encodeLogCursor(20) });
  expect(pageInfo).toMatchObject({
    hasNextPage: false,
    hasPreviousPage: true,
    endCursor: encodeLogCursor((await fixture.store.readHead(tenant.id)).seq),
  });
});

it('of a tenant without entities or events is empty', async () => {
  const empty = await fixture.addTenant();
  expect(await read({}, empty.claims)).toMatchObject({
    data: { changes: { nodes: [], pageInfo: { hasNextPage: false, endCursor: encodeLogCursor(0) } } },
  });
});

it('leaves out the records of entities that are gone', async () => {
  const own = await fixture.addTenant();
  await own.addEntity('contact');
  await own.addEntity('company');
  await own.append([{ entity: 'company' }, { entity: 'contact' }]);
  const changed = await own.changeDefinitions(
    `delete from entity_definitions where tenant_id = $1 and name = 'company'`,
  );
  const answer = (await service.execute({
    ...request(own.claims, `{ changes { nodes { entity } } }`),
    definitionsVersion: changed,
  })) as Message;
  expect(answer.data.changes.nodes).toEqual([{ entity: 'contact' }]);
});

it('cannot be made to read another tenant', async () => {
  const other = await fixture.addTenant();
  await other.addEntity('contact');
  expect((await read({ after: encodeLogCursor(0) }, other.claims)).data.changes.nodes).toEqual([]);
});

it.each([
  [{ first: -1 }, 'BAD_USER_INPUT', 'first'],
  [{ first: 1001 }, 'BAD_USER_INPUT', 'first'],
  [{ after: 'nonsense' }, 'BAD_USER_INPUT', 'after'],
  [{ after: encodeLogCursor(100_000) }, 'BAD_USER_INPUT', 'after'],
  [{ entities: ['planet'] }, 'NOT_FOUND', null],
])('refuses %o', async (variables, code, field) => {
  const { errors } = await read(variables);
  expect(errors?.[0]?.extensions).toMatchObject({ code, ...(field ? { fields: [{ field }] } : {}) });
});

it('says so when the changes after a cursor are gone', async () => {
  const own = await fixture.addTenant();
  await own.addEntity('contact');
  const last = await own.append([{}, {}, {}]);
  await fixture.superuser.query('update tenant_heads set trimmed_seq = $2 where tenant_id = $1', [
    own.id,
    last - 1,
  ]);
  await fixture.superuser.query('delete from events where tenant_id = $1 and seq < $2', [own.id, last]);
  const { errors } = await read({ after: encodeLogCursor(last - 2) }, own.claims);
  expect(errors?.[0]?.extensions).toEqual({ code: 'CURSOR_EXPIRED' });
  expect((await read({}, own.claims)).data.changes.nodes).toHaveLength(1);
});
