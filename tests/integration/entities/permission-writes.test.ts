/** Writes of who is held to permissions: operations, fields, the rows that are there, and what may become of them. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Anything,
  createEntitiesFixture,
  type EntitiesFixture,
  type EntitiesTenant,
} from './fixture.ts';
import { createFirm, namesOf, setPermissions } from './permission-fixture.ts';

let fixture: EntitiesFixture;
let admin: EntitiesTenant;
let user: EntitiesTenant;
let ids: Readonly<Record<string, string>>;
let mine: { ownerId: string };

beforeAll(async () => {
  fixture = await createEntitiesFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());
/** What is refused changes nothing, so such tests share a firm. */
async function renew(): Promise<void> {
  ({ admin, user, ids } = await createFirm(fixture));
  mine = { ownerId: user.claims.actorId as string };
}

const create = 'mutation ($input: CreateContactInput!) { one: createContact(input: $input) { id name } }';
const update =
  'mutation ($id: ID!, $input: UpdateContactInput!) { one: updateContact(id: $id, input: $input) { id name } }';
const updateCompany =
  'mutation ($id: ID!, $input: UpdateCompanyInput!) { one: updateCompany(id: $id, input: $input) { id } }';

/** Everything that there is, deleted or not, as the ADMIN sees it. */
async function everything(): Promise<Anything> {
  const members = 'id version deletedAt name';
  const data = await admin.query(
    `{
      contacts(includeDeleted: true) { nodes { ${members} salary ssn note ownerId companyId bossId tags { nodes { id } } } }
      companies(includeDeleted: true) { nodes { ${members} secret isSecret } }
      tags(includeDeleted: true) { nodes { ${members} } }
    }`,
  );
  return data;
}

/** The refusal of a mutation that has changed nothing. */
async function refusal(query: string, variables: Record<string, unknown> = {}, as = user) {
  const before = await everything();
  const refused = await as.refusal(query, variables);
  expect(await everything()).toEqual(before);
  return refused;
}

const unknown = randomUUID();
/** A refusal without the id that it is about. */
const anonymous = (refused: { code: string; message: string; fields: object[] }, id: string) =>
  JSON.parse(JSON.stringify(refused).replaceAll(id, '<id>'));

