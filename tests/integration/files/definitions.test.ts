/** Which FILE fields may be defined. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { EntitiesTenant } from '../entities/fixture.ts';
import { createFilesBench, defineContact, type FilesBench } from './files-bench.ts';

let bench: FilesBench;
let fixture: FilesBench['fixture'];
let tenant: EntitiesTenant;
beforeAll(async () => {
  bench = await createFilesBench();
  ({ fixture } = bench);
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(async () => {
  tenant = await fixture.addTenant();
});

describe('a definition', () => {
  it.each([
    ['isUnique', { isUnique: true }, 'isUnique is not possible'],
    ['isSearchable', { isSearchable: true }, 'isSearchable is not possible'],
    ['isSortable', { isSortable: true }, 'isSortable is not possible'],
    ['defaultValue', { defaultValue: randomUUID() }, 'defaultValue is not possible'],
    ['options', { options: [{ value: 'A' }] }, 'options are only for'],
    ['validation.maxLength', { validation: { maxLength: 3 } }, 'has no meaning for FILE'],
    ['validation.maxBytes', { validation: { maxBytes: 0 } }, 'must be a whole number from 1'],
    ['validation.maxBytes', { validation: { maxBytes: 1.5 } }, 'must be a whole number from 1'],
    ['validation.contentTypes', { validation: { contentTypes: [] } }, 'must hold 1 to 100'],
    [
      'validation.contentTypes.1',
      { validation: { contentTypes: ['image/png', 'PNG'] } },
      'must be a media type',
    ],
    ['validation.contentTypes.0', { validation: { contentTypes: ['*/*'] } }, 'must be a media type'],
  ])('is refused with %s', async (member, input, message) => {
    await tenant.createEntity({ name: 'contact' });
    const refused = await tenant.refusal(
      'mutation ($input: FieldInput!) { createField(entity: "contact", input: $input) { id } }',
      { input: { name: 'photo', type: 'FILE', ...input } },
    );
    expect(refused).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: [{ field: expect.stringContaining(member) }],
    });
    expect(refused.message).toContain(message);
  });

  it('is refused where the limits of files are given to another type', async () => {
    await tenant.createEntity({ name: 'contact' });
    const input = { name: 'a', type: 'TEXT', validation: { maxBytes: 3, contentTypes: ['image/png'] } };
    const refused = await tenant.refusal(
      'mutation ($input: FieldInput!) { createField(entity: "contact", input: $input) { id } }',
      { input },
    );
    expect(refused.fields.map((field) => field.message)).toEqual([
      expect.stringContaining('has no meaning for TEXT'),
      expect.stringContaining('has no meaning for TEXT'),
    ]);
  });

  it('of a FILE cannot become another type, nor another a FILE', async () => {
    await defineContact(tenant);
    const retype =
      'mutation ($f: String!, $t: FieldType!) { retypeField(entity: "contact", name: $f, to: { type: $t }) { id } }';
    for (const [f, t] of [
      ['photo', 'TEXT'],
      ['name', 'FILE'],
    ]) {
      expect(await tenant.refusal(retype, { f, t })).toMatchObject({
        code: 'BAD_USER_INPUT',
        fields: [{ field: expect.stringMatching(/type$/) }],
      });
    }
  });

  it('goes out and comes in as a document', async () => {
    await defineContact(tenant);
    const { exportDefinitions } = await tenant.query('{ exportDefinitions }');
    expect(exportDefinitions.entities[0].fields[1]).toMatchObject({
      type: 'FILE',
      validation: { maxBytes: 100, contentTypes: ['text/*'] },
    });
    const plan = 'query ($d: JSON!) { planDefinitions(definitions: $d) { steps { kind } } }';
    expect((await tenant.query(plan, { d: exportDefinitions })).planDefinitions.steps).toEqual([]);
    const other = await fixture.addTenant();
    await other.query('mutation ($d: JSON!) { applyDefinitions(definitions: $d) { steps { kind } } }', {
      d: exportDefinitions,
    });
    expect((await other.query('{ exportDefinitions }')).exportDefinitions).toEqual(exportDefinitions);
  });
});
