/** Writing records together with those along their relations, in one transaction, through the subgraph. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Anything,
  createEntitiesFixture,
  type EntitiesFixture,
  type EntitiesTenant,
} from './fixture.ts';

let fixture: EntitiesFixture;
let tenant: EntitiesTenant;
let other: EntitiesTenant;

const definitions = [
  {
    name: 'company',
    fields: [
      { name: 'name', type: 'TEXT', isRequired: true, isUnique: true },
      { name: 'parent', type: 'RELATION', targetEntity: 'company', inverseName: 'subsidiaries' },
    ],
  },
  {
    name: 'contact',
    fields: [
      { name: 'name', type: 'TEXT', isRequired: true },
      { name: 'company', type: 'RELATION', targetEntity: 'company' },
    ],
  },
  {
    name: 'project',
    fields: [
      { name: 'name', type: 'TEXT', isRequired: true },
      { name: 'code', type: 'TEXT', isUnique: true },
      { name: 'contact', type: 'RELATION', targetEntity: 'contact' },
    ],
  },
  {
    name: 'task',
    fields: [
      { name: 'title', type: 'TEXT', isRequired: true },
      { name: 'project', type: 'RELATION', targetEntity: 'project', isRequired: true },
    ],
  },
  {
    name: 'badge',
    fields: [
      { name: 'number', type: 'TEXT' },
      { name: 'contact', type: 'RELATION', targetEntity: 'contact', isUnique: true },
    ],
  },
];

beforeAll(async () => {
  fixture = await createEntitiesFixture();
  [tenant, other] = await Promise.all([fixture.addTenant(), fixture.addTenant()]);
  for (const one of [tenant, other]) for (const input of definitions) await one.createEntity(input);
});
afterAll(() => fixture[Symbol.asyncDispose]());

const members = `id version name companyId company { id name }
  projects(orderBy: [{ name: ASC }]) { nodes { id name version tasks(orderBy: [{ title: ASC }]) { nodes { id title } } } } badge { id number contact { id } }`;

async function create(input: Anything, on = tenant): Promise<Anything> {
  const mutation = `mutation ($input: CreateContactInput!) { createContact(input: $input) { ${members} } }`;
  return (await on.query(mutation, { input })).createContact;
}

const updateText = `mutation ($id: ID!, $input: UpdateContactInput!, $version: Int) { updateContact(id: $id, input: $input, expectedVersion: $version) { ${members} } }`;

async function update(id: string, input: Anything): Promise<Anything> {
  return (await tenant.query(updateText, { id, input })).updateContact;
}

async function createProject(input: Anything, on = tenant): Promise<string> {
  const mutation = `mutation ($input: CreateProjectInput!) { createProject(input: $input) { id } }`;
  return (await on.query(mutation, { input })).createProject.id;
}

async function refuse(text: string, variables: Anything): Promise<Anything> {
  const before = await countAll();
  const refusal = await tenant.refusal(text, variables);
  expect(await countAll()).toEqual(before);
  return refusal;
}

/** Rows and events: nothing of a refused write may stay. */
async function countAll(): Promise<unknown> {
  const { rows } = await fixture.superuser.query(
    `select (select count(*) from records where tenant_id = $1) as records, (select count(*) from record_keys where tenant_id = $1) as keys,
      (select sum(version) from records where tenant_id = $1) as versions, (select count(*) from events where tenant_id = $1) as events`,
    [tenant.id],
  );
  return rows[0];
}

async function eventsSince(seq: number): Promise<Anything[]> {
  const { rows } = await fixture.superuser.query(
    `select ev.seq::int, d.name as entity, ev.operation, ev.record_id as id, ev.changed_fields as fields, ev.request_id from events ev
      join entity_definitions d on d.id = ev.entity_id where ev.tenant_id = $1 and ev.seq > $2 and ev.kind = 'RECORD' order by ev.seq`,
    [tenant.id, seq],
  );
  return rows;
}

async function head(): Promise<number> {
  const { rows } = await fixture.superuser.query('select seq::int from tenant_heads where tenant_id = $1', [
    tenant.id,
  ]);
  return rows[0].seq;
}

const names = (connection: Anything): string[] =>
  connection.nodes.map((node: Anything) => node.name ?? node.title);

