/** The product with another team's subgraph plugged in, as README tells to. */
import { createHmac } from 'node:crypto';
import { jwtVerify } from 'jose';
import { expect, it } from 'vitest';
import { servePlainSubgraph } from '#tests/integration/gateway/supergraph/served-subgraph.ts';
import { startProduct } from '#tests/harness/product.ts';
import { registerTenant } from '#tests/harness/tenant.ts';

const secret = 'a-secret-of-this-test-0123456789abcdef';
const sdl = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key", "@external", "@requires"])
  type Query { topReview: Review }
  type Review { text: String! contact: Contact author: User }
  type User @key(fields: "id") { id: ID! reviewCount: Int! }
  type Contact @key(fields: "id") { id: ID! name: String @external greeting: String @requires(fields: "name") }`;

it('extends each tenant’s own types, tells who asks, and stops nobody when it goes', async () => {
  let known: { id: string; contact: string } = { id: '', contact: '' };
  await using reviews = await servePlainSubgraph('reviews', sdl, {
    Query: { topReview: () => ({ text: 'fine', contact: { id: known.contact }, author: { id: known.id } }) },
    User: { __resolveReference: (it: object) => it, reviewCount: () => 3 },
    Contact: {
      __resolveReference: (it: object) => it,
      greeting: ({ name }: { name: string }) => `Hello ${name}`,
    },
  });
  await using product = await startProduct({
    env: { SUBGRAPH_SECRET: secret, EXTRA_SUBGRAPHS: `reviews=${reviews.url}` },
  });
  const acme = await registerTenant(product);
  const globex = await registerTenant(product);
  const createContact = `mutation { createEntity(input: { name: "contact", fields: [{ name: "name", type: TEXT }] }) { id } }`;
  await acme.admin.query(createContact);
  const { createContact: grace } = await acme.admin.query(
    'mutation { createContact(input: { name: "Grace" }) { id greeting createdBy { id reviewCount } } }',
  );
  expect(grace).toMatchObject({ greeting: 'Hello Grace', createdBy: { reviewCount: 3 } });
  known = { id: grace.createdBy.id, contact: grace.id };
  const query = '{ topReview { text author { email reviewCount } contact { name greeting } } }';
  expect((await acme.admin.query(query)).topReview).toEqual({
    text: 'fine',
    author: { email: acme.adminEmail, reviewCount: 3 },
    contact: { name: 'Grace', greeting: 'Hello Grace' },
  });

  // It names acme's contact and user to globex, whose graph it is in too once globex has contacts.
  await globex.admin.query(createContact);
  const foreign = await globex.admin.send(query);
  expect(JSON.stringify(foreign.data)).not.toContain('Grace');
  expect(JSON.stringify(foreign)).not.toContain(acme.adminEmail);

  const { headers } = reviews.seen.findLast(({ query: asked }) => asked.includes('topReview')) ?? {};
  const token = String((headers as Record<string, unknown>)['x-tenantry-claims']);
  const key = createHmac('sha256', secret).update('extra-subgraph:reviews').digest('hex');
  const { payload } = await jwtVerify(token, new TextEncoder().encode(key));
  expect(payload['claims']).toMatchObject({ tenantId: globex.id, role: 'ADMIN' });

  await reviews.stop();
  const part = await acme.admin.send('{ contacts { nodes { name greeting } } }');
  expect(part.data).toEqual({ contacts: { nodes: [{ name: 'Grace', greeting: null }] } });
  expect(part.errors?.[0]?.extensions.code).toBe('SUBGRAPH_UNAVAILABLE');
  expect((await fetch(`${product.url}/readyz`)).status).toBe(200);
});
