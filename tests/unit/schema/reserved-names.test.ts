import { readdirSync, readFileSync } from 'node:fs';
import { Kind, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { findReservedFieldName, findReservedName } from '#schema/reserved-names.ts';
import { staticFilterTypeNames } from '#subgraphs/model/filter/sdl.ts';

const folder = new URL('../../../schema/', import.meta.url);
const published = readdirSync(folder)
  .filter((file) => file.endsWith('.graphql'))
  .flatMap((file) =>
    namesOf(readFileSync(new URL(file, folder), 'utf8')).map((name) => [file, name] as const),
  );

/** Every type, and every field of the root types. */
function namesOf(sdl: string): string[] {
  return parse(sdl).definitions.flatMap((definition) => {
    if (!('name' in definition) || !definition.name) return [];
    const isRoot = ['Query', 'Mutation', 'Subscription'].includes(definition.name.value);
    const isObject =
      definition.kind === Kind.OBJECT_TYPE_DEFINITION || definition.kind === Kind.OBJECT_TYPE_EXTENSION;
    const fields = isObject && isRoot ? (definition.fields ?? []).map((field) => field.name.value) : [];
    return [definition.name.value, ...fields];
  });
}

describe('names of the platform', () => {
  it.each(published)('%s: %s is reserved', (_file, name) => {
    expect(findReservedName(name), `add ${name} to schema/reserved-names.ts`).not.toBeNull();
  });

  it.each([...staticFilterTypeNames, 'OrderDirection', 'Query', 'String', '_Any'])(
    '%s is reserved',
    (name) => {
      expect(findReservedName(name)).not.toBeNull();
    },
  );

  it('are compared without regard to case, and cover what such an entity would generate', () => {
    expect(findReservedName('USER')).toBe('user');
    expect(findReservedName('webhookfilter')).toBe('WebhookFilter');
    expect(findReservedName('createJobs')).toBe('createJobs');
    expect(findReservedName('join__Type')).toBe('__');
  });

  it.each([
    ...[
      'contact',
      'client',
      'project',
      'activity',
      'supplier',
      'product',
      'order',
      'movie',
      'director',
      'event',
      'task',
      'item',
    ],
    ...[
      'deployment',
      'workflow',
      'person',
      'ticket',
      'address',
      'country',
      'category',
      'payment',
      'message',
      'document',
    ],
  ])('leave %s to tenants', (name) => {
    expect(findReservedName(name)).toBeNull();
  });
});

it('keeps the members of every record, and what every object inherits', () => {
  for (const name of [
    'id',
    'CREATEDAT',
    'and',
    'constructor',
    'toString',
    '__proto__',
    'hasownproperty',
    '__typename',
  ]) {
    expect(findReservedFieldName(name), name).not.toBeNull();
  }
  for (const name of ['name', 'status', 'type', 'data', 'record', 'then', 'entity', '_id']) {
    expect(findReservedFieldName(name), name).toBeNull();
  }
});
