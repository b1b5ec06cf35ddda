/** The filter language, pages and lookups as the generated API has them: through relations both ways, and negated. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Anything,
  createEntitiesFixture,
  type EntitiesFixture,
  type EntitiesTenant,
} from './fixture.ts';

let fixture: EntitiesFixture;
let tenant: EntitiesTenant;
const ids = new Map<string, string>();

beforeAll(async () => {
  fixture = await createEntitiesFixture();
  tenant = await fixture.addTenant();
  const options = ['HOT', 'COLD', 'OLD'].map((value) => ({ value, label: value }));
  await tenant.createEntity({ name: 'company', fields: [{ name: 'name', type: 'TEXT' }] });
  await tenant.createEntity({
    name: 'contact',
    fields: [
      { name: 'name', type: 'TEXT' },
      { name: 'email', type: 'EMAIL', isUnique: true },
      { name: 'code', type: 'INTEGER', isUnique: true, isFilterable: true },
      { name: 'tags', type: 'MULTI_SELECT', options },
      {
        name: 'company',
        type: 'RELATION',
        targetEntity: 'company',
        inverseName: 'contacts',
        isUnique: false,
      },
      { name: 'boss', type: 'RELATION', targetEntity: 'contact', inverseName: 'team' },
    ],
  });
  await tenant.createEntity({
    name: 'deal',
    fields: [
      { name: 'title', type: 'TEXT' },
      { name: 'amount', type: 'NUMBER' },
      { name: 'contact', type: 'RELATION', targetEntity: 'contact', inverseName: 'deals' },
    ],
  });
  const create = async (entity: string, inputs: Record<string, unknown>[]): Promise<void> => {
    for (const input of inputs) {
      const type = entity.charAt(0).toUpperCase() + entity.slice(1);
      const data = await tenant.query(
        `mutation ($input: Create${type}Input!) { create${type}(input: $input) { id } }`,
        { input },
      );
      ids.set(String(input['name'] ?? input['title']), data[`create${type}`].id);
    }
  };
  await create('company', [{ name: 'Acme' }, { name: 'Globex' }, { name: 'Empty' }]);
  const person = (name: string, company: string | null, boss: string | null, tags: string[] | null) => ({
    name,
    email: `${name.normalize('NFD').replace(/[^a-z]/gi, '')}@example.com`,
    code: ids.size,
    tags,
    companyId: company && ids.get(company),
    bossId: boss && ids.get(boss),
  });
  await create('contact', [person('Ada', 'Acme', null, ['HOT', 'OLD'])]);
  await create('contact', [person('Björn', 'Acme', 'Ada', ['COLD'])]);
  await create('contact', [person('Cy', 'Globex', 'Björn', [])]);
  await create('contact', [person('Dee', null, 'Ada', null)]);
  await create('deal', [
    { title: 'small', amount: 1, contactId: ids.get('Ada') },
    { title: 'large', amount: 100, contactId: ids.get('Ada') },
    { title: 'middle', amount: 10, contactId: ids.get('Cy') },
    { title: 'loose', amount: 5 },
  ]);
});
afterAll(() => fixture[Symbol.asyncDispose]());

const namesOf = async (
  entity: 'companies' | 'contacts',
  filter: Record<string, unknown>,
): Promise<string[]> => {
  const type = entity === 'companies' ? 'Company' : 'Contact';
  const data = await tenant.query(
    `query ($filter: ${type}Filter) { ${entity}(filter: $filter, orderBy: [{ name: ASC }]) { nodes { name } totalCount } }`,
    { filter },
  );
  expect(data[entity].totalCount).toBe(data[entity].nodes.length);
  return data[entity].nodes.map((node: { name: string }) => node.name);
};

const all = ['Ada', 'Björn', 'Cy', 'Dee'];
describe('contacts', () => {
  it.each<[string, Record<string, unknown>, string[]]>([
    ['a related record is there', { company: {} }, ['Ada', 'Björn', 'Cy']],
    ['a related record matches', { company: { name: { eq: 'Acme' } } }, ['Ada', 'Björn']],
    ['is', { company: { is: { name: { eq: 'Acme' } } } }, ['Ada', 'Björn']],
    ['isNot, those without included', { company: { isNot: { name: { eq: 'Acme' } } } }, ['Cy', 'Dee']],
    ['isNot of anything: there is none', { company: { isNot: {} } }, ['Dee']],
    ['not within: there is one, another', { company: { not: { name: { eq: 'Acme' } } } }, ['Cy']],
    ['is and isNot', { company: { is: {}, isNot: { name: { startsWith: 'A' } } } }, ['Cy']],
    ['isNot within isNot', { boss: { isNot: { company: { isNot: { name: { eq: 'Acme' } } } } } }, all],
    ['isNot at the top', { isNot: { name: { eq: 'Ada' } } }, ['Björn', 'Cy', 'Dee']],
    ['the id of a relation', { companyId: { isNull: true } }, ['Dee']],
    ['some', { deals: { some: { amount: { gt: 50 } } } }, ['Ada']],
    ['none', { deals: { none: { amount: { gt: 5 } } } }, ['Björn', 'Dee']],
    ['every, vacuously as well', { deals: { every: { amount: { gte: 10 } } } }, ['Björn', 'Cy', 'Dee']],
    ['some and every', { deals: { some: {}, every: { amount: { gte: 10 } } } }, ['Cy']],
    ['two steps of oneself', { boss: { boss: { name: { eq: 'Ada' } } } }, ['Cy']],
    ['down and up again', { team: { some: { company: { name: { eq: 'Acme' } } } } }, ['Ada']],
    [
      'four relations deep, both ways',
      {
        company: { contacts: { some: { team: { some: { deals: { some: { title: { eq: 'middle' } } } } } } } },
      },
      ['Ada', 'Björn'],
    ],
    ['none below every', { team: { every: { deals: { none: {} } } } }, ['Ada', 'Cy', 'Dee']],
    [
      'or of a relation and a field',
      { or: [{ company: { isNot: {} } }, { name: { eq: 'Cy' } }] },
      ['Cy', 'Dee'],
    ],
    ['text without accents and case', { name: { contains: 'JOR', mode: 'INSENSITIVE' } }, ['Björn']],
    ['text exactly', { name: { contains: 'jor' } }, []],
    ['several of some', { tags: { some: ['HOT', 'COLD'] } }, ['Ada', 'Björn']],
    ['every one', { tags: { every: ['HOT', 'OLD'] } }, ['Ada']],
    ['none, also without a value', { tags: { none: ['HOT', 'COLD'] } }, ['Cy', 'Dee']],
    ['notIn, also without a value', { companyId: { notIn: [] } }, all],
  ])('%s', async (_what, filter, names) => {
    expect(await namesOf('contacts', filter)).toEqual(names);
  });

  it('twelve relations deep, and no deeper', async () => {
    const nested = (depth: number): Record<string, unknown> =>
      depth === 0 ? { name: { eq: 'Ada' } } : { boss: nested(depth - 1) };
    expect(await namesOf('contacts', nested(12))).toEqual([]);
    const refusal = await tenant.refusal(
      'query ($filter: ContactFilter) { contacts(filter: $filter) { totalCount } }',
      {
        filter: nested(13),
      },
    );
    expect(refusal).toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ rule: 'depth' }] });
  });

  it('no more conditions than 500, however they are nested', async () => {
    let filter: Record<string, unknown> = { name: { eq: 'Ada' } };
    for (let n = 0; n < 510; n++) filter = { is: filter };
    const refusal = await tenant.refusal(
      'query ($filter: ContactFilter) { contacts(filter: $filter) { totalCount } }',
      {
        filter,
      },
    );
    expect(refusal).toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ rule: 'maxLength' }] });
  });
});

describe('companies, from the other end', () => {
  it.each<[string, Record<string, unknown>, string[]]>([
    ['some', { contacts: { some: { name: { eq: 'Cy' } } } }, ['Globex']],
    ['none', { contacts: { none: { deals: { some: {} } } } }, ['Empty']],
    ['every', { contacts: { every: { boss: { isNot: {} } } } }, ['Empty']],
    ['every, negated', { not: { contacts: { every: { deals: { some: {} } } } } }, ['Acme']],
  ])('%s', async (_what, filter, names) => {
    expect(await namesOf('companies', filter)).toEqual(names);
  });
});

it('a field of that name comes before isNot', async () => {
  await tenant.createEntity({ name: 'parcel', fields: [{ name: 'isNot', type: 'TEXT' }] });
  await tenant.query('mutation { createParcel(input: { isNot: "here" }) { id } }');
  const { parcels } = await tenant.query('{ parcels(filter: { isNot: { eq: "here" } }) { totalCount } }');
  expect(parcels.totalCount).toBe(1);
  expect(
    (await tenant.refusal('{ parcels(filter: { isNot: { id: { eq: "x" } } }) { totalCount } }')).message,
  ).toMatch(/StringComparison/);
});

describe('one record by a unique field', () => {
  it('is found by its value, and null where there is none, or it was deleted', async () => {
    const { contactByEmail, contactByCode } = await tenant.query(
      '{ contactByEmail(email: "ADA@example.com") { name } contactByCode(code: 4) { name } }',
    );
    expect(contactByEmail).toEqual({ name: 'Ada' });
    expect(contactByCode).toEqual({ name: 'Björn' });
    const nobody = await tenant.query(
      '{ a: contactByEmail(email: "nobody@example.com") { id } b: contactByCode(code: -1) { id } }',
    );
    expect(nobody).toEqual({ a: null, b: null });
    const { createContact } = await tenant.query(
      'mutation { createContact(input: { email: "gone@example.com" }) { id } }',
    );
    await tenant.query('mutation ($id: ID!) { deleteContact(id: $id) { id } }', { id: createContact.id });
    expect(
      (await tenant.query('{ contactByEmail(email: "gone@example.com") { id } }')).contactByEmail,
    ).toBeNull();
  });

  it("is never another tenant's", async () => {
    const other = await fixture.addTenant();
    await other.createEntity({
      name: 'contact',
      fields: [{ name: 'email', type: 'EMAIL', isUnique: true }],
    });
    expect(
      (await other.query('{ contactByEmail(email: "ada@example.com") { id } }')).contactByEmail,
    ).toBeNull();
  });
});

describe('pages by number', () => {
  const page = async (args: string): Promise<Anything> =>
    (
      await tenant.query(
        `{ contacts(${args}) { nodes { name } totalCount pageInfo { hasNextPage hasPreviousPage } } }`,
      )
    ).contacts;
  const named = 'filter: { name: { isNull: false } }, orderBy: [{ name: ASC }]';

  it('skip what is before them and know what there is', async () => {
    const pages = await Promise.all([0, 2, 4].map((offset) => page(`${named}, first: 2, offset: ${offset}`)));
    expect(pages.map(({ nodes }) => nodes.map((node: Anything) => node.name))).toEqual([
      ['Ada', 'Björn'],
      ['Cy', 'Dee'],
      [],
    ]);
    expect(pages.map(({ pageInfo }) => [pageInfo.hasPreviousPage, pageInfo.hasNextPage])).toEqual([
      [false, true],
      [true, false],
      [true, false],
    ]);
    for (const { totalCount } of pages) expect(totalCount).toBe(4);
  });

  it.each([
    ['offset: -1', 'offset', 'range'],
    ['offset: 1000001', 'offset', 'range'],
    ['offset: 1, after: "x"', 'offset', 'exclusive'],
    ['offset: 1, before: "x"', 'offset', 'exclusive'],
    ['offset: 1, last: 1', 'offset', 'exclusive'],
    ['first: 0', 'first', 'range'],
    ['last: 1001', 'last', 'range'],
  ])('refuse %s', async (args, field, rule) => {
    const refusal = await tenant.refusal(`{ contacts(${args}) { totalCount } }`);
    expect(refusal).toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ field, rule }] });
  });
});

describe('deleted records', () => {
  it('are listed for USER and above, and counted; a viewer is refused', async () => {
    const { createDeal } = await tenant.query('mutation { createDeal(input: { title: "lost" }) { id } }');
    await tenant.query('mutation ($id: ID!) { deleteDeal(id: $id) { id } }', { id: createDeal.id });
    const titles = 'filter: { title: { eq: "lost" } }';
    const user = tenant.as({ role: 'USER' });
    const shown = await user.query(
      `{ deals(${titles}, includeDeleted: true) { nodes { title deletedAt } totalCount } dealsAggregate(${titles}, includeDeleted: true) { count } }`,
    );
    expect(shown).toEqual({
      deals: { nodes: [{ title: 'lost', deletedAt: expect.any(String) }], totalCount: 1 },
      dealsAggregate: [{ count: 1 }],
    });
    const hidden = await user.query(
      `{ deals(${titles}) { totalCount } aggregate: dealsAggregate(${titles}, includeDeleted: false) { count } }`,
    );
    expect(hidden).toEqual({ deals: { totalCount: 0 }, aggregate: [{ count: 0 }] });

    const viewer = tenant.as({ role: 'VIEWER' });
    for (const query of [
      '{ deals(includeDeleted: true) { totalCount } }',
      '{ dealsAggregate(includeDeleted: true) { count } }',
    ]) {
      expect((await viewer.refusal(query)).code).toBe('FORBIDDEN');
    }
    expect((await viewer.query('{ deals(includeDeleted: false) { totalCount } }')).deals.totalCount).toBe(4);
  });
});