describe('a field that may not be written', () => {
  beforeAll(renew);

  const salary = { salary: 99 };
  const cases: [string, string, () => Record<string, unknown>, string[]][] = [
    [
      'createContact',
      create,
      () => ({ input: { name: 'new', ...salary, note: 'x', ...mine } }),
      ['salary', 'note'],
    ],
    ['with null', create, () => ({ input: { name: 'new', salary: null, ...mine } }), ['salary']],
    [
      'as a relation',
      create,
      () => ({ input: { name: 'new', boss: { connect: ids['ann'] }, ...mine } }),
      ['boss'],
    ],
    ['as a relation id', create, () => ({ input: { name: 'new', bossId: ids['ann'], ...mine } }), ['bossId']],
    [
      'createContacts',
      'mutation ($inputs: [CreateContactInput!]!) { createContacts(inputs: $inputs) { id } }',
      () => ({
        inputs: [
          { name: 'a', ...mine },
          { name: 'b', ...salary, ...mine },
        ],
      }),
      ['inputs.1.salary'],
    ],
    ['updateContact', update, () => ({ id: ids['ann'], input: salary }), ['salary']],
    [
      'updateContacts',
      'mutation ($inputs: [UpdateContactsInput!]!) { updateContacts(inputs: $inputs) { id } }',
      () => ({
        inputs: [
          { id: ids['ann'], input: { name: 'x' } },
          { id: ids['ben'], input: salary },
        ],
      }),
      ['inputs.1.salary'],
    ],
    [
      'upsertContact, updating',
      'mutation ($input: CreateContactInput!) { upsertContact(on: NAME, input: $input) { id } }',
      () => ({ input: { name: 'ann', ...salary } }),
      ['salary'],
    ],
    [
      'upsertContact, creating',
      'mutation ($input: CreateContactInput!) { upsertContact(on: NAME, input: $input) { id } }',
      () => ({ input: { name: 'new', ...salary, ...mine } }),
      ['salary'],
    ],
    [
      'upsertContacts',
      'mutation ($inputs: [CreateContactInput!]!) { upsertContacts(on: NAME, inputs: $inputs) { id } }',
      () => ({
        inputs: [
          { name: 'new', ...mine },
          { name: 'ann', ...salary },
        ],
      }),
      ['inputs.1.salary'],
    ],
    [
      'nested in a creation',
      'mutation ($input: CreateCompanyInput!) { createCompany(input: $input) { id } }',
      () => ({
        input: {
          name: 'new',
          contacts: {
            create: [
              { name: 'n', ...mine },
              { name: 'm', ...salary, ...mine },
            ],
          },
        },
      }),
      ['contacts.create.1.salary'],
    ],
    [
      'nested in an update',
      updateCompany,
      () => ({ id: ids['open'], input: { contacts: { create: [{ name: 'n', ...salary, ...mine }] } } }),
      ['contacts.create.0.salary'],
    ],
    [
      'of another record by an inverse',
      update,
      () => ({ id: ids['ann'], input: { reports: { connect: [ids['ben']] } } }),
      ['reports.connect.0'],
    ],
    [
      'by clearing an inverse',
      update,
      () => ({ id: ids['ann'], input: { reports: { set: [] } } }),
      ['reports.set'],
    ],
    [
      'untyped',
      'mutation ($data: JSON!, $id: ID!) { updateRecord(entity: "contact", id: $id, data: $data) { id } }',
      () => ({ id: ids['ann'], data: salary }),
      ['salary'],
    ],
  ];
  it.each(cases)('%s: FORBIDDEN that names it', async (_how, query, variables, fields) => {
    const refused = await refusal(query, variables());
    expect(refused.code).toBe('FORBIDDEN');
    expect(refused.fields.map(({ field, rule }) => [field, rule])).toEqual(
      fields.map((field) => [field, 'permission']),
    );
  });

  it('gets its default', async () => {
    const { one } = await user.query(create, { input: { name: 'new', ...mine } });
    const { contact } = await admin.query(`{ contact(id: "${one.id}") { note } }`);
    expect(contact.note).toBe('none');
  });

  it('that is hidden and may be written is written unseen', async () => {
    await user.query(update, { id: ids['ann'], input: { ssn: 'new' } });
    expect((await admin.query('{ contactBySsn(ssn: "new") { name } }')).contactBySsn.name).toBe('ann');
  });
});

describe('a hidden field in the answer of a mutation', () => {
  beforeAll(renew);

  it.each([
    ['createContact(input: { name: "new" }) { salary }'],
    ['createContacts(inputs: [{ name: "new" }]) { id company { secret } }'],
    ['updateContact(id: $id, input: { name: "new" }) { ...F }'],
    ['upsertContact(on: NAME, input: { name: "ann" }) { salary }'],
    ['upsertContact(on: SSN, input: { ssn: "a" }) { id }'],
    ['deleteContact(id: $id) { salary }'],
    ['deleteContacts(ids: [$id]) { boss { id } }'],
    ['restoreContact(id: $id) { salary }'],
    ['createCompany(input: { name: "new" }) { contacts(filter: { salary: { gt: 1 } }) { totalCount } }'],
    ['createCompany(input: { name: "new" }) { contacts(orderBy: [{ salary: ASC }]) { totalCount } }'],
  ])('%s is refused before anything is written', async (mutation) => {
    const fragment = mutation.includes('...F') ? ' fragment F on Contact { salary }' : '';
    const head = mutation.includes('$id') ? 'mutation ($id: ID!)' : 'mutation';
    const refused = await refusal(`${head} { ${mutation} }${fragment}`, { id: ids['ann'] });
    expect(refused.code).toBe('FORBIDDEN');
  });
});

