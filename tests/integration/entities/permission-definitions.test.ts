/** Permissions as part of the definitions: set, shown, kept through other changes, carried as code, and by whom. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Anything,
  createEntitiesFixture,
  type EntitiesFixture,
  type EntitiesTenant,
} from './fixture.ts';

let fixture: EntitiesFixture;
let tenant: EntitiesTenant;

beforeAll(async () => {
  fixture = await createEntitiesFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());
beforeEach(async () => {
  tenant = await fixture.addTenant();
  await tenant.createEntity({ name: 'company', fields: [{ name: 'name', type: 'TEXT' }] });
  await tenant.createEntity({
    name: 'contact',
    fields: [
      { name: 'name', type: 'TEXT' },
      { name: 'salary', type: 'INTEGER' },
      { name: 'ownerId', type: 'TEXT' },
      { name: 'company', type: 'RELATION', targetEntity: 'company', inverseName: 'contacts' },
    ],
  });
});

const members = 'permissions { role operations readableFields writableFields rowFilter }';
const set = `mutation ($entity: String!, $permissions: [PermissionInput!]!) { setPermissions(entity: $entity, permissions: $permissions) { ${members} } }`;
const setOf = (permissions: object[], entity = 'contact'): [string, Record<string, unknown>] => [
  set,
  { entity, permissions },
];
const shown = async (entity = 'contact'): Promise<Anything> =>
  (
    await tenant.query(`query ($entity: String!) { entityDefinition(name: $entity) { ${members} } }`, {
      entity,
    })
  ).entityDefinition.permissions;

const own = {
  role: 'USER',
  operations: ['READ', 'UPDATE'],
  readableFields: ['name', 'company'],
  writableFields: ['name'],
  rowFilter: {
    or: [
      { ownerId: { eq: '$me' } },
      { company: { name: { startsWith: 'A' }, contacts: { some: { salary: { gt: 5 } } } } },
      { not: { companyId: { isNull: true } }, createdAt: { lte: '$now' } },
    ],
  },
};

describe('setting', () => {
  it('replaces the whole set, shows it by names, and makes a new version', async () => {
    const before = await tenant.version();
    const { setPermissions } = await tenant.query(...setOf([own, { role: 'VIEWER' }]));
    const all = ['READ', 'CREATE', 'UPDATE', 'DELETE', 'RESTORE', 'PURGE'];
    const viewer = {
      role: 'VIEWER',
      operations: all,
      readableFields: null,
      writableFields: null,
      rowFilter: null,
    };
    expect(setPermissions.permissions).toEqual([viewer, own]);
    expect(await shown()).toEqual([viewer, own]);
    expect(await tenant.version()).toBe(before + 1);
    await tenant.query(...setOf([own]));
    expect(await shown()).toEqual([own]);
    await tenant.query(...setOf([own]));
    expect(await tenant.version()).toBe(before + 2);
    await tenant.query(...setOf([]));
    expect(await shown()).toEqual([]);
  });

  it('tells every broken rule with its place', async () => {
    const refusal = await tenant.refusal(
      ...setOf([
        { role: 'ADMIN' },
        { role: 'USER', readableFields: ['name', 'wages'], writableFields: ['id'] },
        { role: 'USER', rowFilter: { wages: { eq: 1 } } },
        { role: 'VIEWER', rowFilter: { salary: { eq: '$me' } } },
        { role: 'VIEWER', rowFilter: [] },
      ]),
    );
    expect(refusal.code).toBe('BAD_USER_INPUT');
    expect(refusal.fields.map(({ field, rule }) => `${field} ${rule}`)).toEqual([
      'permissions.0.role option',
      'permissions.1.readableFields.1 unknown',
      'permissions.1.writableFields.0 unknown',
      'permissions.2.rowFilter.wages unknown',
      'permissions.2.role unique',
      'permissions.3.rowFilter.salary.eq type',
      'permissions.4.rowFilter type',
      'permissions.4.role unique',
    ]);
    expect(await shown()).toEqual([]);
  });

  it.each(['VIEWER', 'USER', 'DEVELOPER', 'SERVICE'] as const)('is not for %s', async (role) => {
    expect(await tenant.as({ role }).refusal(...setOf([]))).toMatchObject({ code: 'FORBIDDEN' });
  });

  it('does not reach another tenant', async () => {
    const other = await fixture.addTenant();
    expect(await other.refusal(...setOf([own]))).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('is shown whole to those who define, and to others what they are held to themselves', async () => {
    await tenant.query(...setOf([own, { role: 'VIEWER' }]));
    const rolesShownTo = async (role: 'VIEWER' | 'USER' | 'DEVELOPER') => {
      const query = '{ entityDefinition(name: "contact") { permissions { role } } }';
      const { entityDefinition } = await tenant.as({ role }).query(query);
      return entityDefinition.permissions.map((one: Anything) => one.role);
    };
    expect(await rolesShownTo('VIEWER')).toEqual(['VIEWER']);
    expect(await rolesShownTo('USER')).toEqual(['USER']);
    expect(await rolesShownTo('DEVELOPER')).toEqual(['VIEWER', 'USER']);
  });

  it('tells which roles see records by who they are', async () => {
    const perUser = async () =>
      (
        await fixture.service.getSdl({
          audience: 'TENANT',
          tenantId: tenant.id,
          version: await tenant.version(),
        })
      ).perUser;
    expect(await perUser()).toEqual({ roles: [], subscriptions: ['transferProgress'] });
    await tenant.query(...setOf([own, { role: 'VIEWER', rowFilter: { salary: { lt: 3 } } }]));
    expect(await perUser()).toEqual({ roles: ['USER'], subscriptions: ['transferProgress'] });
  });
});

describe('other changes', () => {
  const developer = () => tenant.as({ role: 'DEVELOPER' });

  it('a rename changes the names and nothing else', async () => {
    await tenant.query(...setOf([own]));
    await developer().query(
      `mutation {
        a: renameField(entity: "contact", name: "ownerId", to: "keeper", keepAlias: false) { id }
        b: renameField(entity: "contact", name: "company", to: "employer", keepAlias: false) { id }
        c: renameField(entity: "company", name: "name", to: "title", keepAlias: false) { id }
        d: updateField(entity: "contact", name: "employer", input: { inverseName: "people" }) { id }
      }`,
    );
    expect(await shown()).toEqual([
      {
        ...own,
        readableFields: ['name', 'employer'],
        rowFilter: {
          or: [
            { keeper: { eq: '$me' } },
            { employer: { title: { startsWith: 'A' }, people: { some: { salary: { gt: 5 } } } } },
            { not: { employerId: { isNull: true } }, createdAt: { lte: '$now' } },
          ],
        },
      },
    ]);
  });

  it('a rename reaches into relations to one of several entities', async () => {
    await tenant.createField('contact', {
      name: 'about',
      type: 'RELATION',
      targetEntities: ['company', 'contact'],
      inverseName: 'mentions',
    });
    const rowFilter = {
      about: { company: { name: { eq: 'x' } }, isNull: false },
      aboutType: { in: ['COMPANY'] },
      mentions: { some: { aboutId: { eq: '$me' } } },
    };
    await tenant.query(...setOf([{ role: 'USER', rowFilter }]));
    expect(await shown()).toMatchObject([{ rowFilter }]);
    await developer().query(
      `mutation {
        a: renameField(entity: "company", name: "name", to: "title", keepAlias: false) { id }
        b: renameField(entity: "contact", name: "about", to: "topic", keepAlias: false) { id }
        c: renameEntity(name: "company", to: "firm", pluralName: "firms", keepAlias: false) { id }
      }`,
    );
    expect(await shown()).toMatchObject([
      {
        rowFilter: {
          topic: { firm: { title: { eq: 'x' } }, isNull: false },
          topicType: { in: ['FIRM'] },
          mentions: { some: { topicId: { eq: '$me' } } },
        },
      },
    ]);
  });

  it('a deleted field leaves the lists, and a list that becomes empty stays one', async () => {
    await tenant.query(
      ...setOf([{ role: 'USER', readableFields: ['salary'], writableFields: ['name', 'salary'] }]),
    );
    await developer().query(`mutation { deleteField(entity: "contact", name: "salary") }`);
    expect(await shown()).toMatchObject([{ readableFields: [], writableFields: ['name'] }]);
  });

  it.each([
    ['deleteField(entity: "contact", name: "ownerId")', 'a deletion'],
    ['retypeField(entity: "contact", name: "ownerId", to: { type: INTEGER }) { id }', 'another type'],
    ['updateField(entity: "contact", name: "ownerId", input: { isFilterable: false }) { id }', 'no filter'],
    ['updateField(entity: "contact", name: "ownerId", input: { isActive: false }) { id }', 'deactivation'],
    ['updateField(entity: "contact", name: "company", input: { inverseName: null }) { id }', 'no inverse'],
    ['updateEntity(name: "company", input: { isActive: false }) { id }', 'an inactive entity'],
  ])('%s is refused while a row filter needs it', async (mutation) => {
    await tenant.query(...setOf([own]));
    const refusal = await developer().refusal(`mutation { ${mutation} }`);
    expect(refusal).toMatchObject({ code: 'CONFLICT', fields: [{ field: 'permissions.USER.rowFilter' }] });
    expect(refusal.message).toContain('USER on "contact"');
    expect(await shown()).toEqual([own]);
  });
});

describe('as code', () => {
  const exported = async (): Promise<Anything> =>
    (await tenant.query('{ exportDefinitions }')).exportDefinitions;
  const plan = 'query ($d: JSON!) { planDefinitions(definitions: $d) { steps { kind entity changes } } }';
  const apply =
    'mutation ($d: JSON!) { applyDefinitions(definitions: $d) { steps { kind entity changes } } }';
  const contactOf = (document: Anything) => document.entities.find((one: Anything) => one.name === 'contact');

  it('carries permissions into another tenant', async () => {
    await tenant.query(...setOf([own]));
    const document = await exported();
    expect(contactOf(document).permissions).toEqual([own]);
    expect((await tenant.query(plan, { d: document })).planDefinitions.steps).toEqual([]);
    const other = await fixture.addTenant();
    await other.query(apply, { d: document });
    expect((await other.query('{ exportDefinitions }')).exportDefinitions).toEqual(document);
  });

  it('lets them stay where the document does not speak of them', async () => {
    await tenant.query(...setOf([own]));
    const document = await exported();
    delete contactOf(document).permissions;
    expect(
      (await tenant.as({ role: 'DEVELOPER' }).query(apply, { d: document })).applyDefinitions.steps,
    ).toEqual([]);
    expect(await shown()).toEqual([own]);
  });

  it('plans a change of them, which only an ADMIN may apply', async () => {
    await tenant.query(...setOf([own]));
    const document = await exported();
    contactOf(document).permissions = [];
    contactOf(document).label = 'Somebody';
    const developer = tenant.as({ role: 'DEVELOPER' });
    const { steps } = (await developer.query(plan, { d: document })).planDefinitions;
    expect(steps.map((step: Anything) => step.changes[0])).toEqual([
      expect.stringMatching(/^label/),
      expect.stringMatching(/^permission of USER: \{.*→ null$/),
    ]);
    expect(await developer.refusal(apply, { d: document })).toMatchObject({
      code: 'FORBIDDEN',
      message: 'Changing the permissions of "contact" needs the role ADMIN',
    });
    expect(await shown()).toEqual([own]);
    await tenant.query(apply, { d: document });
    expect(await shown()).toEqual([]);
  });
});

describe('values that definitions would tell', () => {
  const developer = () => tenant.as({ role: 'DEVELOPER' });
  const create = 'mutation ($input: CreateContactInput!) { createContact(input: $input) { id } }';

  beforeEach(async () => {
    for (const name of ['same', 'same', 'other']) await tenant.query(create, { input: { name, salary: 7 } });
  });

  it.each([
    ['a hidden field', { readableFields: ['ownerId'] }],
    ['records that are filtered', { rowFilter: { ownerId: { eq: '$me' } } }],
    ['an entity without READ', { operations: ['UPDATE'] }],
  ])('are not told of %s', async (_what, permission) => {
    await tenant.query(...setOf([{ role: 'DEVELOPER', ...permission }]));
    for (const query of [
      '{ planRetype(entity: "contact", name: "name", to: { type: INTEGER }) { problems { value } } }',
      'mutation { retypeField(entity: "contact", name: "name", to: { type: INTEGER }) { id } }',
      'mutation { updateField(entity: "contact", name: "name", input: { isUnique: true }) { id } }',
      'mutation { updateField(entity: "contact", name: "salary", input: { defaultFrom: { kind: SEQUENCE } }) { id } }',
      'mutation { updateEntity(name: "contact", input: { uniqueGroups: [{ name: "both", fields: ["name", "salary"] }] }) { id } }',
    ]) {
      const refusal = await developer().refusal(query);
      expect(refusal.code).toBe('FORBIDDEN');
      expect(JSON.stringify(refusal)).not.toContain('same');
    }
    const document = (await tenant.query('{ exportDefinitions }')).exportDefinitions;
    const contact = document.entities.find((one: Anything) => one.name === 'contact');
    contact.fields.find((field: Anything) => field.name === 'name').isUnique = true;
    const apply = 'mutation ($d: JSON!) { applyDefinitions(definitions: $d) { losesData } }';
    expect((await developer().refusal(apply, { d: document })).code).toBe('FORBIDDEN');
    // Nor by how many would not convert under a rule of one's choice.
    const probe = (await tenant.query('{ exportDefinitions }')).exportDefinitions;
    Object.assign(
      probe.entities
        .find((one: Anything) => one.name === 'contact')
        .fields.find((field: Anything) => field.name === 'salary'),
      { type: 'DECIMAL', validation: { max: '6' } },
    );
    const plan = 'query ($d: JSON!) { planDefinitions(definitions: $d) { steps { lostValues } } }';
    expect(await developer().refusal(plan, { d: probe })).toMatchObject({ code: 'FORBIDDEN' });
    expect((await tenant.query(plan, { d: probe })).planDefinitions.steps).toMatchObject([{ lostValues: 3 }]);
    // Nor by taking it out of the graph first.
    await developer().query('mutation { updateEntity(name: "contact", input: { isActive: false }) { id } }');
    expect(
      await developer().refusal(
        '{ planRetype(entity: "contact", name: "name", to: { type: INTEGER }) { failed } }',
      ),
    ).toMatchObject({ code: 'FORBIDDEN' });
    await developer().query('mutation { updateEntity(name: "contact", input: { isActive: true }) { id } }');
    // What nobody is kept from works.
    await developer().query(
      'mutation { createField(entity: "contact", input: { name: "number", type: INTEGER, defaultFrom: { kind: SEQUENCE } }) { id } }',
    );
    expect(
      (
        await tenant.refusal(
          'mutation { updateField(entity: "contact", name: "name", input: { isUnique: true }) { id } }',
        )
      ).message,
    ).toContain('same');
  });
});

describe('templates', () => {
  const apply = 'mutation ($name: String!) { applyTemplate(name: $name) { name permissions { role } } }';

  it.each([
    ['crm', { client: ['VIEWER', 'USER'], project: ['VIEWER', 'USER'], activity: ['VIEWER'] }],
    ['pim', { supplier: ['VIEWER'], project: [], product: ['VIEWER', 'USER'] }],
    ['delivery', { deployment: ['VIEWER', 'USER'], workflow: ['VIEWER', 'USER'] }],
  ])('%s brings permissions of its own', async (name, expected) => {
    const { applyTemplate } = await tenant.as({ role: 'DEVELOPER' }).query(apply, { name });
    const roles = applyTemplate.map((entity: Anything) => [
      entity.name,
      entity.permissions.map((permission: Anything) => permission.role),
    ]);
    expect(Object.fromEntries(roles)).toEqual(expected);
  });

  it('leave those of an entity that is there', async () => {
    await tenant.createEntity({ name: 'client', fields: [{ name: 'name', type: 'TEXT' }] });
    await tenant.query(...setOf([{ role: 'USER', operations: ['READ'] }], 'client'));
    await tenant.as({ role: 'DEVELOPER' }).query(apply, { name: 'crm' });
    expect(await shown('client')).toMatchObject([{ role: 'USER', operations: ['READ'] }]);
  });
});
