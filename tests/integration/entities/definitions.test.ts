/** What definitions may be, what they may become, and what deleted ones leave behind. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createEntitiesFixture, type EntitiesFixture, type EntitiesTenant } from './fixture.ts';

let fixture: EntitiesFixture;
let tenant: EntitiesTenant;

beforeAll(async () => {
  fixture = await createEntitiesFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());
beforeEach(async () => {
  tenant = await fixture.addTenant();
});

const createEntity = `mutation ($input: CreateEntityInput!) { createEntity(input: $input) { id } }`;
const createField = `mutation ($input: FieldInput!) { createField(entity: "item", input: $input) { id } }`;
const updateField = `mutation ($name: String!, $input: UpdateFieldInput!) { updateField(entity: "item", name: $name, input: $input) { name label isRequired isUnique isFilterable isIndexed options { value label } } }`;

describe('names', () => {
  it.each([
    ['__type', 'CONFLICT', '__'],
    ['a__b', 'CONFLICT', '__'],
    ['Query', 'CONFLICT', 'Query'],
    ['query', 'CONFLICT', 'Query'],
    ['mutation', 'CONFLICT', 'Mutation'],
    ['user', 'CONFLICT', 'user'],
    ['USER', 'CONFLICT', 'user'],
    ['users', 'CONFLICT', 'users'],
    ['webhook', 'CONFLICT', 'webhook'],
    ['pageInfo', 'CONFLICT', 'PageInfo'],
    ['string', 'CONFLICT', 'String'],
    ['dateTime', 'CONFLICT', 'DateTime'],
    ['stringComparison', 'CONFLICT', 'StringComparison'],
    ['_entities', 'CONFLICT', '_entities'],
    ['login', 'CONFLICT', 'login'],
    ['', 'BAD_USER_INPUT', 'name'],
    ['a b', 'BAD_USER_INPUT', 'name'],
    ['1st', 'BAD_USER_INPUT', 'name'],
    ['é', 'BAD_USER_INPUT', 'name'],
    ['Contact"; drop table records; --', 'BAD_USER_INPUT', 'name'],
    ['a { id } }', 'BAD_USER_INPUT', 'name'],
    ['x'.repeat(64), 'BAD_USER_INPUT', '63'],
    ['_', 'BAD_USER_INPUT', 'name'],
  ])('refuses an entity named %j: %s', async (name, code, said) => {
    const refusal = await tenant.refusal(createEntity, {
      input: { name, fields: [{ name: 'title', type: 'TEXT' }] },
    });
    expect(refusal.code).toBe(code);
    expect(refusal.message).toContain(said);
    expect(await tenant.version()).toBe(1);
  });

  it.each([
    ['id', 'CONFLICT'],
    ['Version', 'CONFLICT'],
    ['createdBy', 'CONFLICT'],
    ['and', 'CONFLICT'],
    ['__typename', 'CONFLICT'],
    ['constructor', 'CONFLICT'],
    ['NAME', 'CONFLICT'],
    ['ownerId', 'CONFLICT'],
    ['parts', 'CONFLICT'],
    ['a-b', 'BAD_USER_INPUT'],
    ['$me', 'BAD_USER_INPUT'],
    ['na\u0000me', 'BAD_USER_INPUT'],
    ["x'; drop table records; --", 'BAD_USER_INPUT'],
  ])('refuses a field named %j: %s', async (name, code) => {
    await tenant.createEntity({
      name: 'item',
      fields: [
        { name: 'name', type: 'TEXT' },
        { name: 'owner', type: 'RELATION', targetEntity: 'item', inverseName: 'owned' },
        { name: 'whole', type: 'RELATION', targetEntity: 'item', inverseName: 'parts' },
      ],
    });
    expect((await tenant.refusal(createField, { input: { name, type: 'TEXT' } })).code).toBe(code);
  });

  it('tells every clash of a definition at once', async () => {
    await tenant.createEntity({ name: 'thing', fields: [{ name: 'a', type: 'TEXT' }] });
    const { message, fields } = await tenant.refusal(
      `mutation ($input: CreateEntityInput!) { createEntity(input: $input) { id } }`,
      {
        input: {
          name: 'part',
          fields: [
            { name: 'version', type: 'TEXT' },
            { name: 'code', type: 'TEXT' },
            { name: 'CODE', type: 'TEXT' },
            { name: 'deletedAt', type: 'DATE' },
          ],
        },
      },
    );
    expect(fields.map(({ rule }) => rule)).toEqual(['reserved', 'unique', 'reserved', 'unique']);
    for (const name of ['version', 'CODE', 'deletedAt']) {
      expect(fields.some((field) => field.message.includes(`"${name}"`))).toBe(true);
    }
    expect(message).toContain('and 1 more');
  });

  it('refuses what another entity generates, without regard to case, and names it', async () => {
    await tenant.createEntity({
      name: 'contact',
      fields: [
        { name: 'email', type: 'EMAIL', isUnique: true },
        { name: 'status', type: 'SELECT', options: [{ value: 'NEW' }] },
      ],
    });
    for (const name of [
      'CONTACT',
      'contacts',
      'ContactFilter',
      'createContact',
      'contactByEmail',
      'contactStatus',
      'contactChanged',
      'contactsAggregate',
      'CreateContactInput',
    ]) {
      const refusal = await tenant.refusal(createEntity, { input: { name } });
      expect(refusal.code, name).toBe('CONFLICT');
      expect(refusal.message, name).toContain('contact');
    }
    for (const pluralName of ['contact', 'Contacts', 'createContacts', 'users', 'sheep']) {
      const refusal = await tenant.refusal(createEntity, { input: { name: 'sheep', pluralName } });
      expect(refusal.code, pluralName).toBe('CONFLICT');
    }
    // An enum of its own that would meet a generated type of its own.
    const refusal = await tenant.refusal(createEntity, {
      input: { name: 'lead', fields: [{ name: 'filter', type: 'SELECT', options: [{ value: 'A' }] }] },
    });
    expect(refusal).toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('LeadFilter') });
    const twins = [
      { name: 'taxId', type: 'TEXT' },
      { name: 'tax_id', type: 'TEXT' },
    ];
    expect(
      (await tenant.refusal(createEntity, { input: { name: 'lead', fields: twins } })).message,
    ).toContain('TAX_ID');
  });

  it('lets what was given up be used again, and an entity be renamed with its records', async () => {
    await tenant.createEntity({ name: 'draft', fields: [{ name: 'title', type: 'TEXT' }] });
    await tenant.query(`mutation { createDraft(input: { title: "kept" }) { id } }`);
    await tenant.query(
      `mutation { updateEntity(name: "draft", input: { name: "paper", pluralName: "papers", label: "Paper" }) { name label } }`,
    );
    expect((await tenant.query(`{ papers { nodes { __typename title } } }`)).papers.nodes).toEqual([
      { __typename: 'Paper', title: 'kept' },
    ]);
    expect((await tenant.refusal(`{ drafts { totalCount } }`)).code).toBe('GRAPHQL_VALIDATION_FAILED');
    await tenant.createEntity({ name: 'draft', fields: [{ name: 'title', type: 'INTEGER' }] });
    expect((await tenant.query(`{ drafts { totalCount } }`)).drafts.totalCount).toBe(0);
  });
});

describe('fields', () => {
  it('lists every broken rule of an entity at once', async () => {
    const refusal = await tenant.refusal(createEntity, {
      input: {
        name: 'item',
        fields: [
          { name: 'a b', type: 'TEXT' },
          { name: 'choice', type: 'SELECT' },
          {
            name: 'kind',
            type: 'SELECT',
            options: [{ value: 'true' }, { value: 'A' }, { value: 'A' }, { value: 'a-b' }],
          },
          { name: 'size', type: 'INTEGER', validation: { min: 5, max: 1 }, defaultValue: 'x' },
          { name: 'code', type: 'TEXT', validation: { pattern: '(?<=a)(b', minLength: -1 } },
          { name: 'blob', type: 'JSON', isUnique: true, isSortable: true },
          { name: 'other', type: 'RELATION', targetEntity: 'nobody' },
          { name: 'count', type: 'INTEGER', defaultValue: 1.5 },
        ],
      },
    });
    expect(refusal.code).toBe('BAD_USER_INPUT');
    expect(refusal.fields.map(({ field }) => field)).toEqual(
      expect.arrayContaining([
        'fields.0.name',
        'fields.1.options',
        'fields.2.options.0.value',
        'fields.2.options.2.value',
        'fields.2.options.3.value',
        'fields.3.validation.min',
        'fields.4.validation.pattern',
        'fields.4.validation.minLength',
        'fields.5.isUnique',
        'fields.5.isSortable',
        'fields.6.targetEntity',
        'fields.7.defaultValue',
      ]),
    );
    expect((await tenant.query(`{ entityDefinitions { name } }`)).entityDefinitions).toEqual([]);
  });

  it('keeps everything that a definition says, and gives new records its default', async () => {
    const uiConfig = { widget: 'slider', help: 'a "quoted" \\ text', nested: [1, null] };
    const entity = await tenant.createEntity({
      name: 'item',
      label: 'Item',
      description: 'Says """anything""" \\ and "more" {',
      fields: [
        {
          name: 'size',
          type: 'INTEGER',
          label: 'Size',
          description: 'How\nlarge # it "is"',
          isRequired: true,
          defaultValue: 7,
          validation: { min: 1, max: 9 },
          uiConfig,
          isFilterable: false,
          isSortable: false,
        },
        { name: 'due', type: 'DATETIME', defaultValue: '2026-01-01T01:00:00+01:00' },
      ],
    });
    expect(entity).toMatchObject({ name: 'item', pluralName: 'items', typeName: 'Item' });
    expect(entity.fields[0]).toMatchObject({
      label: 'Size',
      uiConfig,
      defaultValue: 7,
      isIndexed: false,
      validation: { min: 1, max: 9, pattern: null },
    });
    const { createItem } = await tenant.query(`mutation { createItem(input: {}) { size due } }`);
    expect(createItem).toEqual({ size: 7, due: '2026-01-01T00:00:00.000Z' });
    const { __type } = await tenant.query(
      `{ __type(name: "Item") { description fields { name description } } }`,
    );
    expect(__type.description).toBe('Says """anything""" \\ and "more" {');
    expect(__type.fields.find((field: { name: string }) => field.name === 'size').description).toBe(
      'How\nlarge # it "is"',
    );
  });

  it('gives slots while there are any, and works without', async () => {
    await tenant.createEntity({
      name: 'item',
      fields: Array.from({ length: 12 }, (_, index) => ({ name: `n${index}`, type: 'NUMBER' })),
    });
    const { entityDefinition } = await tenant.query(
      `{ entityDefinition(name: "item") { fields { isIndexed } } }`,
    );
    expect(entityDefinition.fields.filter((field: { isIndexed: boolean }) => field.isIndexed)).toHaveLength(
      10,
    );
    await tenant.query(`mutation { createItems(inputs: [{ n11: 3 }, { n11: 1 }, { n11: 2 }]) { id } }`);
    const { items } = await tenant.query(
      `{ items(filter: { n11: { gte: 2 } }, orderBy: [{ n11: DESC }]) { nodes { n11 } } }`,
    );
    expect(items.nodes).toEqual([{ n11: 3 }, { n11: 2 }]);
  });

  it('adds a required field to records only with a default, which they get', async () => {
    await tenant.createEntity({ name: 'item', fields: [{ name: 'name', type: 'TEXT' }] });
    await tenant.query(`mutation { createItems(inputs: [{ name: "a" }, { name: "b" }]) { id } }`);
    const refusal = await tenant.refusal(createField, {
      input: { name: 'state', type: 'TEXT', isRequired: true },
    });
    expect(refusal).toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ field: 'isRequired' }] });
    await tenant.createField('item', {
      name: 'state',
      type: 'TEXT',
      isRequired: true,
      defaultValue: 'Nëw',
      isSearchable: true,
    });
    const { items } = await tenant.query(
      `{ items(filter: { state: { eq: "Nëw" } }, search: "new", orderBy: [{ state: ASC }]) { nodes { name state version } totalCount } }`,
    );
    expect(items).toEqual({
      nodes: [
        { name: 'a', state: 'Nëw', version: 1 },
        { name: 'b', state: 'Nëw', version: 1 },
      ],
      totalCount: 2,
    });
    const unique = { name: 'code', type: 'TEXT', isRequired: true, isUnique: true, defaultValue: 'same' };
    expect((await tenant.refusal(createField, { input: unique })).fields).toMatchObject([
      { field: 'isUnique' },
    ]);
  });

  it('changes labels, rules and names, and refuses what stored values would have to move for', async () => {
    await tenant.createEntity({
      name: 'item',
      fields: [
        { name: 'name', type: 'TEXT' },
        { name: 'hidden', type: 'TEXT', isFilterable: false, isSortable: false },
        { name: 'colour', type: 'SELECT', options: [{ value: 'RED' }, { value: 'BLUE' }] },
      ],
    });
    await tenant.query(
      `mutation { createItems(inputs: [{ name: "a", colour: BLUE }, { colour: RED }]) { id } }`,
    );
    const change = (name: string, input: Record<string, unknown>) =>
      tenant.query(updateField, { name, input });
    await change('colour', {
      label: 'Colour',
      options: [{ value: 'RED', label: 'Rot' }, { value: 'BLUE' }, { value: 'GREEN' }],
    });
    expect(
      (await tenant.query(`mutation { createItem(input: { colour: GREEN }) { colour } }`)).createItem.colour,
    ).toBe('GREEN');
    await change('name', { name: 'title', isFilterable: false });
    expect(
      (await tenant.query(`{ items(orderBy: [{ title: ASC }]) { nodes { title } } }`)).items.nodes[0].title,
    ).toBe('a');

    for (const [name, input, field] of [
      ['title', { type: 'INTEGER' }, 'type'],
      ['colour', { options: [{ value: 'RED' }] }, 'options'],
      ['colour', { options: [] }, 'options'],
    ] as const) {
      const refusal = await tenant.refusal(updateField, { name, input });
      expect(refusal.code, JSON.stringify(input)).toBe('BAD_USER_INPUT');
      expect(refusal.fields.map((broken) => broken.field)).toContain(field);
    }
    const required = await tenant.refusal(updateField, { name: 'title', input: { isRequired: true } });
    expect(required).toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('2 records') });
    await tenant.query(`mutation { deleteField(entity: "item", name: "colour") }`);
    expect((await tenant.refusal(updateField, { name: 'colour', input: { label: 'x' } })).code).toBe(
      'NOT_FOUND',
    );
  });

  it('lets an entity without records change what it likes', async () => {
    await tenant.createEntity({
      name: 'item',
      fields: [{ name: 'name', type: 'TEXT', isFilterable: false, isSortable: false }],
    });
    const { updateField: updated } = await tenant.query(updateField, {
      name: 'name',
      input: { isFilterable: true, isUnique: true, isRequired: true },
    });
    expect(updated).toMatchObject({ isFilterable: true, isUnique: true, isIndexed: true, isRequired: true });
  });
});

describe('deletion', () => {
  it('shows nothing of a deleted field in a new one of the same name, and frees its slot once it is cleared', async () => {
    await tenant.createEntity({
      name: 'item',
      fields: [
        { name: 'name', type: 'TEXT' },
        { name: 'code', type: 'TEXT', isUnique: true, isSearchable: true },
      ],
    });
    await tenant.query(`mutation ($inputs: [CreateItemInput!]!) { createItems(inputs: $inputs) { id } }`, {
      inputs: Array.from({ length: 700 }, (_, index) => ({ name: `n${index}`, code: `secret${index}` })),
    });
    await tenant.query(`mutation { deleteField(entity: "item", name: "code") }`);
    await tenant.createField('item', { name: 'code', type: 'INTEGER' });
    const { items } = await tenant.query(`{ items(first: 1000) { nodes { code } } }`);
    expect(items.nodes).toHaveLength(700);
    expect(items.nodes.every((node: { code: number | null }) => node.code === null)).toBe(true);

    await fixture.service.definitions.idle();
    const left = await fixture.superuser.query(
      `select (select count(*) from records where tenant_id = $1 and (data::text like '%secret%' or search like '%secret%' or t2 is not null))::int as records,
              (select count(*) from record_keys where tenant_id = $1)::int as keys,
              (select count(*) from retired_fields where tenant_id = $1 and cleared_at is null)::int as retired`,
      [tenant.id],
    );
    expect(left.rows).toEqual([{ records: 0, keys: 0, retired: 0 }]);
    expect((await tenant.query(`{ items(search: "secret") { totalCount } }`)).items.totalCount).toBe(0);
    await tenant.createField('item', { name: 'again', type: 'TEXT' });
    const slot = await fixture.superuser.query(
      `select slot from field_definitions where tenant_id = $1 and name = 'again'`,
      [tenant.id],
    );
    expect(slot.rows).toEqual([{ slot: 't2' }]);
    expect(
      (await tenant.query(`{ items(filter: { again: { isNull: true } }) { totalCount } }`)).items.totalCount,
    ).toBe(700);
    const key = await fixture.superuser.query(
      `select key from field_definitions where tenant_id = $1 and name = 'code'`,
      [tenant.id],
    );
    expect(key.rows).toEqual([{ key: 'code_2' }]);
  });

  it('deletes an entity with its records, but not one that others refer to', async () => {
    await tenant.createEntity({ name: 'owner', fields: [{ name: 'name', type: 'TEXT', isUnique: true }] });
    await tenant.createEntity({
      name: 'item',
      fields: [{ name: 'owner', type: 'RELATION', targetEntity: 'owner' }],
    });
    await tenant.query(`mutation { createOwner(input: { name: "a" }) { id } createItem(input: {}) { id } }`);
    const refusal = await tenant.refusal(`mutation { deleteEntity(name: "owner") }`);
    expect(refusal).toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('item.owner') });
    await tenant.query(`mutation { deleteEntity(name: "item") }`);
    await tenant.query(`mutation { deleteEntity(name: "owner") }`);
    await fixture.service.definitions.idle();
    for (const table of [
      'records',
      'record_keys',
      'retired_fields',
      'entity_definitions',
      'field_definitions',
    ]) {
      const { rows } = await fixture.superuser.query(
        `select count(*)::int as count from ${table} where tenant_id = $1`,
        [tenant.id],
      );
      expect(rows, table).toEqual([{ count: 0 }]);
    }
    await tenant.createEntity({ name: 'owner', fields: [{ name: 'name', type: 'TEXT', isUnique: true }] });
    await tenant.query(`mutation { createOwner(input: { name: "a" }) { id } }`);
  });

  it('is taken up again by the next process', async () => {
    await tenant.createEntity({ name: 'item', fields: [{ name: 'name', type: 'TEXT' }] });
    await tenant.query(`mutation { createItem(input: { name: "left behind" }) { id } }`);
    await using first = fixture.createService();
    const elsewhere = fixture.tenantOf(first, tenant.claims);
    await elsewhere.query(`{ items { totalCount } }`);
    // The process ends before it has cleared anything.
    const ended = first[Symbol.asyncDispose]();
    await elsewhere.query(`mutation { deleteField(entity: "item", name: "name") }`);
    await ended;
    const open = await fixture.superuser.query(
      `select count(*)::int as count from retired_fields where tenant_id = $1 and cleared_at is null`,
      [tenant.id],
    );
    expect(open.rows).toEqual([{ count: 1 }]);

    const second = fixture.createService();
    await fixture.tenantOf(second, tenant.claims).query(`{ items { totalCount } }`);
    await second.definitions.idle();
    const { rows } = await fixture.superuser.query(`select data, t1 from records where tenant_id = $1`, [
      tenant.id,
    ]);
    expect(rows).toEqual([{ data: {}, t1: null }]);
  });
});

describe('templates', () => {
  it('are listed and applied, each on its own', async () => {
    const { templates } = await tenant.query(`{ templates { name label description entities } }`);
    expect(templates.map((template: { name: string }) => template.name)).toEqual(['crm', 'pim', 'delivery']);
    for (const { name, entities } of templates) {
      const other = await fixture.addTenant();
      const { applyTemplate } = await other.query(
        `mutation ($name: String!) { applyTemplate(name: $name) { name fields { name type targetEntity inverseName } } }`,
        { name },
      );
      expect(applyTemplate.map((entity: { name: string }) => entity.name)).toEqual(entities);
    }
    expect((await tenant.refusal(`mutation { applyTemplate(name: "none") { name } }`)).code).toBe(
      'BAD_USER_INPUT',
    );
  });

  it('reuse an entity of the same name, add what is missing, and change nothing the second time', async () => {
    await tenant.createEntity({
      name: 'project',
      fields: [
        { name: 'name', type: 'LONG_TEXT' },
        { name: 'mine', type: 'TEXT' },
      ],
    });
    await tenant.query(`mutation { createProject(input: { mine: "kept" }) { id } }`);
    const { applyTemplate } = await tenant.query(
      `mutation { applyTemplate(name: "crm") { name fields { name type isRequired } } }`,
    );
    const project = applyTemplate[1];
    expect(project.fields.slice(0, 3)).toEqual([
      { name: 'name', type: 'LONG_TEXT', isRequired: false },
      { name: 'mine', type: 'TEXT', isRequired: false },
      { name: 'code', type: 'TEXT', isRequired: false },
    ]);
    const version = await tenant.version();
    await tenant.query(`mutation { applyTemplate(name: "crm") { name } }`);
    expect(await tenant.version()).toBe(version);
    await tenant.query(
      `mutation { applyTemplate(name: "pim") { name } delivery: applyTemplate(name: "delivery") { name } }`,
    );
    const { entityDefinitions } = await tenant.query(`{ entityDefinitions { name } }`);
    expect(entityDefinitions.map((entity: { name: string }) => entity.name)).toEqual([
      'project',
      'client',
      'activity',
      'supplier',
      'product',
      'deployment',
      'workflow',
    ]);
  });
});
