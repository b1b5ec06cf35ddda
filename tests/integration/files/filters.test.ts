/** Files are found by what is known of them. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { compilePredicate } from '#subgraphs/model/filter/predicate.ts';
import type { EntitiesTenant } from '../entities/fixture.ts';
import { createContact, createFilesBench, defineContact, type FilesBench } from './files-bench.ts';

let bench: FilesBench;
let fixture: FilesBench['fixture'];
let upload: FilesBench['upload'];
let tenant: EntitiesTenant;
beforeAll(async () => {
  bench = await createFilesBench();
  ({ fixture, upload } = bench);
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(async () => {
  tenant = await fixture.addTenant();
});

it('is found by its members, in the database as in memory', async () => {
  await defineContact(tenant);
  const names = ['Résumé.TXT', 'resume.txt', 'b_%.png', 'ünï', 'x'.repeat(220), `${'x'.repeat(220)}Y`];
  for (const [i, name] of names.entries()) {
    const scan = await upload(tenant, 'z'.repeat(i), name);
    await tenant.query(createContact, { input: { name: String(i), scan } });
  }
  await tenant.query(createContact, { input: { name: 'none' } });
  const model = await fixture.service.definitions.models.get(tenant.claims, null);
  const entity = model.entityByName.get('contact')!;
  const context = { claims: tenant.claims, model, requestId: 'test' };
  const all = (await fixture.records.list(context, { entity, first: 100 })).edges.map((edge) => edge.record);
  const ids = all.map(({ data }) => (data['scan'] as { id?: string } | undefined)?.id ?? '');
  const texts = [...names, 'RESUME.txt', 'x', '', '%'];
  const comparisons: Record<string, unknown>[] = [
    { isNull: true },
    { isNull: false },
    ...ids
      .slice(0, 3)
      .flatMap((id) => [{ id: { eq: id } }, { id: { ne: id } }, { id: { in: [id, 'no id'] } }]),
    ...texts.flatMap((text) =>
      ['DEFAULT', 'INSENSITIVE'].flatMap((mode) =>
        ['eq', 'ne', 'contains', 'startsWith', 'endsWith', 'lt', 'gte'].map((operator) => ({
          name: { [operator]: text, mode },
        })),
      ),
    ),
    { name: { in: [names[0], names[4]], mode: 'INSENSITIVE' } },
    { contentType: { startsWith: 'text/' } },
    { contentType: { notIn: ['text/plain'] } },
    { size: { gt: 1, lte: 3 } },
    { size: { in: [0, 5] } },
    { size: { isNull: true } },
    { name: { isNull: false }, size: { lt: 4 } },
  ];
  for (const comparison of comparisons) {
    for (const filter of [{ scan: comparison }, { not: { scan: comparison } }]) {
      const matches = compilePredicate(model, entity, filter);
      const page = await fixture.records.list(context, { entity, filter, first: 100 });
      expect(
        page.edges.map((edge) => edge.record.id),
        JSON.stringify(filter),
      ).toEqual(all.filter((record) => matches(record) === true).map((record) => record.id));
    }
  }
});

it.each([
  ['{ scan: { createdAt: { isNull: true } } }', 'createdAt'],
  ['{ scan: { eq: "x" } }', 'eq'],
  ['{ scan: { size: { contains: "x" } } }', 'contains'],
])('cannot be compared by anything else: %s', async (filter, member) => {
  await defineContact(tenant);
  const refused = await tenant.refusal(`{ contacts(filter: ${filter}) { totalCount } }`);
  expect(refused.message).toContain(member);
});