describe('creating', () => {
  it('creates both ways along relations, several levels deep, with one set of events', async () => {
    const seq = await head();
    const contact = await create({
      name: 'Ada',
      company: { create: { name: 'Engines', parent: { create: { name: 'Holding' } } } },
      projects: {
        create: [
          { name: 'One', tasks: { create: [{ title: 'a' }, { title: 'b' }] } },
          { name: 'Two', code: 'T2' },
        ],
      },
      badge: { create: { number: '7' } },
    });
    expect(contact).toMatchObject({ version: 1, company: { name: 'Engines' }, badge: { number: '7' } });
    expect(contact.badge.contact.id).toBe(contact.id);
    expect(names(contact.projects)).toEqual(['One', 'Two']);
    expect(names(contact.projects.nodes[0].tasks)).toEqual(['a', 'b']);
    const events = await eventsSince(seq);
    expect(events.map(({ entity, operation }) => `${entity} ${operation}`)).toEqual([
      'company CREATED',
      'company CREATED',
      'contact CREATED',
      'project CREATED',
      'task CREATED',
      'task CREATED',
      'project CREATED',
      'badge CREATED',
    ]);
    expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => seq + 1 + index));
  });

  it('connects what is there, and moves it from where it was', async () => {
    const first = await create({ name: 'First', projects: { create: [{ name: 'Moves' }] } });
    const [moved] = first.projects.nodes;
    const seq = await head();
    const second = await create({
      name: 'Second',
      company: { connect: null },
      projects: { connect: [moved.id], create: { name: 'A single one' } },
    });
    expect(names(second.projects)).toEqual(['A single one', 'Moves']);
    expect(names((await update(first.id, {})).projects)).toEqual([]);
    const events = await eventsSince(seq);
    expect(events.at(-1)).toMatchObject({
      entity: 'project',
      operation: 'UPDATED',
      id: moved.id,
      fields: ['contact'],
    });
  });

  it('takes batches, whose records share the transaction', async () => {
    const mutation = `mutation ($inputs: [CreateContactInput!]!) { createContacts(inputs: $inputs) { name projects { nodes { name } } company { name } } }`;
    const inputs = Array.from({ length: 50 }, (_, index) => ({
      name: `Batch ${index}`,
      company: { create: { name: `Company of ${index}` } },
      projects: { create: [{ name: `Project of ${index}` }] },
    }));
    const few = await fixture.countStatements(() => tenant.query(mutation, { inputs: inputs.slice(0, 2) }));
    const many = await fixture.countStatements(() => tenant.query(mutation, { inputs: inputs.slice(2) }));
    expect(many.statements.length).toBe(few.statements.length);
    expect(many.result.createContacts[7]).toEqual({
      name: 'Batch 9',
      company: { name: 'Company of 9' },
      projects: { nodes: [{ name: 'Project of 9' }] },
    });
    const refusal = await refuse(mutation, {
      inputs: [{ name: 'x' }, { name: 'y', projects: { create: [{ name: 'z' }, { name: '', code: 1 }] } }],
    });
    expect(refusal.code).toBe('BAD_USER_INPUT');
  });

  it('upserts with nested records', async () => {
    const mutation = `mutation ($input: CreateCompanyInput!) { upsertCompany(on: NAME, input: $input) { id contacts { nodes { name } } } }`;
    const { upsertCompany: created } = await tenant.query(mutation, {
      input: { name: 'Upserted', contacts: { create: [{ name: 'U1' }] } },
    });
    const { upsertCompany: updated } = await tenant.query(mutation, {
      input: { name: 'Upserted', contacts: { create: [{ name: 'U2' }] } },
    });
    expect(updated.id).toBe(created.id);
    expect(names(updated.contacts).toSorted()).toEqual(['U1', 'U2']);
  });
});

