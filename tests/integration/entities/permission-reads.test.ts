/** Reads of who is held to permissions: which records there are, and every way to a hidden field that was thought of. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEntitiesFixture, type EntitiesFixture, type EntitiesTenant } from './fixture.ts';
import { createFirm, type Firm, namesOf, setPermissions } from './permission-fixture.ts';

let fixture: EntitiesFixture;
let firm: Firm;
let user: EntitiesTenant;
let admin: EntitiesTenant;

beforeAll(async () => {
  fixture = await createEntitiesFixture();
  firm = await createFirm(fixture);
  ({ user, admin } = firm);
});
afterAll(() => fixture[Symbol.asyncDispose]());

const entities = (selection: string): string =>
  `query ($representations: [_Any!]!) { _entities(representations: $representations) { ${selection} } }`;
const contactRef = (name: string) => ({ __typename: 'Contact', id: firm.ids[name] });

describe('a hidden field is refused', () => {
  const salary = '"salary" of "contact"';
  const ssn = '"ssn" of "contact"';
  const boss = '"boss" of "contact"';
  const secret = '"secret" of "company"';
  const attacks: [string, string, string, Record<string, unknown>?][] = [
    ['selected', salary, '{ contacts { nodes { salary } } }'],
    ['under an alias', salary, '{ contacts { nodes { name: salary } } }'],
    ['in edges', salary, '{ contacts { edges { node { id salary } } } }'],
    [
      'in a fragment',
      salary,
      '{ contacts { nodes { ...A } } } fragment A on Contact { id ...B } fragment B on Contact { salary }',
    ],
    ['in an inline fragment', salary, '{ contacts { nodes { ... { ... on Contact { salary } } } } }'],
    [
      'in a fragment of the page',
      salary,
      '{ contacts { ...P } } fragment P on ContactConnection { nodes { salary } }',
    ],
    [
      'by a variable',
      salary,
      'query ($yes: Boolean!) { contacts { nodes { salary @include(if: $yes) } } }',
      { yes: true },
    ],
    [
      'by skip',
      salary,
      'query ($no: Boolean = false) { contacts { nodes { ... @skip(if: $no) { salary } } } }',
    ],
    ['of one record', salary, `{ contact(id: "${randomUUID()}") { salary } }`],
    ['as a relation', boss, '{ contacts { nodes { boss { name } } } }'],
    ['as a relation id', boss, '{ contacts { nodes { bossId } } }'],
    ['as an inverse', boss, '{ contacts { nodes { reports { totalCount } } } }'],
    ['through a relation', secret, '{ contacts { nodes { company { secret } } } }'],
    ['through an inverse', salary, '{ companies { nodes { contacts { nodes { salary } } } } }'],
    [
      'far away',
      salary,
      '{ tags { nodes { contacts { nodes { company { contacts { edges { node { salary } } } } } } } } }',
    ],
    ['looked up by', ssn, '{ contactBySsn(ssn: "a") { id } }'],
    ['found by another, and selected', ssn, '{ contactByName(name: "ann") { ssn } }'],

    ['filtered by', salary, '{ contacts(filter: { salary: { gt: 1 } }) { totalCount } }'],
    [
      'filtered by a variable',
      salary,
      'query ($f: ContactFilter) { contacts(filter: $f) { nodes { id } } }',
      { f: { salary: { eq: 10 } } },
    ],
    [
      'in or',
      salary,
      '{ contacts(filter: { or: [{ name: { eq: "x" } }, { not: { salary: { isNull: true } } }] }) { nodes { id } } }',
    ],
    ['by its id in a filter', boss, '{ contacts(filter: { bossId: { isNull: true } }) { nodes { id } } }'],
    [
      'followed in a filter',
      boss,
      '{ contacts(filter: { boss: { name: { eq: "cid" } } }) { nodes { id } } }',
    ],
    ['by isNot', boss, '{ contacts(filter: { boss: { isNot: {} } }) { nodes { id } } }'],
    ['by its inverse in a filter', boss, '{ contacts(filter: { reports: { some: {} } }) { nodes { id } } }'],
    [
      'in a nested filter',
      secret,
      '{ contacts(filter: { company: { secret: { startsWith: "g" } } }) { nodes { id } } }',
    ],
    [
      'in a filter from the other end',
      salary,
      '{ companies(filter: { contacts: { every: { salary: { lt: 15 } } } }) { nodes { id } } }',
    ],
    [
      'in a filter there and back',
      salary,
      '{ contacts(filter: { company: { contacts: { some: { salary: { gt: 25 } } } } }) { nodes { id } } }',
    ],
    [
      'in a filter of links',
      salary,
      '{ tags(filter: { contacts: { none: { salary: { gt: 25 } } } }) { nodes { id } } }',
    ],
    [
      'in the filter of an inverse',
      salary,
      '{ companies { nodes { contacts(filter: { salary: { gt: 25 } }) { totalCount } } } }',
    ],

    ['ordered by', salary, '{ contacts(orderBy: [{ salary: DESC }]) { nodes { id } } }'],
    [
      'ordered by after another',
      salary,
      '{ contacts(orderBy: [{ name: ASC }, { salary: DESC }]) { nodes { id } } }',
    ],
    [
      'ordered by through a relation',
      secret,
      '{ contacts(orderBy: [{ company: { secret: ASC } }]) { nodes { id } } }',
    ],
    [
      'ordered by through a hidden one',
      boss,
      '{ contacts(orderBy: [{ boss: { name: ASC } }]) { nodes { id } } }',
    ],
    [
      'ordered by in an inverse',
      salary,
      '{ companies { nodes { contacts(orderBy: [{ salary: ASC }]) { nodes { id } } } } }',
    ],

    ['summed', salary, '{ contactsAggregate { sum { salary } } }'],
    [
      'bounded, in a fragment',
      salary,
      '{ contactsAggregate { ...G } } fragment G on ContactAggregate { lowest: min { s: salary } }',
    ],
    ['counted', ssn, '{ contactsAggregate { countDistinct { ssn } } }'],
    ['grouped by', salary, '{ contactsAggregate(groupBy: [{ salary: true }]) { count } }'],
    ['grouped by its id', boss, '{ contactsAggregate(groupBy: [{ bossId: true }]) { count } }'],
    [
      'grouped by through a relation',
      secret,
      '{ contactsAggregate(groupBy: [{ company: { secret: true } }]) { count } }',
    ],
    [
      'in having',
      salary,
      '{ contactsAggregate(groupBy: [{ name: true }], having: { not: { max: { salary: { lt: 15 } } } }) { group { name } } }',
    ],
    [
      'in the order of groups',
      salary,
      '{ contactsAggregate(groupBy: [{ name: true }], orderBy: [{ avg: { salary: ASC } }]) { group { name } } }',
    ],
    ['in the filter of figures', salary, '{ contactsAggregate(filter: { salary: { gt: 15 } }) { count } }'],

    [
      'in an untyped filter',
      salary,
      '{ records(entity: "contact", filter: { salary: { gt: 1 } }) { totalCount } }',
    ],
    [
      'in an untyped order',
      salary,
      '{ records(entity: "contact", orderBy: [{ field: "salary" }]) { nodes { id } } }',
    ],
    [
      'in an untyped order through a relation',
      secret,
      '{ records(entity: "contact", orderBy: [{ field: "company.secret" }]) { nodes { id } } }',
    ],
  ];

  it.each(attacks)('%s', async (_how, named, query, variables) => {
    // The fourth time it is compiled.
    for (let time = 1; time <= 4; time += 1) {
      const { result, statements } = await fixture.countStatements(() => user.refusal(query, variables));
      expect(result.code).toBe('FORBIDDEN');
      expect(result.message).toContain(named);
      expect(statements).toEqual([]);
    }
    // It is the permission that refuses.
    expect((await admin.send(query, variables)).errors).toBeUndefined();
  });

  it.each([
    ['of its own type', '... on Contact { salary }', salary],
    [
      'in a fragment of a fragment',
      '... on Contact { ...A } } } fragment A on Contact { ... on Contact { salary } } query Unused { __typename { a: __typename',
      salary,
    ],
    ['through a relation', '... on Contact { company { secret } }', secret],
    ['by an inverse of another type', '... on Company { contacts { nodes { salary } } }', salary],
  ])('by reference, %s', async (_how, selection, named) => {
    const representations = [contactRef('ann'), { __typename: 'Company', id: firm.ids['open'] }];
    const query = selection.includes('Unused')
      ? `${entities('... on Contact { ...A }')} fragment A on Contact { ... on Contact { salary } }`
      : entities(selection);
    for (let time = 1; time <= 4; time += 1) {
      const { result, statements } = await fixture.countStatements(() =>
        user.send(query, { representations }),
      );
      expect(result.errors?.map(({ message, extensions }) => [extensions?.['code'], message])).toEqual([
        ['FORBIDDEN', expect.stringContaining(named)],
      ]);
      // Only the type that asks for it fails, and nothing is read for that.
      expect(statements.filter((text) => text.includes('records'))).toHaveLength(1);
    }
  });

  it('by reference, in a fragment that another type passes over', async () => {
    const query = `${entities('...F ... on Company { contacts { nodes { ...F } } }')} fragment F on Contact { salary }`;
    const representations = [{ __typename: 'Company', id: firm.ids['open'] }];
    const { errors } = await user.send(query, { representations });
    expect(errors?.[0]?.message).toContain(salary);
  });

  it('under a name that it gave up', async () => {
    const other = await createFirm(fixture);
    await other.admin.query('mutation { renameField(entity: "contact", name: "salary", to: "wage") { id } }');
    const named = '"wage" of "contact"';
    for (const query of [
      '{ contacts { nodes { salary } } }',
      '{ contacts(filter: { salary: { gt: 1 } }) { totalCount } }',
      '{ contacts(orderBy: [{ salary: ASC }]) { totalCount } }',
      '{ contactsAggregate { sum { wage } } }',
      '{ contactsAggregate { sum { salary } } }',
      '{ contactsAggregate(groupBy: [{ salary: true }]) { count } }',
      '{ contactsAggregate(groupBy: [{ name: true }], having: { max: { salary: { gt: 1 } } }) { count } }',
    ]) {
      expect(await other.user.refusal(query)).toMatchObject({
        code: 'FORBIDDEN',
        message: expect.stringContaining(named),
      });
    }
    await other.admin.query(
      'mutation { renameEntity(name: "contact", to: "person", pluralName: "people") { id } }',
    );
    for (const query of [
      '{ contacts { nodes { salary } } }',
      '{ people { nodes { wage } } }',
      '{ companies { nodes { contacts { nodes { wage } } } } }',
    ]) {
      expect(await other.user.refusal(query)).toMatchObject({
        code: 'FORBIDDEN',
        message: expect.stringMatching(/"wage" of "(contact|person)"/),
      });
    }
    expect(namesOf((await other.user.query('{ contacts { nodes { name } } }')).contacts.nodes)).toEqual([
      'ann',
      'ben',
    ]);
  });

  it('and what is left out is not', async () => {
    const query = `query ($yes: Boolean!) { contacts { nodes { name salary @include(if: $yes) ... @skip(if: true) { ssn } } } }`;
    const { contacts } = await user.query(query, { yes: false });
    expect(contacts.nodes).toEqual([{ name: 'ann' }, { name: 'ben' }]);
  });

  it('while other root fields answer', async () => {
    const { data, errors } = await user.send(
      `{ good: contactByName(name: "ann") { name } bad: contactByName(name: "ann") { salary } }`,
    );
    expect(data).toMatchObject({ good: { name: 'ann' }, bad: null });
    expect(errors?.map((error) => error.path)).toEqual([['bad']]);
  });

  it('and what every record has is never hidden', async () => {
    const { contacts } = await user.query(
      '{ contacts { nodes { id version createdAt updatedAt createdBy { id } deletedAt } } }',
    );
    expect(contacts.nodes).toHaveLength(2);
  });
});

describe('a record outside the row filter is not there', () => {
  it('in a list, its total, a page and its cursors', async () => {
    const { contacts } = await user.query(
      '{ contacts(first: 1) { totalCount nodes { name } pageInfo { hasNextPage endCursor } } }',
    );
    expect(contacts).toMatchObject({
      totalCount: 2,
      nodes: [{ name: 'ann' }],
      pageInfo: { hasNextPage: true },
    });
    const after = contacts.pageInfo.endCursor;
    const next = await user.query(
      'query ($after: String) { contacts(after: $after) { nodes { name } pageInfo { hasNextPage } } }',
      { after },
    );
    expect(next.contacts).toEqual({ nodes: [{ name: 'ben' }], pageInfo: { hasNextPage: false } });
  });

  it('by its id, by a unique field, by reference', async () => {
    const { cid, ann } = firm.ids;
    const answer = await user.query(
      `query ($cid: ID!, $ann: ID!, $representations: [_Any!]!) {
        cid: contact(id: $cid) { name } ann: contact(id: $ann) { name }
        byName: contactByName(name: "cid") { name } own: contactByName(name: "ben") { name }
        untyped: record(entity: "contact", id: $cid) { id }
        _entities(representations: $representations) { ... on Contact { name } }
      }`,
      { cid, ann, representations: [contactRef('cid'), contactRef('ann')] },
    );
    expect(answer).toEqual({
      cid: null,
      ann: { name: 'ann' },
      byName: null,
      own: { name: 'ben' },
      untyped: null,
      _entities: [null, { name: 'ann' }],
    });
  });

  it('at the end of a relation: to one it is null, of many it is left out', async () => {
    const { contacts, companies, tags } = await user.query(
      `{
        contacts { nodes { name company { name } tags { nodes { name } totalCount } } }
        companies { nodes { name contacts { totalCount nodes { name } } } }
        tags { nodes { name contacts { totalCount nodes { name } } } }
      }`,
    );
    expect(contacts.nodes).toEqual([
      { name: 'ann', company: { name: 'open' }, tags: { nodes: [{ name: 'red' }], totalCount: 1 } },
      { name: 'ben', company: null, tags: { nodes: [], totalCount: 0 } },
    ]);
    expect(companies.nodes).toEqual([
      { name: 'open', contacts: { totalCount: 1, nodes: [{ name: 'ann' }] } },
    ]);
    expect(tags.nodes).toEqual([{ name: 'red', contacts: { totalCount: 1, nodes: [{ name: 'ann' }] } }]);
  });

  it.each([
    ['{ company: { name: { eq: "secret" } } }', []],
    ['{ company: { name: { eq: "open" } } }', ['ann']],
    // To this caller ben's company is none.
    ['{ company: { isNot: {} } }', ['ben']],
    ['{ not: { company: { is: { name: { ne: "x" } } } } }', ['ben']],
    ['{ tags: { some: { name: { ne: "x" } } } }', ['ann']],
    ['{ tags: { some: { name: { eq: "blue" } } } }', []],
    ['{ tags: { every: { name: { eq: "red" } } } }', ['ann', 'ben']],
  ])('contacts filtered by %s', async (filter, expected) => {
    expect(
      namesOf((await user.query(`{ contacts(filter: ${filter}) { nodes { name } } }`)).contacts.nodes),
    ).toEqual(expected);
  });

  it.each([
    ['companies', '{ contacts: { some: { name: { eq: "cid" } } } }', []],
    ['companies', '{ contacts: { every: { name: { eq: "ann" } } } }', ['open']],
    ['companies', '{ contacts: { none: { name: { eq: "cid" } } } }', ['open']],
    ['tags', '{ contacts: { some: { name: { eq: "cid" } } } }', []],
  ])('%s filtered by %s', async (list, filter, expected) => {
    const answer = await user.query(`{ list: ${list}(filter: ${filter}) { nodes { name } } }`);
    expect(namesOf(answer.list.nodes)).toEqual(expected);
  });

  it('orders like no record where a relation ends at it', async () => {
    const order = async (direction: string) =>
      namesOf(
        (await user.query(`{ contacts(orderBy: [{ company: { name: ${direction} } }]) { nodes { name } } }`))
          .contacts.nodes,
      );
    // "open" comes before "secret", and nothing before both.
    expect(await order('ASC_NULLS_FIRST')).toEqual(['ben', 'ann']);
    expect(await order('DESC_NULLS_LAST')).toEqual(['ann', 'ben']);
  });

  it('counts in no figure, and its name stands in no group', async () => {
    const { all, byCompany } = await user.query(
      `{
        all: contactsAggregate { count countDistinct { name } min { hiredAt } }
        byCompany: contactsAggregate(groupBy: [{ company: { name: true } }]) { group { company { name } } count }
      }`,
    );
    expect(all).toMatchObject([{ count: 2, countDistinct: { name: 2 } }]);
    expect(byCompany).toEqual(
      expect.arrayContaining([
        { group: { company: { name: 'open' } }, count: 1 },
        { group: { company: { name: null } }, count: 1 },
      ]),
    );
    expect(byCompany).toHaveLength(2);
  });

  it('is not listed when it is deleted either', async () => {
    const other = await createFirm(fixture);
    const { ann, cid } = other.ids;
    await other.admin.query('mutation ($ids: [ID!]!) { deleteContacts(ids: $ids) { id } }', {
      ids: [ann, cid],
    });
    const { contacts } = await other.user.query(
      '{ contacts(includeDeleted: true) { totalCount nodes { name } } }',
    );
    expect(contacts).toEqual({ totalCount: 2, nodes: [{ name: 'ann' }, { name: 'ben' }] });
  });

  it('for somebody without an id there is none', async () => {
    const nobody = admin.as({ role: 'USER', actorId: null });
    expect((await nobody.query('{ contacts { totalCount } }')).contacts.totalCount).toBe(0);
  });

  it('and another person sees other ones', async () => {
    const other = admin.as({ role: 'USER', actorId: randomUUID() });
    expect((await other.query('{ contacts { totalCount } }')).contacts.totalCount).toBe(0);
    expect((await user.query('{ contacts { totalCount } }')).contacts.totalCount).toBe(2);
  });
});

describe('operations', () => {
  it('without READ nothing of an entity is read, from any end', async () => {
    const other = await createFirm(fixture);
    await other.admin.query(setPermissions, {
      entity: 'company',
      permissions: [{ role: 'USER', operations: ['CREATE'] }],
    });
    for (const query of [
      '{ companies { totalCount } }',
      `{ company(id: "${other.ids['open']}") { id } }`,
      '{ companyByName(name: "open") { id } }',
      '{ companiesAggregate { count } }',
      '{ contacts { nodes { company { id } } } }',
      '{ contacts(filter: { company: { id: { isNull: false } } }) { totalCount } }',
      '{ contacts(orderBy: [{ company: { createdAt: ASC } }]) { totalCount } }',
      '{ contactsAggregate(groupBy: [{ company: { name: true } }]) { count } }',
      '{ records(entity: "company") { totalCount } }',
    ]) {
      const refusal = await other.user.refusal(query);
      expect(refusal).toMatchObject({
        code: 'FORBIDDEN',
        message: expect.stringContaining('may not read records of "company"'),
      });
    }
    const { errors } = await other.user.send(entities('... on Company { id }'), {
      representations: [{ __typename: 'Company', id: other.ids['open'] }],
    });
    expect(errors?.[0]?.extensions['code']).toBe('FORBIDDEN');
    // The id is a value of the contact.
    expect(
      (await other.user.query('{ contactByName(name: "ann") { companyId } }')).contactByName.companyId,
    ).toBe(other.ids['open']);
  });
});

describe('who is not held to them', () => {
  it('sees everything, in as many statements as without permissions', async () => {
    const query =
      '{ contacts(orderBy: [{ company: { name: ASC } }]) { totalCount nodes { name salary company { secret } } } }';
    for (const role of ['ADMIN', 'OPERATOR', 'DEVELOPER', 'SERVICE', 'VIEWER'] as const) {
      const { result, statements } = await fixture.countStatements(() => admin.as({ role }).query(query));
      expect(result.contacts.totalCount).toBe(4);
      expect(statements.filter((text) => text.includes('from records'))).toHaveLength(3);
      expect(statements.join()).not.toContain('is not true');
    }
  });

  it('a permission of one role holds for no other', async () => {
    const other = await createFirm(fixture);
    await other.admin.query(setPermissions, {
      entity: 'contact',
      permissions: [{ role: 'VIEWER', readableFields: ['name'] }],
    });
    expect((await other.user.query('{ contacts { totalCount nodes { salary } } }')).contacts.totalCount).toBe(
      4,
    );
    expect((await other.user.as({ role: 'VIEWER' }).refusal('{ contacts { nodes { salary } } }')).code).toBe(
      'FORBIDDEN',
    );
    // An API key with a role of its own counts as that role.
    const key = other.user.as({ actorKind: 'SERVICE', role: 'VIEWER' });
    expect((await key.refusal('{ contacts { nodes { salary } } }')).code).toBe('FORBIDDEN');
  });
});

it('a relation to one of several entities is held as others are', async () => {
  const other = await createFirm(fixture);
  const { ids } = other;
  await other.admin.createField('contact', {
    name: 'about',
    type: 'RELATION',
    targetEntities: ['company', 'tag'],
    inverseName: 'mentions',
  });
  const point = async (name: string, target: string, id: string | undefined): Promise<void> => {
    await other.admin.query(
      `mutation ($id: ID!, $to: ID!) { updateContact(id: $id, input: { about: { connect: { ${target}: $to } } }) { id } }`,
      { id: ids[name], to: id },
    );
  };
  await point('ann', 'company', ids['secret']);
  await point('ben', 'tag', ids['red']);
  const queries = [
    '{ contacts { nodes { about { __typename } } } }',
    '{ contacts { nodes { aboutId } } }',
    '{ contacts { nodes { aboutType } } }',
    '{ contacts(filter: { about: { isNull: true } }) { totalCount } }',
    '{ contacts(filter: { about: { company: {} } }) { totalCount } }',
    '{ contacts(filter: { aboutType: { eq: TAG } }) { totalCount } }',
    '{ contacts(filter: { aboutId: { isNull: true } }) { totalCount } }',
    '{ contactsAggregate(groupBy: [{ aboutType: true }]) { count } }',
    '{ tags { nodes { mentions { totalCount } } } }',
    '{ companies(filter: { mentions: { some: {} } }) { totalCount } }',
    `mutation { createContact(input: { name: "x", ownerId: "x", about: { connect: { tag: "${ids['red']}" } } }) { id } }`,
    `mutation { createContact(input: { name: "x", ownerId: "x", aboutType: TAG, aboutId: "${ids['red']}" }) { id } }`,
    `mutation { updateTag(id: "${ids['red']}", input: { mentions: { connect: ["${ids['ann']}"] } }) { id } }`,
  ];
  for (const query of queries) {
    expect(await other.user.refusal(query), query).toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringContaining('"about" of "contact"'),
    });
  }
  const rowFilter = { ownerId: { eq: '$me' } };
  await other.admin.query(setPermissions, { entity: 'contact', permissions: [{ role: 'USER', rowFilter }] });
  const members = 'about { ... on Company { name } ... on Tag { name } }';
  const { contacts } = await other.user.query(`{ contacts { nodes { name ${members} } } }`);
  expect(contacts.nodes).toEqual([
    { name: 'ann', about: null },
    { name: 'ben', about: { name: 'red' } },
  ]);
  expect(
    (await other.user.query('{ contacts(filter: { about: { company: {} } }) { totalCount } }')).contacts
      .totalCount,
  ).toBe(0);
  expect(
    await other.user.refusal('{ contacts { nodes { about { ... on Company { secret } } } } }'),
  ).toMatchObject({ code: 'FORBIDDEN' });
  // Pointing at what is hidden is pointing at nothing.
  const connect = `mutation ($id: ID!, $to: ID!) { updateContact(id: $id, input: { about: { connect: { company: $to } } }) { id } }`;
  expect((await other.user.refusal(connect, { id: ids['ben'], to: ids['secret'] })).code).toBe(
    'BAD_USER_INPUT',
  );
});

it('a graph that is behind is held to the newest permissions', async () => {
  const other = await createFirm(fixture);
  const behind = await other.admin.version();
  const query = '{ contacts { nodes { name } } }';
  await other.admin.query(setPermissions, {
    entity: 'contact',
    permissions: [{ role: 'USER', readableFields: ['ownerId'] }],
  });
  expect((await other.user.send(query, {}, behind)).errors?.[0]?.extensions['code']).toBe('FORBIDDEN');
  // What the graph does not know yet, nobody is let past.
  await other.admin.createField('contact', { name: 'isOpen', type: 'BOOLEAN' });
  const rowFilter = { isOpen: { eq: true } };
  await other.admin.query(setPermissions, { entity: 'contact', permissions: [{ role: 'USER', rowFilter }] });
  expect((await other.user.send(query, {}, behind)).data).toBeNull();
  expect((await other.user.query(query)).contacts.nodes).toEqual([]);
  expect((await other.admin.query(query, {}, behind)).contacts.nodes).toHaveLength(4);
});

it('$now is the moment of the request', async () => {
  const other = await createFirm(fixture);
  const rowFilter = { hiredAt: { lte: '$now' } };
  await other.admin.query(setPermissions, { entity: 'contact', permissions: [{ role: 'USER', rowFilter }] });
  const names = async () =>
    namesOf((await other.user.query('{ contacts { nodes { name } } }')).contacts.nodes);
  expect(await names()).toEqual(['ann', 'ben', 'dot']);
  await other.admin.query(
    'mutation ($id: ID!) { updateContact(id: $id, input: { hiredAt: "2126-01-01T00:00:00Z" }) { id } }',
    { id: other.ids['ben'] },
  );
  expect(await names()).toEqual(['ann', 'dot']);
});

it('a row filter may look at what the role may not', async () => {
  const other = await createFirm(fixture);
  const rowFilter = { company: { isSecret: { eq: true }, secret: { eq: 'silver' } } };
  await other.admin.query(setPermissions, {
    entity: 'contact',
    permissions: [{ role: 'USER', readableFields: ['name'], rowFilter }],
  });
  expect(namesOf((await other.user.query('{ contacts { nodes { name } } }')).contacts.nodes)).toEqual([
    'ben',
  ]);
});
