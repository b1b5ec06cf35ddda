/** The thin path through everything: start, register, define, write, read, subscribe. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startProduct, type Product } from '#tests/harness/product.ts';
import { registerTenant } from '#tests/harness/tenant.ts';

let product: Product;
let dataFolder: string;
beforeAll(async () => {
  dataFolder = await mkdtemp(join(tmpdir(), 'tenantry-first-path-'));
  product = await startProduct({ dataFolder });
});
afterAll(async () => {
  await product[Symbol.asyncDispose]();
  await rm(dataFolder, { recursive: true, force: true });
});

it('registers a tenant, defines an entity, and the next request reads, writes and subscribes to that type', async () => {
  const tenant = await registerTenant(product);
  const { createEntity } = await tenant.admin.query(
    `mutation ($input: CreateEntityInput!) { createEntity(input: $input) { name pluralName fields { name type isRequired } } }`,
    {
      input: {
        name: 'contact',
        pluralName: 'contacts',
        fields: [
          { name: 'name', type: 'TEXT', isRequired: true },
          { name: 'age', type: 'INTEGER' },
        ],
      },
    },
  );
  expect(createEntity).toEqual({
    name: 'contact',
    pluralName: 'contacts',
    fields: [
      { name: 'name', type: 'TEXT', isRequired: true },
      { name: 'age', type: 'INTEGER', isRequired: false },
    ],
  });

  await using changes = await tenant.admin.subscribe(
    `subscription { contactChanged { operation contactId changedFields contact { name age createdBy { email } } actor { email } } }`,
  );
  const { createContact } = await tenant.admin.query(
    `mutation { createContact(input: { name: "Ada", age: 36 }) { id name age version createdBy { email } } }`,
  );
  expect(createContact).toMatchObject({
    name: 'Ada',
    age: 36,
    version: 1,
    createdBy: { email: tenant.adminEmail },
  });

  const list = await tenant.admin.query(
    `{ contacts(filter: { age: { gt: 30 } }) { totalCount nodes { id name } } }`,
  );
  expect(list.contacts).toEqual({ totalCount: 1, nodes: [{ id: createContact.id, name: 'Ada' }] });

  const event = await changes.next();
  expect(event.contactChanged).toMatchObject({
    operation: 'CREATED',
    contactId: createContact.id,
    contact: { name: 'Ada', age: 36, createdBy: { email: tenant.adminEmail } },
    actor: { email: tenant.adminEmail },
  });
});

it('serves the API key of registration, and the data survives a restart', async () => {
  const tenant = await registerTenant(product);
  const service = product.client({ authorization: `ApiKey ${tenant.apiKey}` });
  await service.query(
    `mutation { createEntity(input: { name: "note", fields: [{ name: "text", type: "TEXT" }] }) { id } }`.replaceAll(
      '"TEXT"',
      'TEXT',
    ),
  );
  await service.query(`mutation { createNote(input: { text: "keep me" }) { id } }`);
  const before = await service.query(`{ notes { nodes { id text createdAt } } }`);

  expect(await product.stop('SIGTERM')).toBe(0);
  product = await startProduct({ dataFolder });
  const after = await product
    .client({ authorization: `ApiKey ${tenant.apiKey}` })
    .query(`{ notes { nodes { id text createdAt } } }`);
  expect(after).toEqual(before);
});

it('says so when its port or its data is in use, and ends', async () => {
  const { port } = new URL(product.url);
  await expect(startProduct({ env: { PORT: port } })).rejects.toThrow(`Port ${port} of 127.0.0.1 is in use`);
  await expect(startProduct({ dataFolder })).rejects.toThrow('Stop the other instance of the product');
});
