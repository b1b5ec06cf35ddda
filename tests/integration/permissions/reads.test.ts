/**
 * The permission matrix of reading: every role × field × path, the expectation taken from the permissions alone. What is
 * hidden answers FORBIDDEN or is left out, and nothing of it stands anywhere in an answer.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Role } from '#schema/claims.ts';
import {
  definePeople,
  fillPeople,
  type People,
  personFields,
  recordCount,
  type TestedField,
} from './people.ts';
import { type ReadPath, readPaths } from './read-paths.ts';
import { createWorld, type World } from './world.ts';

let world: World;
let people: People;
beforeAll(async () => {
  world = await createWorld();
  await definePeople(world);
  people = await fillPeople(world);
}, 60_000);
afterAll(() => world[Symbol.asyncDispose]());

const heldRoles = ['VIEWER', 'USER', 'DEVELOPER', 'SERVICE'] as const;

/** Readable fields, so that each field is hidden once and shown once, also beside what paths lead through. */
const odd = personFields.filter((_, n) => n % 2 === 1).map(({ name }) => name);
const even = personFields.filter((_, n) => n % 2 === 0).map(({ name }) => name);
const links = ['team', 'mentor', 'skills'];
const readableSets: Readonly<Record<string, readonly string[]>> = {
  odd,
  even,
  'odd and links': [...new Set([...odd, ...links])],
  'even and links': [...new Set([...even, ...links])],
  nothing: [],
};

/** Texts that an answer holds only if it tells the field of some record. */
function secretsOf(field: TestedField): string[] {
  return Array.from({ length: recordCount }, (_, n) => field.value(n + 1)).flatMap((value) =>
    value === null ? [] : [JSON.stringify(value).replaceAll(/[{}"]/g, '')],
  );
}

/** Of a subscription or a list the field's own name tells that it is there. */
function isTold(answer: unknown, field: TestedField): boolean {
  const json = JSON.stringify(answer);
  return json.includes(`"${field.member}":`) || json.includes(`"${field.name}"`);
}

async function check(
  path: ReadPath,
  field: TestedField,
  role: Role,
  readable: readonly string[],
): Promise<string | null> {
  const answer = await path.send(world.as(role), field, people);
  const hidden = personFields.filter(({ name }) => !readable.includes(name));
  const leaked = hidden.flatMap(secretsOf).filter((secret) => JSON.stringify(answer.data).includes(secret));
  if (leaked.length > 0) return `tells ${leaked.join(', ')}`;
  const needed = [...(path.through ?? []), ...(path.hidden === 'FORBIDDEN' ? [field.name] : [])];
  const isForbidden = needed.some((name) => !readable.includes(name));
  const codes = answer.errors.map(({ code }) => code);
  if (isForbidden) {
    if (codes.length === 0) return `is allowed: ${JSON.stringify(answer.data)}`;
    if (codes.some((code) => code !== 'FORBIDDEN')) return `answers ${JSON.stringify(answer.errors)}`;
    const secret = personFields
      .flatMap(secretsOf)
      .find((text) => JSON.stringify(answer.errors).includes(text));
    return secret === undefined ? null : `tells ${secret} in its error`;
  }
  if (codes.length > 0) return `is refused: ${JSON.stringify(answer.errors)}`;
  if (path.hidden === 'OMITTED' && isTold(answer.data, field) !== readable.includes(field.name))
    return `${readable.includes(field.name) ? 'leaves out' : 'names'} it: ${JSON.stringify(answer.data)}`;
  return null;
}

async function failuresOf(role: Role, readable: readonly string[]): Promise<string[]> {
  const failures: string[] = [];
  for (const path of readPaths) {
    for (const field of personFields) {
      if (path.appliesTo && !path.appliesTo(field)) continue;
      const failure = await check(path, field, role, readable);
      if (failure !== null) failures.push(`${path.name}: ${field.name} ${failure}`);
    }
  }
  return failures;
}

const all = personFields.map(({ name }) => name);

describe('who is not restricted', () => {
  it.each(['VIEWER', 'USER', 'DEVELOPER', 'SERVICE', 'ADMIN'] as const)(
    '%s reads every field on every path',
    async (role) => {
      await world.permit({ person: [] });
      expect(await failuresOf(role, all)).toEqual([]);
    },
  );

  it('ADMIN does whatever others may not', async () => {
    await world.permit({ person: heldRoles.map((role) => ({ role, operations: [], readableFields: [] })) });
    expect(await failuresOf('ADMIN', all)).toEqual([]);
  });
});

describe.each(Object.entries(readableSets))('readable: %s', (_, readable) => {
  beforeAll(() => world.permit({ person: heldRoles.map((role) => ({ role, readableFields: readable })) }));

  it.each(heldRoles)('%s reads that, and nothing else', async (role) => {
    expect(await failuresOf(role, readable)).toEqual([]);
  });

  it('is what a search looks into', async () => {
    for (const field of personFields) {
      const isSearchable = field.definition['isSearchable'] === true;
      if (!isSearchable) continue;
      for (const role of heldRoles) {
        const search = String(field.value(3));
        const { data, errors } = await world.as(role).ask(
          `query ($search: String) { people(search: $search) { totalCount nodes { id } } peopleAggregate(search: $search) { count }
            records(entity: "person", search: $search) { totalCount } }`,
          { search },
        );
        expect(errors).toEqual([]);
        const count = readable.includes(field.name) ? 1 : 0;
        expect([field.name, data.people.totalCount, data.people.nodes.length]).toEqual([
          field.name,
          count,
          count,
        ]);
        expect([data.peopleAggregate[0].count, data.records.totalCount]).toEqual([count, count]);
      }
    }
  });
});

describe('a role without READ', () => {
  it.each(heldRoles)('%s finds nothing on any path', async (role) => {
    await world.permit({
      person: [{ role, operations: ['CREATE', 'UPDATE', 'DELETE', 'RESTORE', 'PURGE'] }],
    });
    const failures: string[] = [];
    for (const path of readPaths) {
      for (const field of personFields) {
        if (path.appliesTo && !path.appliesTo(field)) continue;
        const { data, errors } = await path.send(world.as(role), field, people);
        if (errors.length === 0 || errors.some(({ code }) => code !== 'FORBIDDEN'))
          failures.push(`${path.name}: ${field.name} answers ${JSON.stringify({ data, errors })}`);
        if (personFields.flatMap(secretsOf).some((secret) => JSON.stringify(data).includes(secret)))
          failures.push(`${path.name}: ${field.name} tells ${JSON.stringify(data)}`);
      }
    }
    expect(failures).toEqual([]);
  });
});
