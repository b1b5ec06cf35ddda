/** The demo tenant's records fit the template's own rules, once. */
import { expect, it } from 'vitest';
import { createDemoData } from '#subgraphs/entities/templates/demo-data.ts';
import { type Anything, createEntitiesFixture } from './fixture.ts';

it('fills a tenant that has the template crm, once', async () => {
  await using fixture = await createEntitiesFixture();
  const tenant = await fixture.addTenant();
  const load = async () => {
    const model = await fixture.service.definitions.models.get(tenant.claims, null);
    return createDemoData({ records: fixture.records, model, claims: tenant.claims, requestId: 'demo' });
  };
  await expect(load()).rejects.toThrow('apply the template crm first');
  await tenant.query(`mutation { applyTemplate(name: "crm") { name } }`);
  expect(await load()).toBe(195);
  expect(await load()).toBe(0);
  const { clients, projects, activities } = await tenant.query(
    `{ clients(filter: { projects: { some: { status: { eq: ACTIVE } } } }, orderBy: [{ name: ASC }]) { totalCount nodes { name projects { totalCount nodes { name activities { totalCount } } } } }
       projects { totalCount } activities(filter: { or: [{ regarding: { client: { country: { eq: "CH" } } } }, { regarding: { project: { client: { country: { eq: "CH" } } } } }] }) { totalCount nodes { regardingType regarding { ... on Client { country } ... on Project { client { country } } } } } }`,
  );
  expect(projects.totalCount).toBe(45);
  expect(clients.totalCount).toBeGreaterThan(5);
  for (const client of clients.nodes) expect(client.projects.totalCount).toBeGreaterThan(0);
  expect(new Set(activities.nodes.map((activity: Anything) => activity.regardingType))).toEqual(
    new Set(['CLIENT', 'PROJECT']),
  );
  for (const { regarding } of activities.nodes)
    expect(regarding.country ?? regarding.client.country).toBe('CH');
});