describe('an operation that is not allowed', () => {
  beforeAll(renew);

  const operations = ['CREATE', 'UPDATE', 'DELETE', 'RESTORE', 'PURGE'] as const;
  const mutations: [(typeof operations)[number], string][] = [
    ['CREATE', 'createContact(input: { name: "new" }) { id }'],
    ['CREATE', 'createContacts(inputs: [{ name: "new" }]) { id }'],
    ['CREATE', 'upsertContact(on: NAME, input: { name: "new" }) { id }'],
    ['CREATE', 'upsertContacts(on: NAME, inputs: [{ name: "new" }]) { id }'],
    ['CREATE', 'createCompany(input: { name: "new", contacts: { create: [{ name: "new" }] } }) { id }'],
    ['CREATE', 'createRecord(entity: "contact", data: { name: "new" }) { id }'],
    ['UPDATE', 'updateContact(id: $ann, input: { name: "new" }) { id }'],
    ['UPDATE', 'updateContacts(inputs: [{ id: $ann, input: { name: "new" } }]) { id }'],
    ['UPDATE', 'upsertContact(on: NAME, input: { name: "ann" }) { id }'],
    ['UPDATE', 'upsertContacts(on: NAME, inputs: [{ name: "ann" }]) { id }'],
    [
      'UPDATE',
      'upsertContact(on: NAME, input: { name: "ann", company: { create: { name: "new" } } }) { id }',
    ],
    ['UPDATE', 'createCompany(input: { name: "new", contacts: { connect: [$ann] } }) { id }'],
    ['UPDATE', 'updateCompany(id: $open, input: { contacts: { disconnect: [$ann] } }) { id }'],
    ['UPDATE', 'updateCompany(id: $open, input: { contacts: { set: [] } }) { id }'],
    ['UPDATE', 'updateTag(id: $red, input: { contacts: { connect: [$ann] } }) { id }'],
    ['UPDATE', 'restoreContactVersion(id: $ann, version: 1) { id }'],
    ['DELETE', 'deleteContact(id: $ann) { id }'],
    ['DELETE', 'deleteContacts(ids: [$ann]) { id }'],
    ['DELETE', 'deleteRecord(entity: "contact", id: $ann) { id }'],
    ['RESTORE', 'restoreContact(id: $ann) { id }'],
    ['RESTORE', 'restoreContacts(ids: [$ann]) { id }'],
    ['PURGE', 'purgeContacts(ids: [$ann])'],
    ['PURGE', 'purgeContacts(deletedBefore: "2200-01-01T00:00:00Z")'],
  ];
  it.each(mutations)('%s: %s', async (operation, mutation) => {
    const left = ['READ', ...operations.filter((one) => one !== operation)];
    const permissions = [{ role: 'DEVELOPER', operations: left }];
    await admin.query(setPermissions, { entity: 'contact', permissions });
    const variables = Object.entries({ ann: ids['ann'], open: ids['open'], red: ids['red'] }).filter(
      ([name]) => mutation.includes(`$${name}`),
    );
    const head = variables.length === 0 ? '' : `(${variables.map(([name]) => `$${name}: ID!`).join()})`;
    const refused = await refusal(
      `mutation ${head} { ${mutation} }`,
      Object.fromEntries(variables),
      user.as({ role: 'DEVELOPER' }),
    );
    expect(refused).toMatchObject({
      code: 'FORBIDDEN',
      message: `The role DEVELOPER may not ${operation.toLowerCase()} records of "contact"`,
    });
  });

  it('never widens what the role may', async () => {
    await admin.query(setPermissions, { entity: 'contact', permissions: [{ role: 'VIEWER' }] });
    const viewer = user.as({ role: 'VIEWER' });
    expect((await refusal(create, { input: { name: 'new' } }, viewer)).code).toBe('FORBIDDEN');
  });
});