describe('updating', () => {
  it('connects, disconnects, creates and sets the records of a list', async () => {
    const contact = await create({
      name: 'Lists',
      projects: { create: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] },
    });
    const [a, b, c] = contact.projects.nodes.map((node: Anything) => node.id);
    const changed = await update(contact.id, { projects: { disconnect: [a], create: [{ name: 'd' }] } });
    expect(names(changed.projects)).toEqual(['b', 'c', 'd']);
    // Its own record did not change.
    expect(changed.version).toBe(1);
    const set = await update(contact.id, {
      name: 'Sets',
      projects: { set: [a, b], create: [{ name: 'e' }] },
    });
    expect(set).toMatchObject({ name: 'Sets', version: 2 });
    expect(names(set.projects)).toEqual(['a', 'b', 'e']);
    expect(names((await update(contact.id, { projects: { set: [] } })).projects)).toEqual([]);
    expect(names((await update(contact.id, { projects: { connect: [c, b] } })).projects)).toEqual(['b', 'c']);
    // Connected already, and not there to be let go: as it is asked for.
    const seq = await head();
    await update(contact.id, { projects: { connect: [b], disconnect: [a] } });
    expect(await head()).toBe(seq);
  });

  it('connects, creates and disconnects a to-one relation', async () => {
    const contact = await create({ name: 'One', company: { create: { name: 'First company' } } });
    const moved = await update(contact.id, { company: { create: { name: 'Second company' } } });
    expect(moved.company.name).toBe('Second company');
    expect((await update(contact.id, { company: { disconnect: true } })).companyId).toBeNull();
    const back = await update(contact.id, { company: { connect: contact.companyId } });
    expect(back.companyId).toBe(contact.companyId);
  });

  it('honours expectedVersion, and then leaves nested records alone', async () => {
    const contact = await create({ name: 'Versions' });
    await update(contact.id, { name: 'Versions 2' });
    const input = { projects: { create: [{ name: 'never' }] } };
    const refusal = await refuse(updateText, { id: contact.id, input, version: 1 });
    expect(refusal.code).toBe('VERSION_CONFLICT');
    await tenant.query(updateText, { id: contact.id, input, version: 2 });
  });

  it('follows a relation of an entity with itself', async () => {
    const mutation = `mutation ($id: ID!, $input: UpdateCompanyInput!) { updateCompany(id: $id, input: $input) { id parentId subsidiaries { nodes { id } } } }`;
    const { companyId: id } = await create({ name: 'Self', company: { create: { name: 'Selfish' } } });
    const { updateCompany } = await tenant.query(mutation, {
      id,
      input: { subsidiaries: { connect: [id] } },
    });
    expect(updateCompany).toEqual({ id, parentId: id, subsidiaries: { nodes: [{ id }] } });
    const contradiction = { parentId: null, subsidiaries: { connect: [id] } };
    expect((await refuse(mutation, { id, input: contradiction })).fields[0].rule).toBe('duplicate');
  });

  it('moves records between parents of one batch', async () => {
    const from = await create({ name: 'From', projects: { create: [{ name: 'm1' }, { name: 'm2' }] } });
    const to = await create({ name: 'To' });
    const ids = from.projects.nodes.map((node: Anything) => node.id);
    const { updateContacts } = await tenant.query(
      `mutation ($inputs: [UpdateContactsInput!]!) { updateContacts(inputs: $inputs) { projects { nodes { id } } } }`,
      {
        inputs: [
          { id: from.id, input: { projects: { set: [] } } },
          { id: to.id, input: { projects: { connect: ids } } },
        ],
      },
    );
    expect(updateContacts.map((one: Anything) => one.projects.nodes.length)).toEqual([0, 2]);
  });
});

describe('a relation that is unique: one record at each end', () => {
  it('shows one record, is filtered by it, and reads each level with one statement', async () => {
    const { entityDefinition } = await tenant.query(
      `{ entityDefinition(name: "badge") { fields { name inverseName isUnique } } }`,
    );
    expect(entityDefinition.fields[1]).toEqual({ name: 'contact', inverseName: 'badge', isUnique: true });
    const contact = await create({ name: 'Badged', badge: { create: { number: '100' } } });
    const list = `query ($filter: ContactFilter) { contacts(filter: $filter, first: 200) { nodes { id badge { number contact { name } } } } }`;
    const { result, statements } = await fixture.countStatements(() =>
      tenant.query(list, { filter: { badge: { number: { eq: '100' } } } }),
    );
    expect(result.contacts.nodes).toEqual([
      { id: contact.id, badge: { number: '100', contact: { name: 'Badged' } } },
    ]);
    expect(statements.length).toBeLessThanOrEqual(3);
    const without = await fixture.countStatements(() =>
      tenant.query(list, { filter: { not: { badge: {} } } }),
    );
    expect(without.statements.length).toBeLessThanOrEqual(2);
    expect(without.result.contacts.nodes.every((node: Anything) => node.badge === null)).toBe(true);
    expect(
      (
        await tenant.query(`query ($id: ID!) { badgeByContact(contactId: $id) { number } }`, {
          id: contact.id,
        })
      ).badgeByContact,
    ).toEqual({ number: '100' });
  });

  it('replaces: the record before it lets go in the same write', async () => {
    const contact = await create({ name: 'Replaces', badge: { create: { number: '1' } } });
    const replaced = await update(contact.id, { badge: { create: { number: '2' } } });
    expect(replaced.badge.number).toBe('2');
    const back = await update(contact.id, { badge: { connect: contact.badge.id } });
    expect(back.badge.number).toBe('1');
    expect((await update(contact.id, { badge: null })).badge).toBeNull();
    const taken = await create({ name: 'Takes', badge: { connect: contact.badge.id } });
    const swapped = await update(contact.id, { badge: { connect: taken.badge.id } });
    expect(swapped.badge.number).toBe('1');
  });

  it('refuses a second record at the same end, also when many come at once', async () => {
    const contact = await create({ name: 'Contested' });
    const mutation = `mutation ($id: ID!, $n: String) { createBadge(input: { contactId: $id, number: $n }) { id } }`;
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, n) => tenant.send(mutation, { id: contact.id, n: `race ${n}` })),
    );
    const errors = results.flatMap((result) => result.errors ?? []);
    expect(errors).toHaveLength(7);
    expect(new Set(errors.map((error) => error.extensions['code']))).toEqual(new Set(['CONFLICT']));
    const nested = await Promise.all(
      Array.from({ length: 6 }, (_, n) =>
        tenant.send(updateText, { id: contact.id, input: { badge: { create: { number: `again ${n}` } } } }),
      ),
    );
    for (const { errors: refused } of nested) {
      for (const error of refused ?? []) expect(error.extensions['code']).toBe('CONFLICT');
    }
    const { rows } = await fixture.superuser.query(
      `select count(*)::int as n from record_keys k join records r on r.tenant_id = k.tenant_id and r.id = k.record_id
        where k.tenant_id = $1 and r.data ->> 'contact' = $2`,
      [tenant.id, contact.id],
    );
    expect(rows[0].n).toBe(1);
  });
});

