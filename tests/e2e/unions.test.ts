/** A relation to one of several entities through the whole product: fragments over three subgraphs, and an open socket. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startProduct, type Product } from '#tests/harness/product.ts';
import { registerTenant, type TestTenant } from '#tests/harness/tenant.ts';

let product: Product;
let tenant: TestTenant;

beforeAll(async () => {
  product = await startProduct();
  tenant = await registerTenant(product, { templates: ['crm'] });
});
afterAll(() => product[Symbol.asyncDispose]());

const regarding = `regardingId regardingType regarding {
  __typename
  ... on Client { name createdBy { email } activities { totalCount } }
  ...P
}`;
const fragment = `fragment P on Project { code title: name client { name createdBy { email } } }`;

it('reads and follows the members of the union, each with fields of other subgraphs', async () => {
  const createdBy = { email: tenant.adminEmail };
  const { createClient } = await tenant.admin.query(
    `mutation { createClient(input: { name: "Acme", projects: { create: [{ name: "Site", code: "WEB-1" }] } }) { id projects { nodes { id } } } }`,
  );
  const [project] = createClient.projects.nodes;
  await using changes = await tenant.admin.subscribe(
    `subscription { activityChanged(filter: { regardingType: { in: [CLIENT, PROJECT] } }) { operation changedFields activity { subject ${regarding} } } } ${fragment}`,
  );
  const create = `mutation ($input: CreateActivityInput!) { createActivity(input: $input) { id ${regarding} } } ${fragment}`;
  const aboutClient = {
    regardingId: createClient.id,
    regardingType: 'CLIENT',
    regarding: { __typename: 'Client', name: 'Acme', createdBy, activities: { totalCount: 1 } },
  };
  const aboutProject = {
    regardingId: project.id,
    regardingType: 'PROJECT',
    regarding: {
      __typename: 'Project',
      code: 'WEB-1',
      title: 'Site',
      client: { name: 'Acme', createdBy },
    },
  };
  const { createActivity: call } = await tenant.admin.query(create, {
    input: { subject: 'Call', regarding: { connect: { client: createClient.id } } },
  });
  expect(call).toEqual({ id: call.id, ...aboutClient });
  await tenant.admin.query(create, {
    input: { subject: 'Review', regardingId: project.id, regardingType: 'PROJECT' },
  });
  await tenant.admin.query(create, { input: { subject: 'Nothing' } });
  const told = (await changes.take(2)).map((event) => event.activityChanged.activity);
  expect(told).toEqual([
    { subject: 'Call', ...aboutClient },
    { subject: 'Review', ...aboutProject },
  ]);

  const { activities } = await tenant.admin.query(
    `{ activities(filter: { regarding: { isNull: false } }, orderBy: [{ subject: ASC }]) { nodes { subject ${regarding} } } } ${fragment}`,
  );
  expect(activities.nodes).toEqual([
    { subject: 'Call', ...aboutClient },
    { subject: 'Review', ...aboutProject },
  ]);
  const { some } = await tenant.admin.query(
    `{ some: clients(filter: { activities: { some: { subject: { eq: "Call" } } } }) { nodes { name } } }`,
  );
  expect(some.nodes).toEqual([{ name: 'Acme' }]);
});

it('knows nothing of another tenant’s records, by whatever name', async () => {
  const other = await registerTenant(product, { templates: ['crm'] });
  const { createClient } = await other.admin.query(
    `mutation { createClient(input: { name: "Other" }) { id } }`,
  );
  for (const input of [
    { subject: 'x', regarding: { connect: { client: createClient.id } } },
    { subject: 'x', regardingId: createClient.id, regardingType: 'CLIENT' },
    { subject: 'x', regardingId: createClient.id, regardingType: 'PROJECT' },
  ]) {
    const answer = await tenant.admin.send(
      `mutation ($input: CreateActivityInput!) { createActivity(input: $input) { id } }`,
      { input },
    );
    expect(answer.errors?.[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: [{ rule: 'relation' }],
    });
  }
});
