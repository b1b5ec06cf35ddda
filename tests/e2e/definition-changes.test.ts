/** A tenant's graph changes under load: seen at once by its own clients, by nobody else, and without one failed request. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startProduct, type Product } from '#tests/harness/product.ts';
import { registerTenant, type TestTenant } from '#tests/harness/tenant.ts';

let product: Product;
let changing: TestTenant;
let other: TestTenant;

const define = `mutation { createEntity(input: { name: "item", fields: [{ name: "name", type: TEXT }] }) { id } }`;
const fieldsOfItem = `{ __type(name: "Item") { fields { name } } input: __type(name: "CreateItemInput") { inputFields { name } } filter: __type(name: "ItemFilter") { inputFields { name } } }`;

beforeAll(async () => {
  product = await startProduct();
  [changing, other] = await Promise.all([registerTenant(product), registerTenant(product)]);
  await Promise.all([changing.admin.query(define), other.admin.query(define)]);
});
afterAll(() => product[Symbol.asyncDispose]());

interface ChangePage {
  nodes: { operation: string; recordId: string }[];
  pageInfo: { hasNextPage: boolean; endCursor: string };
}

/** The ids of all records that the log says were created, read to its end. */
async function createdIds(tenant: TestTenant): Promise<string[]> {
  const ids: string[] = [];
  let after: string | null = null;
  for (;;) {
    const { changes }: { changes: ChangePage } = await tenant.admin.query(
      `query ($after: String) { changes(first: 500, after: $after) { nodes { operation recordId } pageInfo { hasNextPage endCursor } } }`,
      { after },
    );
    for (const node of changes.nodes) if (node.operation === 'CREATED') ids.push(node.recordId);
    if (!changes.pageInfo.hasNextPage) return ids;
    after = changes.pageInfo.endCursor;
  }
}

it('shows a new field in the next request, while another tenant and the tenant’s own writers go on undisturbed', async () => {
  let running = true;
  let otherRequests = 0;
  const loop = (async () => {
    while (running) {
      const { __type } = await other.admin.query(
        `{ items { totalCount } __type(name: "Item") { fields { name } } }`,
      );
      expect(__type.fields.map((field: { name: string }) => field.name)).not.toContain('colour0');
      otherRequests += 1;
    }
  })();
  const written: string[] = [];
  const writers = Array.from({ length: 3 }, async (_, writer) => {
    for (let index = 0; running || index < 20; index += 1) {
      const { createItem } = await changing.admin.query(
        `mutation ($name: String) { createItem(input: { name: $name }) { id } }`,
        {
          name: `w${writer}-${index}`,
        },
      );
      written.push(createItem.id);
    }
  });

  for (let index = 0; index < 5; index += 1) {
    const name = `colour${index}`;
    await changing.admin.query(
      `mutation ($name: String!) { createField(entity: "item", input: { name: $name, type: TEXT }) { id } }`,
      { name },
    );
    // The very next request uses it.
    const { createItem } = await changing.admin.query(
      `mutation { createItem(input: { name: "painted", ${name}: "red" }) { id ${name} } }`,
    );
    written.push(createItem.id);
    expect(createItem[name]).toBe('red');
    const found = await changing.admin.query(
      `{ items(filter: { ${name}: { eq: "red" } }) { nodes { id } } }`,
    );
    expect(found.items.nodes).toEqual([{ id: createItem.id }]);
    const { __type, input, filter } = await changing.admin.query(fieldsOfItem);
    for (const members of [__type.fields, input.inputFields, filter.inputFields]) {
      expect(members.map((member: { name: string }) => member.name)).toContain(name);
    }
  }
  running = false;
  await Promise.all([loop, ...writers]);
  expect(otherRequests).toBeGreaterThan(0);
  const { items } = await changing.admin.query(`{ items { totalCount } }`);
  expect(items.totalCount).toBe(written.length);
  expect((await createdIds(changing)).toSorted()).toEqual(written.toSorted());
});

it('keeps a live subscription over a change of its graph, and ends one that no longer fits with a clear error', async () => {
  await changing.admin.query(
    `mutation { createEntity(input: { name: "ticket", fields: [{ name: "title", type: TEXT }, { name: "mood", type: TEXT }] }) { id } }`,
  );
  await using titles = await changing.admin.subscribe(`subscription { ticketChanged { ticket { title } } }`);
  await using moods = await changing.admin.subscribe(`subscription { ticketChanged { ticket { mood } } }`);
  await changing.admin.query(`mutation { deleteField(entity: "ticket", name: "mood") }`);
  await expect(moods.next()).rejects.toThrow(/mood/);
  await changing.admin.query(`mutation { createTicket(input: { title: "still here" }) { id } }`);
  expect((await titles.next()).ticketChanged.ticket).toEqual({ title: 'still here' });
});

it('tells the admin why a definition is refused and changes nothing', async () => {
  const before = await changing.admin.query(`{ entityDefinitions { name } }`);
  for (const name of [
    '__type',
    'Query',
    'query',
    'user',
    'User',
    'Contact"; drop table records; --',
    'a b',
    '',
    'x'.repeat(300),
    'item',
    'ITEM',
  ]) {
    const answer = await changing.admin.send(
      `mutation ($input: CreateEntityInput!) { createEntity(input: $input) { id } }`,
      {
        input: { name, fields: [{ name: 'title', type: 'TEXT' }] },
      },
    );
    expect(['BAD_USER_INPUT', 'CONFLICT'], name).toContain(answer.errors?.[0]?.extensions.code);
  }
  for (const name of ['id', 'version', 'createdAt', '__typename', 'and', 'a-b', '$me', 'na\u0000me']) {
    const code = await changing.admin.codeOf(
      `mutation ($input: FieldInput!) { createField(entity: "item", input: $input) { id } }`,
      {
        input: { name, type: 'TEXT' },
      },
    );
    expect(['BAD_USER_INPUT', 'CONFLICT'], name).toContain(code);
  }
  expect(await changing.admin.query(`{ entityDefinitions { name } }`)).toEqual(before);
});
