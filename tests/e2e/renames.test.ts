/** A rename through the whole product: who uses the old name notices nothing, also over an open socket. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startProduct, type Product } from '#tests/harness/product.ts';
import { registerTenant, type TestTenant } from '#tests/harness/tenant.ts';

let product: Product;
let tenant: TestTenant;

beforeAll(async () => {
  product = await startProduct();
  tenant = await registerTenant(product);
  await tenant.admin.query(
    `mutation { createEntity(input: { name: "ticket", fields: [{ name: "title", type: TEXT, isUnique: true }] }) { id } }`,
  );
});
afterAll(() => product[Symbol.asyncDispose]());

it('keeps requests and live subscriptions of the old names going, and serves the new ones beside them', async () => {
  await using changes = await tenant.admin.subscribe(
    `subscription { ticketChanged(filter: { title: { startsWith: "a" } }) { operation ticketId ticket { __typename title } changedFields } }`,
  );
  await tenant.admin.query(
    `mutation { renameEntity(name: "ticket", to: "issue") { name } renameField(entity: "issue", name: "title", to: "subject") { name } }`,
  );
  const { createIssue } = await tenant.admin.query(
    `mutation { createIssue(input: { subject: "a new one" }) { id subject } }`,
  );
  expect((await changes.next()).ticketChanged).toEqual({
    operation: 'CREATED',
    ticketId: createIssue.id,
    ticket: { __typename: 'Ticket', title: 'a new one' },
    changedFields: ['subject'],
  });
  await using later = await tenant.admin.subscribe(
    `subscription { issueChanged { issue { __typename subject title } } }`,
  );
  const { createTicket } = await tenant.admin.query(
    `mutation ($input: CreateTicketInput!) { createTicket(input: $input) { __typename title createdBy { email } } }`,
    { input: { title: 'another' } },
  );
  expect(createTicket).toEqual({
    __typename: 'Ticket',
    title: 'another',
    createdBy: { email: expect.any(String) },
  });
  expect((await later.next()).issueChanged.issue).toEqual({
    __typename: 'Issue',
    subject: 'another',
    title: 'another',
  });
  expect((await changes.next()).ticketChanged.ticket.title).toBe('another');
  const { tickets, issueBySubject, __type } = await tenant.admin.query(
    `{ tickets(orderBy: [{ title: ASC }]) { nodes { title } } issueBySubject(subject: "another") { title }
       __type(name: "Issue") { fields(includeDeprecated: true) { name isDeprecated deprecationReason } } }`,
  );
  expect(tickets.nodes.map((node: { title: string }) => node.title)).toEqual(['a new one', 'another']);
  expect(issueBySubject).toEqual({ title: 'another' });
  expect(__type.fields).toContainEqual({
    name: 'title',
    isDeprecated: true,
    deprecationReason: 'It is named subject now.',
  });

  await tenant.admin.query(`mutation { dropAlias(entity: "issue", alias: "ticket") { aliases } }`);
  await expect(changes.next()).rejects.toThrow(/ticket/i);
  expect(await tenant.admin.codeOf(`{ tickets { totalCount } }`)).toBe('GRAPHQL_VALIDATION_FAILED');
});

it('serves what a document defines in the next request', async () => {
  const { exportDefinitions } = await tenant.admin.query(`{ exportDefinitions }`);
  exportDefinitions.entities[0].fields.push({ name: 'weight', type: 'NUMBER' });
  const { applyDefinitions } = await tenant.admin.query(
    `mutation ($definitions: JSON!) { applyDefinitions(definitions: $definitions) { losesData steps { kind entity field } } }`,
    { definitions: exportDefinitions },
  );
  expect(applyDefinitions).toEqual({
    losesData: false,
    steps: [{ kind: 'CREATE', entity: 'issue', field: 'weight' }],
  });
  const { createIssue } = await tenant.admin.query(
    `mutation { createIssue(input: { weight: 2.5 }) { weight } }`,
  );
  expect(createIssue).toEqual({ weight: 2.5 });
});