describe('a record outside the row filter', () => {
  beforeAll(renew);

  const mutations = [
    'updateContact(id: $id, input: { name: "x" }) { id }',
    'updateContact(id: $id, input: { name: "x" }, expectedVersion: 77) { id }',
    'updateContact(id: $id, input: { company: { create: { name: "x" } } }) { id }',
    'updateContacts(inputs: [{ id: $own, input: { name: "y" } }, { id: $id, input: { name: "x" } }]) { id }',
    'deleteContact(id: $id) { id }',
    'deleteContact(id: $id, expectedVersion: 77) { id }',
    'deleteContacts(ids: [$own, $id]) { id }',
    'restoreContact(id: $id) { id }',
    'restoreContacts(ids: [$id]) { id }',
    'restoreContactVersion(id: $id, version: 1) { id }',
    'updateRecord(entity: "contact", id: $id, data: { name: "x" }) { id }',
    'deleteRecord(entity: "contact", id: $id) { id }',
  ];
  it.each(mutations)('%s is as unknown as an id that nobody has', async (mutation) => {
    const query = `mutation ($id: ID!, $own: ID) { ${mutation} }`.replace(
      mutation.includes('$own') ? 'ID)' : ', $own: ID)',
      mutation.includes('$own') ? 'ID!)' : ')',
    );
    const own = mutation.includes('$own') ? { own: ids['ann'] } : {};
    const hidden = await refusal(query, { id: ids['cid'], ...own });
    expect(hidden.code).toBe('NOT_FOUND');
    expect(anonymous(hidden, ids['cid'] as string)).toEqual(
      anonymous(await refusal(query, { id: unknown, ...own }), unknown),
    );
  });

  it('tells nothing of what points at it', async () => {
    await renew();
    await admin.createEntity({
      name: 'badge',
      fields: [
        {
          name: 'contact',
          type: 'RELATION',
          targetEntity: 'contact',
          isRequired: true,
          onDelete: 'RESTRICT',
        },
      ],
    });
    await admin.query('mutation ($id: ID!) { createBadge(input: { contactId: $id }) { id } }', {
      id: ids['cid'],
    });
    expect(
      (await refusal('mutation ($id: ID!) { deleteContact(id: $id) { id } }', { id: ids['cid'] })).code,
    ).toBe('NOT_FOUND');
  });

  const connects: [string, (id: string) => [string, Record<string, unknown>], string][] = [
    ['companyId', (id) => [create, { input: { name: 'x', companyId: id, ...mine } }], 'secret'],
    [
      'company.connect',
      (id) => [create, { input: { name: 'x', company: { connect: id }, ...mine } }],
      'secret',
    ],
    ['companyId of an update', (id) => [update, { id: ids['ann'], input: { companyId: id } }], 'secret'],
    ['tags.connect', (id) => [update, { id: ids['ann'], input: { tags: { connect: [id] } } }], 'blue'],
    ['tags.set', (id) => [update, { id: ids['ann'], input: { tags: { set: [id] } } }], 'blue'],
    [
      'tags of a new record',
      (id) => [create, { input: { name: 'x', tags: { connect: [id] }, ...mine } }],
      'blue',
    ],
    [
      'contacts.connect',
      (id) => [updateCompany, { id: ids['open'], input: { contacts: { connect: [id] } } }],
      'cid',
    ],
    [
      'contacts.disconnect',
      (id) => [updateCompany, { id: ids['open'], input: { contacts: { disconnect: [id] } } }],
      'cid',
    ],
    ['contacts.set', (id) => [updateCompany, { id: ids['open'], input: { contacts: { set: [id] } } }], 'cid'],
    [
      'contacts of a tag',
      (id) => [
        'mutation ($id: ID!, $c: ID!) { updateTag(id: $id, input: { contacts: { connect: [$c] } }) { id } }',
        { id: ids['red'], c: id },
      ],
      'cid',
    ],
  ];
  it.each(connects)('%s: it cannot be connected', async (_how, mutation, name) => {
    const id = ids[name] as string;
    const hidden = await refusal(...mutation(id));
    expect(hidden.code).toBe('BAD_USER_INPUT');
    expect(anonymous(hidden, id)).toEqual(anonymous(await refusal(...mutation(unknown)), unknown));
  });

  it('stays where a list is set that it stands in', async () => {
    await renew();
    await user.query(updateCompany, { id: ids['open'], input: { contacts: { set: [] } } });
    const { company } = await admin.query(
      `{ company(id: "${ids['open']}") { contacts { nodes { name } } } }`,
    );
    expect(namesOf(company.contacts.nodes)).toEqual(['cid']);
  });

  it('has its unique values, and no more is told', async () => {
    await renew();
    const taken = await refusal(create, { input: { name: 'cid', ...mine } });
    expect(taken).toMatchObject({ code: 'CONFLICT', fields: [{ field: 'name', rule: 'unique' }] });
    for (const [query, fields] of [
      ['upsertContact(on: NAME, input: { name: "cid", ssn: "x" }) { id }', ['name']],
      [
        'upsertContact(on: NAME, input: { name: "cid", company: { create: { name: "x" } } }) { id }',
        ['name'],
      ],
      ['upsertContacts(on: NAME, inputs: [{ name: "ann" }, { name: "cid" }]) { id }', ['inputs.1.name']],
    ] as const) {
      const refused = await refusal(`mutation { ${query} }`);
      expect(refused.code).toBe('CONFLICT');
      expect(refused.fields.map(({ field }) => field)).toEqual(fields);
    }
  });

  it('is not purged with the others', async () => {
    await renew();
    const developer = user.as({ role: 'DEVELOPER' });
    const rowFilter = { ownerId: { eq: '$me' } };
    await admin.query(setPermissions, { entity: 'contact', permissions: [{ role: 'DEVELOPER', rowFilter }] });
    const all = [ids['ann'], ids['cid']];
    await admin.query('mutation ($ids: [ID!]!) { deleteContacts(ids: $ids) { id } }', { ids: all });
    const purge =
      'mutation ($ids: [ID!], $before: DateTime) { purgeContacts(ids: $ids, deletedBefore: $before) }';
    expect((await refusal(purge, { ids: all }, developer)).code).toBe('NOT_FOUND');
    expect((await developer.query(purge, { before: '2200-01-01T00:00:00Z' })).purgeContacts).toBe(1);
    expect(namesOf((await everything()).contacts.nodes)).toEqual(['cid', 'ben', 'dot']);
  });
});