describe('what is refused, whole', () => {
  const mutation = `mutation ($input: CreateContactInput!) { createContact(input: $input) { id } }`;

  it.each<[string, Anything, string, string]>([
    [
      'a rule of a nested record',
      { name: 'x', projects: { create: [{ name: 'nul \u0000' }] } },
      'projects.create.0.name',
      'characters',
    ],
    [
      'a rule further down',
      {
        name: 'x',
        projects: { create: [{ name: 'p' }, { name: 'q', tasks: { create: [{ title: 'nul \u0000' }] } }] },
      },
      'projects.create.1.tasks.create.0.title',
      'characters',
    ],
    [
      'a rule along a to-one relation',
      { name: 'x', company: { create: { name: 'nul \u0000' } } },
      'company.create.name',
      'characters',
    ],
    [
      'both ways to say it',
      { name: 'x', companyId: crypto.randomUUID(), company: { connect: crypto.randomUUID() } },
      'company',
      'duplicate',
    ],
    [
      'both ways to say it, creating',
      { name: 'x', companyId: crypto.randomUUID(), company: { create: { name: 'y' } } },
      'company',
      'duplicate',
    ],
    [
      'two choices',
      { name: 'x', company: { connect: crypto.randomUUID(), create: { name: 'y' } } },
      'company',
      'relation',
    ],
    ['no choice', { name: 'x', company: {} }, 'company', 'relation'],
    [
      'a child that names its parent',
      { name: 'x', projects: { create: [{ name: 'y', contactId: crypto.randomUUID() }] } },
      'projects.create.0.contactId',
      'duplicate',
    ],
    ['set beside connect', { name: 'x', projects: { set: [], connect: [] } }, 'projects.set', 'relation'],
    ['null for a list', { name: 'x', projects: null }, 'projects', 'null'],
    [
      'text that is no id',
      { name: 'x', projects: { connect: ["' or 1=1"] } },
      'projects.connect.0',
      'relation',
    ],
    [
      'six levels',
      {
        name: '1',
        company: {
          create: {
            name: '2',
            parent: {
              create: {
                name: '3',
                parent: {
                  create: { name: '4', parent: { create: { name: '5', parent: { create: { name: '6' } } } } },
                },
              },
            },
          },
        },
      },
      'company.create.parent.create.parent.create.parent.create.parent.create',
      'depth',
    ],
    [
      'more than a thousand',
      { name: 'x', projects: { create: Array.from({ length: 1000 }, (_, i) => ({ name: `${i}` })) } },
      'projects.create.999',
      'maxLength',
    ],
  ])('%s', async (_, input, field, rule) => {
    const refusal = await refuse(mutation, { input });
    expect(refusal.code).toBe('BAD_USER_INPUT');
    expect(refusal.fields).toContainEqual(
      expect.objectContaining({ rule, field: expect.stringContaining(field) }),
    );
  });

  it('names both members that say the same', async () => {
    const input = { name: 'x', companyId: crypto.randomUUID(), company: { disconnect: true } };
    const { message } = await refuse(mutation, { input });
    expect(message).toContain('company ');
    expect(message).toContain('companyId');
  });

  it('a unique value that is taken, in the middle of a tree', async () => {
    await createProject({ name: 'Taken', code: 'TAKEN' });
    const input = {
      name: 'x',
      company: { create: { name: 'Rolls back' } },
      projects: { create: [{ name: 'y', code: 'TAKEN' }] },
    };
    const refusal = await refuse(mutation, { input });
    expect(refusal.code).toBe('CONFLICT');
    expect(refusal.fields[0].field).toBe('projects.create.0.code');
  });

  it('letting go of a record whose relation is required', async () => {
    const projectId = await createProject({ name: 'Keeps', tasks: { create: [{ title: 'kept' }] } });
    const text = `mutation ($id: ID!, $input: UpdateProjectInput!) { updateProject(id: $id, input: $input) { tasks { nodes { id } } } }`;
    const refusal = await refuse(text, { id: projectId, input: { tasks: { set: [] } } });
    expect(refusal.fields[0]).toMatchObject({ field: 'tasks.set', rule: 'required' });
    const { project } = await tenant.query(
      `query ($id: ID!) { project(id: $id) { tasks { nodes { id } } } }`,
      { id: projectId },
    );
    const disconnect = { tasks: { disconnect: project.tasks.nodes.map((node: Anything) => node.id) } };
    expect((await refuse(text, { id: projectId, input: disconnect })).fields[0].field).toBe(
      'tasks.disconnect.0',
    );
  });

  it('a deleted record', async () => {
    const id = await createProject({ name: 'Deleted' });
    await tenant.query(`mutation ($id: ID!) { deleteProject(id: $id) { id } }`, { id });
    const refusal = await refuse(mutation, { input: { name: 'x', projects: { connect: [id] } } });
    expect(refusal.fields[0]).toMatchObject({ field: 'projects.connect.0', rule: 'relation' });
  });
});

