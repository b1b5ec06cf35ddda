/** Requests that no client of good will sends: each gets its code at once, and the product goes on. */
import { WebSocket } from 'ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startProduct, type Product } from '#tests/harness/product.ts';
import { registerTenant, type TestTenant } from '#tests/harness/tenant.ts';

let product: Product;
let tenant: TestTenant;
beforeAll(async () => {
  product = await startProduct();
  tenant = await registerTenant(product);
  await tenant.admin.query(
    `mutation { createEntity(input: { name: "doc", fields: [{ name: "title", type: TEXT }, { name: "day", type: DATE }] }) { id } }`,
  );
});
afterAll(() => product[Symbol.asyncDispose]());

function nested(levels: number, around: (inner: unknown) => unknown, inner: unknown): unknown {
  let value = inner;
  for (let level = 0; level < levels; level++) value = around(value);
  return value;
}

async function post(body: unknown): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${product.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${tenant.adminToken}` },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

describe('variables', () => {
  const filter = 'query ($filter: DocFilter) { docs(filter: $filter) { totalCount } }';
  const settings = 'mutation ($input: UpdateTenantInput!) { updateTenant(input: $input) { id } }';

  it.each([
    [
      'a filter of too many parts',
      filter,
      { filter: { or: Array.from({ length: 300_000 }, () => ({})) } },
      'maxValues',
    ],
    ['a filter of too many levels', filter, { filter: nested(1_400, (or) => ({ or: [or] }), {}) }, 'depth'],
    [
      'settings of too many levels',
      settings,
      { input: { settings: nested(3_000, (a) => ({ a }), 1) } },
      'depth',
    ],
  ])('that hold %s are refused by name', async (_name, query, variables, rule) => {
    const answer = await tenant.admin.send(query, variables);
    expect(answer.errors).toHaveLength(1);
    expect(answer.errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ rule }] });
    expect(JSON.stringify(answer.errors).length).toBeLessThan(1_000);
  });

  it('that a scalar refuses are named by their place, and not repeated', async () => {
    const answer = await tenant.admin.send(
      'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key } }',
      { input: { name: 'ci', expiresAt: `tomorrow${'!'.repeat(10_000)}` } },
    );
    expect(answer.errors?.[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: [{ field: 'input.expiresAt' }],
    });
    expect(answer.errors?.[0]?.message.length).toBeLessThan(300);
  });
});

describe('an operation', () => {
  it('with an empty name is one without', async () => {
    const query = 'query A { me { email } }';
    const data = { me: { email: tenant.adminEmail } };
    expect(await post({ query, operationName: '' })).toEqual({ status: 200, body: { data } });
  });

  it('of which a part fails leaves what was made usable in the next request', async () => {
    const partly = await tenant.admin.send(`mutation {
      made: createEntity(input: { name: "made", fields: [{ name: "a", type: TEXT }] }) { id }
      refused: createEntity(input: { name: "Query" }) { id }
    }`);
    expect(partly.data).toBeNull();
    expect(partly.errors?.[0]?.extensions.code).toBe('CONFLICT');
    expect((await tenant.admin.query('{ mades { totalCount } }')).mades.totalCount).toBe(0);
  });
});

describe('a body', () => {
  it.each(['{"query": ', '{"query":"{ me { id } }","variables":{"a":{"__proto__":{"b":1}}}}'])(
    'that is no JSON, or reaches for a prototype, is refused in words that say so: %s',
    async (body) => {
      const response = await fetch(`${product.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${tenant.adminToken}` },
        body,
      });
      expect(response.status).toBe(400);
      const { errors } = (await response.json()) as { errors: { message: string }[] };
      expect(errors[0]?.message).toMatch(/not JSON, or has a member named "__proto__"/);
    },
  );
});

describe('an answer', () => {
  it('that would multiply beyond any memory is refused, and the product goes on', async () => {
    await tenant.admin.query(`mutation { createEntity(input: { name: "node_", pluralName: "nodes_", fields: [
      { name: "up", type: RELATION, targetEntity: "node_", inverseName: "down" }
    ] }) { id } }`);
    const create = 'mutation ($inputs: [CreateNode_Input!]!) { createNodes_(inputs: $inputs) { id } }';
    const root = (await tenant.admin.query(create, { inputs: [{}] })).createNodes_[0].id;
    await tenant.admin.query(create, { inputs: Array.from({ length: 1_000 }, () => ({ upId: root })) });
    const down = (inner: string): string => `down(first: 1000) { nodes { up { ${inner} } } }`;
    const query = `query ($id: ID!) { node_(id: $id) { ${down(down(down(down('id'))))} } }`;
    const answer = await tenant.admin.send(query, { id: root });
    expect(answer.errors).toHaveLength(1);
    expect(answer.errors?.[0]?.extensions.code).toBe('QUERY_TOO_COMPLEX');
    const aliases = Array.from({ length: 300 }, (_, n) => `a${n}: nodes_(first: 1000) { nodes { id } }`);
    expect(await tenant.admin.codeOf(`{ ${aliases.join(' ')} }`)).toBe('QUERY_TOO_COMPLEX');
    const plain = await tenant.admin.query(`query ($id: ID!) { node_(id: $id) { ${down('id')} } }`, {
      id: root,
    });
    expect(plain.node_.down.nodes).toHaveLength(1_000);
  });
});

describe('a socket', () => {
  async function talk(...messages: object[]): Promise<{ code: number | null; received: unknown[] }> {
    const socket = new WebSocket(`${product.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    const received: unknown[] = [];
    const { promise, resolve } = Promise.withResolvers<number | null>();
    socket.on('open', () =>
      socket.send(
        JSON.stringify({
          type: 'connection_init',
          payload: { authorization: `Bearer ${tenant.adminToken}` },
        }),
      ),
    );
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as { type: string };
      received.push(message);
      if (message.type === 'connection_ack') for (const next of messages) socket.send(JSON.stringify(next));
      if (message.type === 'error' || message.type === 'complete') resolve(null);
    });
    socket.on('close', resolve);
    const code = await promise;
    socket.terminate();
    return { code, received };
  }

  it('that sends what only servers send is closed as a bad one, and nothing is logged as a fault', async () => {
    expect((await talk({ type: 'next', id: 'a', payload: {} })).code).toBe(4400);
    expect(product.output()).not.toContain('a WebSocket message failed');
  });

  it('gets a validation error where the schema forbids what a variable would decide', async () => {
    const query = 'subscription ($no: Boolean!) { docChanged @skip(if: $no) { cursor } }';
    const { received } = await talk({
      type: 'subscribe',
      id: 'a',
      payload: { query, variables: { no: true } },
    });
    expect(received.at(-1)).toMatchObject({
      type: 'error',
      payload: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }],
    });
  });

  it('runs an operation whose name is empty', async () => {
    const query = 'query A { me { email } }';
    const { received } = await talk({ type: 'subscribe', id: 'a', payload: { query, operationName: '' } });
    expect(received).toContainEqual({
      id: 'a',
      type: 'next',
      payload: { data: { me: { email: tenant.adminEmail } } },
    });
  });
});
