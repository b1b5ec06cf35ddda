import { describe, expect, it } from 'vitest';
import {
  enumValueOf,
  generatedNames,
  relationIdName,
  selectEnumName,
  typeName,
} from '#subgraphs/model/names.ts';
import { testModel } from './fields.ts';

describe('names', () => {
  it.each([
    ['email', 'EMAIL'],
    ['taxId', 'TAX_ID'],
    ['url2', 'URL2'],
    ['HTMLBody', 'HTML_BODY'],
    ['already_snake', 'ALREADY_SNAKE'],
  ])('%s is the enum value %s', (name, expected) => {
    expect(enumValueOf(name)).toBe(expected);
  });

  it('follow from the entity and its fields', () => {
    const model = testModel({
      contact: [
        { name: 'email', type: 'EMAIL', isUnique: true },
        { name: 'status', type: 'SELECT', options: [{ value: 'A', label: 'a' }] },
      ],
    });
    const contact = model.entityByName.get('contact');
    if (!contact) throw new Error('no contact');
    expect(model.entityByType.get('Contact')).toBe(contact);
    expect(typeName(contact)).toBe('Contact');
    expect(relationIdName('company')).toBe('companyId');
    expect(selectEnumName(contact, { name: 'status' })).toBe('ContactStatus');
    const names = generatedNames(contact);
    expect(names.types).toEqual(
      expect.arrayContaining([
        'Contact',
        'ContactFilter',
        'ContactStatus',
        'CreateContactInput',
        'ContactConnection',
      ]),
    );
    expect(names.rootFields).toEqual(
      expect.arrayContaining([
        'contact',
        'contacts',
        'createContact',
        'createContacts',
        'contactByEmail',
        'contactChanged',
      ]),
    );
    expect(new Set([...names.types]).size).toBe(names.types.length);
  });
});