describe("another tenant's ids", () => {
  let foreignProject: string;
  let foreign: Anything;
  let own: Anything;

  beforeAll(async () => {
    foreignProject = await createProject({ name: 'Foreign', code: 'F' }, other);
    foreign = await create(
      { name: 'Foreign', company: { create: { name: 'Foreign' } }, badge: { create: { number: 'F' } } },
      other,
    );
    own = await create({
      name: 'Own',
      projects: { create: [{ name: 'own' }] },
      badge: { create: { number: 'own' } },
    });
  });

  async function stateOfOther(): Promise<unknown> {
    const { rows } = await fixture.superuser.query('select * from records where tenant_id = $1 order by id', [
      other.id,
    ]);
    return rows;
  }

  it.each<[string, () => Anything]>([
    ['company.connect', () => ({ company: { connect: foreign.companyId } })],
    ['projects.connect.0', () => ({ projects: { connect: [foreignProject] } })],
    ['projects.disconnect.0', () => ({ projects: { disconnect: [foreignProject] } })],
    ['projects.set.0', () => ({ projects: { set: [foreignProject] } })],
    ['badge.connect', () => ({ badge: { connect: foreign.badge.id } })],
    [
      'projects.create.0.tasks.connect.0',
      () => ({ projects: { create: [{ name: 'x', tasks: { connect: [foreignProject] } }] } }),
    ],
  ])('are exactly as unknown in %s as ids that never were', async (path, inputOf) => {
    const before = await stateOfOther();
    const unknown = crypto.randomUUID();
    const input = inputOf();
    const hit = await refuse(updateText, { id: own.id, input });
    const blind = JSON.parse(JSON.stringify(input).replaceAll(/"[0-9a-f-]{36}"/g, JSON.stringify(unknown)));
    const miss = await refuse(updateText, { id: own.id, input: blind });
    expect(hit.code).toBe('BAD_USER_INPUT');
    expect(hit.fields.map((field: Anything) => field.field)).toEqual([path]);
    expect(JSON.stringify(hit).replaceAll(/[0-9a-f-]{36}/g, 'ID')).toBe(
      JSON.stringify(miss).replaceAll(/[0-9a-f-]{36}/g, 'ID'),
    );
    expect(await stateOfOther()).toEqual(before);
  });

  it('cannot be updated with nested records either', async () => {
    const input = { projects: { create: [{ name: 'planted' }] } };
    const refusal = await refuse(updateText, { id: foreign.id, input });
    expect(refusal.code).toBe('NOT_FOUND');
  });

  it('viewers write nothing', async () => {
    const viewer = tenant.as({ role: 'VIEWER' });
    const refusal = await viewer.refusal(updateText, { id: own.id, input: { projects: { set: [] } } });
    expect(refusal.code).toBe('FORBIDDEN');
  });
});