describe('what a write makes of a record must be what may be seen', () => {
  beforeAll(renew);

  const other = { ownerId: randomUUID() };
  const cases: [string, string, () => Record<string, unknown>, string[]][] = [
    ['createContact', create, () => ({ input: { name: 'x', ...other } }), []],
    ['without a value', create, () => ({ input: { name: 'x' } }), []],
    [
      'createContacts',
      'mutation ($inputs: [CreateContactInput!]!) { createContacts(inputs: $inputs) { id } }',
      () => ({
        inputs: [
          { name: 'x', ...mine },
          { name: 'y', ...other },
        ],
      }),
      ['inputs.1'],
    ],
    ['updateContact', update, () => ({ id: ids['ann'], input: other }), []],
    [
      'updateContacts',
      'mutation ($inputs: [UpdateContactsInput!]!) { updateContacts(inputs: $inputs) { id } }',
      () => ({
        inputs: [
          { id: ids['ann'], input: { name: 'x' } },
          { id: ids['ben'], input: other },
        ],
      }),
      ['inputs.1'],
    ],
    [
      'upsertContact',
      'mutation ($input: CreateContactInput!) { upsertContact(on: NAME, input: $input) { id } }',
      () => ({ input: { name: 'ann', ...other } }),
      [],
    ],
    [
      'upsertContacts',
      'mutation ($inputs: [CreateContactInput!]!) { upsertContacts(on: NAME, inputs: $inputs) { id } }',
      () => ({ inputs: [{ name: 'new', ...other }, { name: 'ann' }] }),
      ['inputs.0'],
    ],
    [
      'a nested creation',
      'mutation ($input: CreateCompanyInput!) { createCompany(input: $input) { id } }',
      () => ({ input: { name: 'new', contacts: { create: [{ name: 'n', ...other }] } } }),
      [],
    ],
    [
      'what is created along',
      create,
      () => ({ input: { name: 'x', company: { create: { name: 'new', isSecret: true } }, ...mine } }),
      [],
    ],
  ];
  it.each(cases)('%s: FORBIDDEN, and nothing is written', async (_how, query, variables, fields) => {
    const refused = await refusal(query, variables());
    expect(refused.code).toBe('FORBIDDEN');
    expect(refused.fields.map(({ field }) => field)).toEqual(fields);
  });

  it('also of a restored one, and of one that a connection moves out of sight', async () => {
    await renew();
    await admin.query(setPermissions, {
      entity: 'contact',
      permissions: [{ role: 'USER', rowFilter: { company: { name: { eq: 'open' } } } }],
    });
    const disconnect = await refusal(updateCompany, {
      id: ids['open'],
      input: { contacts: { disconnect: [ids['ann']] } },
    });
    expect(disconnect.code).toBe('FORBIDDEN');
    expect((await refusal(update, { id: ids['ann'], input: { companyId: null } })).code).toBe('FORBIDDEN');
    // What a deletion clears follows from the definitions.
    await user.query('mutation ($id: ID!) { deleteCompany(id: $id) { id } }', { id: ids['open'] });
    expect((await user.query('{ contacts { totalCount } }')).contacts.totalCount).toBe(0);
  });

  it('and who sees it by what the same write makes may', async () => {
    await renew();
    const rowFilter = { company: { name: { startsWith: 'mine' } } };
    await admin.query(setPermissions, { entity: 'contact', permissions: [{ role: 'USER', rowFilter }] });
    const { one } = await user.query(create, {
      input: { name: 'x', company: { create: { name: 'mine too' } } },
    });
    expect(one.name).toBe('x');
  });
});

