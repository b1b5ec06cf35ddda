import { describe, expect, it } from 'vitest';
import { applyTemplate } from '#subgraphs/entities/templates/apply-template.ts';
import { templates } from '#subgraphs/entities/templates/templates.ts';
import { ruleOf } from '#subgraphs/model/field-types.ts';
import { changeModel, defineModel, modelOf } from '../model.ts';

describe.each(templates.map((template) => [template.name, template] as const))(
  'template %s',
  (_name, template) => {
    it('fits a new tenant, and changes nothing when applied again', () => {
      const { model } = changeModel(modelOf([]), (draft) => applyTemplate(draft, template));
      expect(model.entities.map((entity) => entity.name)).toEqual(
        template.entities.map((entity) => entity.name),
      );
      for (const entity of model.entities) {
        expect(entity.fields.length).toBeGreaterThan(5);
        for (const field of entity.fields)
          if (field.isFilterable && ruleOf(field).slotKind !== null)
            expect(field.slot, field.name).not.toBeNull();
      }
      const again = changeModel(model, (draft) => applyTemplate(draft, template), {
        filled: model.entities.map((entity) => entity.name),
      });
      expect(Object.values(again.change).flat()).toEqual([]);
    });

    it.each(templates)('goes together with $name', (other) => {
      const { model } = changeModel(modelOf([]), (draft) => {
        applyTemplate(draft, template);
        applyTemplate(draft, other);
      });
      expect(new Set(model.entities.map((entity) => entity.name))).toEqual(
        new Set([...template.entities, ...other.entities].map((entity) => entity.name)),
      );
    });
  },
);

it('leaves what a tenant has as it is, and gives way where a name is taken', () => {
  const before = defineModel({
    name: 'Client',
    pluralName: 'Clients',
    fields: [
      { name: 'NAME', type: 'INTEGER' },
      { name: 'projects', type: 'TEXT' },
    ],
  });
  const crm = templates[0];
  if (!crm) throw new Error('no template');
  const { model } = changeModel(before, (draft) => applyTemplate(draft, crm), { filled: ['Client'] });
  const client = model.entityByName.get('Client');
  expect(client?.fields.slice(0, 2)).toMatchObject([
    { name: 'NAME', type: 'INTEGER' },
    { name: 'projects', type: 'TEXT' },
  ]);
  expect(client?.fields.find((field) => field.name === 'status')?.isRequired).toBe(false);
  const relation = model.entityByName.get('project')?.fields.find((field) => field.name === 'client');
  expect(relation).toMatchObject({ targetEntityId: client?.id, inverseName: null });
});
