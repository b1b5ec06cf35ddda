import { describe, expect, it } from 'vitest';
import { DomainError } from '#schema/errors.ts';
import type { FieldInput } from '#subgraphs/entities/definitions/definition-input.ts';
import { findField } from '#subgraphs/model/relations.ts';
import type { EntityDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import { changeModel, defineModel, modelOf } from '../model.ts';

const text = (name: string, more: Partial<FieldInput> = {}): FieldInput => ({ name, type: 'TEXT', ...more });

function entityOf(model: TenantModel, name: string): EntityDefinition {
  const entity = model.entityByName.get(name);
  if (!entity) throw new Error(`no entity ${name}`);
  return entity;
}

/** The DomainError that `work` throws. */
function refusalOf(work: () => unknown): DomainError {
  try {
    work();
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('slots', () => {
  it('are the lowest free ones of their kind, for what is looked up', () => {
    const model = defineModel({
      name: 'item',
      fields: [
        text('a'),
        text('b', { isFilterable: false, isSortable: false }),
        text('c', { isFilterable: false, isSortable: false, isUnique: true }),
        { name: 'd', type: 'BOOLEAN' },
        { name: 'e', type: 'INTEGER' },
        { name: 'f', type: 'DATE' },
        { name: 'g', type: 'JSON' },
        { name: 'h', type: 'MULTI_SELECT', options: [{ value: 'A' }] },
        { name: 'i', type: 'SELECT', options: [{ value: 'A' }] },
        { name: 'j', type: 'RELATION', targetEntity: 'item', isFilterable: false, isSortable: false },
      ],
    });
    const slots = Object.fromEntries(entityOf(model, 'item').fields.map((field) => [field.name, field.slot]));
    expect(slots).toEqual({
      a: 't1',
      b: null,
      c: 't2',
      d: 'n1',
      e: 'n2',
      f: 'd1',
      g: null,
      h: null,
      i: 't3',
      j: 'r1',
    });
  });

  it('run out quietly', () => {
    const model = defineModel({
      name: 'item',
      fields: Array.from({ length: 22 }, (_, index) => text(`f${index}`)),
    });
    const slots = entityOf(model, 'item').fields.map((field) => field.slot);
    expect(slots.slice(0, 20)).toEqual(Array.from({ length: 20 }, (_, index) => `t${index + 1}`));
    expect(slots.slice(20)).toEqual([null, null]);
  });

  it('and keys of deleted fields are not given away: keys never, slots not before they are cleared', () => {
    const before = defineModel({ name: 'item', fields: [text('a'), text('b')] });
    const entityId = entityOf(before, 'item').id;
    // In the same change.
    const { change, model } = changeModel(before, (draft) => {
      draft.deleteField('item', 'a');
      draft.createField('item', text('a'));
    });
    expect(change.deletedFields).toMatchObject([{ name: 'a', key: 'a', slot: 't1' }]);
    expect(change.createdFields).toMatchObject([{ name: 'a', key: 'a_2', slot: 't3' }]);
    // Later, before and after it was cleared.
    const retired = { entityId, key: 'a', slot: 't1' as string | null };
    const again = (slot: string | null) =>
      changeModel(model, (draft) => draft.createField('item', text('c')), { retired: [{ ...retired, slot }] })
        .change.createdFields;
    expect(again('t1')).toMatchObject([{ slot: 't4' }]);
    expect(again(null)).toMatchObject([{ slot: 't1' }]);
    const renamed = changeModel(model, (draft) => draft.updateField('item', 'b', { name: 'z' })).model;
    const reused = changeModel(renamed, (draft) => draft.createField('item', text('b'))).change;
    expect(reused.createdFields).toMatchObject([{ name: 'b', key: 'b_2' }]);
  });
});

describe('a change', () => {
  it('is nothing where nothing changed', () => {
    const model = defineModel({ name: 'item', fields: [text('a')] });
    const { change } = changeModel(model, (draft) => {
      draft.updateEntity('item', { name: 'item', label: null });
      draft.updateField('item', 'a', { isFilterable: true });
    });
    expect(Object.values(change).flat()).toEqual([]);
  });

  it('of an entity’s deletion takes its fields along', () => {
    const model = defineModel({ name: 'item', fields: [text('a')] });
    const { change } = changeModel(model, (draft) => draft.deleteEntity('item'));
    expect(change.deletedEntities).toHaveLength(1);
    expect(change.deletedFields).toEqual([]);
  });

  it('leaves the model that it began with as it was', () => {
    const model = defineModel({ name: 'item', fields: [text('a')] });
    const before = JSON.stringify(model.entities);
    changeModel(model, (draft) => {
      draft.updateField('item', 'a', { name: 'b', label: 'B' });
      draft.createField('item', text('c', { position: 0 }));
    });
    expect(JSON.stringify(model.entities)).toBe(before);
  });

  it('asks for values where a field with records becomes required, and for a backfill where a new one is', () => {
    const model = defineModel({ name: 'item', fields: [text('a')] });
    const became = changeModel(model, (draft) => draft.updateField('item', 'a', { isRequired: true }), {
      filled: ['item'],
    });
    expect(became.change.needsEveryValue).toMatchObject([{ name: 'a' }]);
    const added = changeModel(
      model,
      (draft) => draft.createField('item', text('b', { isRequired: true, defaultValue: 'x' })),
      { filled: ['item'] },
    );
    expect(added.change.backfills).toMatchObject([{ name: 'b', defaultValue: 'x' }]);
    const empty = changeModel(model, (draft) => draft.createField('item', text('b', { isRequired: true })));
    expect(empty.change.backfills).toEqual([]);
  });
});

describe('relations', () => {
  it('default their inverse and deletion rule', () => {
    const model = defineModel(
      { name: 'company' },
      {
        name: 'person',
        fields: [
          { name: 'company', type: 'RELATION', targetEntity: 'company' },
          { name: 'employer', type: 'RELATION', targetEntity: 'company', isRequired: true },
          { name: 'mentor', type: 'RELATION', targetEntity: 'person', inverseName: null },
        ],
      },
    );
    expect(entityOf(model, 'person').fields).toMatchObject([
      { inverseName: 'people', onDelete: 'SET_NULL', targetEntityId: entityOf(model, 'company').id },
      { inverseName: null, onDelete: 'RESTRICT' },
      { inverseName: null, onDelete: 'SET_NULL', targetEntityId: entityOf(model, 'person').id },
    ]);
  });

  it.each([
    [
      'the inverse is a field of the target',
      { name: 'company', type: 'RELATION', targetEntity: 'company', inverseName: 'NAME' },
    ],
    [
      'the inverse is a system field',
      { name: 'company', type: 'RELATION', targetEntity: 'company', inverseName: 'createdBy' },
    ],
    [
      'its id is a field beside it',
      { name: 'company', type: 'RELATION', targetEntity: 'company' },
      text('companyID'),
    ],
  ] as [string, FieldInput, FieldInput?][])('are refused where %s', (_what, field, other) => {
    const model = defineModel({ name: 'company', fields: [text('name')] });
    const refusal = refusalOf(() =>
      changeModel(model, (draft) =>
        draft.createEntity({ name: 'person', fields: other ? [other, field] : [field] }),
      ),
    );
    expect(refusal.code).toBe('CONFLICT');
  });

  it('are refused where they could not be cleared', () => {
    const field: FieldInput = {
      name: 'self',
      type: 'RELATION',
      targetEntity: 'item',
      isRequired: true,
      onDelete: 'SET_NULL',
    };
    expect(refusalOf(() => defineModel({ name: 'item', fields: [field] })).fields).toMatchObject([
      { field: 'fields.0.onDelete' },
    ]);
  });
});

describe('limits', () => {
  it('hold 200 entities and 200 fields', () => {
    const many = modelOf(
      Array.from({ length: 200 }, (_, index) => ({
        ...entityOf(defineModel({ name: 'item' }), 'item'),
        id: `id${index}`,
        name: `thing${index}`,
        pluralName: `thing${index}s`,
      })),
    );
    expect(
      refusalOf(() => changeModel(many, (draft) => draft.createEntity({ name: 'oneMore' }))).message,
    ).toContain('200');
    const fields = Array.from({ length: 201 }, (_, index) => text(`f${index}`));
    expect(refusalOf(() => defineModel({ name: 'item', fields })).message).toContain('200');
  });

  it('name what is too long, and what storage cannot hold', () => {
    const refusal = refusalOf(() =>
      defineModel({
        name: 'item',
        label: 'x'.repeat(201),
        description: 'nul \u0000',
        fields: [
          text('a', { uiConfig: { deep: 'half \ud800' } }),
          text('b', { uiConfig: 'y'.repeat(10_001) }),
          text('c', { uiConfig: '\\u0000' }),
        ],
      }),
    );
    expect(refusal.fields?.map(({ field, rule }) => [field, rule])).toEqual([
      ['label', 'maxLength'],
      ['description', 'unicode'],
      ['fields.0.uiConfig', 'unicode'],
      ['fields.1.uiConfig', 'maxLength'],
    ]);
  });
});

it('keeps the stored form of a default value', () => {
  const model = defineModel({
    name: 'item',
    fields: [{ name: 'at', type: 'DATETIME', defaultValue: '2026-01-01T02:00:00+02:00' }],
  });
  const at = findField(entityOf(model, 'item'), 'at');
  expect(at?.defaultValue).toBe('2026-01-01T00:00:00.000Z');
});