describe('a repeated write with an idempotency key', () => {
  beforeEach(renew);

  const keyed =
    'mutation ($input: CreateContactInput!, $key: String) { one: createContact(input: $input, idempotencyKey: $key) { id name } }';

  it('answers again what may still be seen', async () => {
    const variables = { input: { name: 'new', ...mine }, key: 'k1' };
    const { one } = await user.query(keyed, variables);
    expect((await user.query(keyed, variables)).one).toEqual(one);
    await admin.query(update, { id: one.id, input: { ownerId: 'somebody' } });
    expect((await user.refusal(keyed, variables)).code).toBe('NOT_FOUND');
  });

  it('selects only what may be read by now', async () => {
    const variables = { input: { name: 'new', ...mine }, key: 'k2' };
    await user.query(keyed, variables);
    const permissions = [
      { role: 'USER', readableFields: ['ownerId'], rowFilter: { ownerId: { eq: '$me' } } },
    ];
    await admin.query(setPermissions, { entity: 'contact', permissions });
    expect((await user.refusal(keyed, variables)).code).toBe('FORBIDDEN');
  });
});

describe('a definition that follows', () => {
  beforeEach(renew);

  it('cascades to what the caller may not see', async () => {
    await admin.query(
      'mutation { updateField(entity: "contact", name: "company", input: { onDelete: CASCADE }) { id } }',
    );
    await user.query('mutation ($id: ID!) { deleteCompany(id: $id) { id } }', { id: ids['open'] });
    const { contacts } = await admin.query('{ contacts { nodes { name } } }');
    expect(namesOf(contacts.nodes)).toEqual(['ben', 'dot']);
  });

  it('a write under older definitions is held to the newest permissions', async () => {
    const version = await admin.version();
    await admin.query(setPermissions, {
      entity: 'contact',
      permissions: [{ role: 'USER', operations: ['READ'] }],
    });
    const { errors } = await user.send(create, { input: { name: 'new' } }, version);
    expect(errors?.[0]?.extensions['code']).toBe('FORBIDDEN');
  });
});
