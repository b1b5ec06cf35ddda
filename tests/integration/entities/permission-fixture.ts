/** A tenant in which USER is held to much: some fields, its own contacts, companies that are not secret. */
import { randomUUID } from 'node:crypto';
import type { Anything, EntitiesFixture, EntitiesTenant } from './fixture.ts';

export interface Firm {
  readonly admin: EntitiesTenant;
  /** A USER. Sees contacts whose `ownerId` is its own, and companies that are not `isSecret`. */
  readonly user: EntitiesTenant;
  /** Names by id, and ids by name. */
  readonly ids: Readonly<Record<string, string>>;
}

export const setPermissions =
  'mutation ($entity: String!, $permissions: [PermissionInput!]!) { setPermissions(entity: $entity, permissions: $permissions) { id } }';

/**
 * `ann` and `ben` are the user's, at `open` and `secret`; `cid` and `dot` are another's, at `open` and nowhere. `ann`'s boss
 * is `cid`, `ben`'s is `ann`. `ann` has the tag `red`, `cid` has `red` and `blue`; `blue` is hidden. Salaries 10, 20, 30, 40.
 */
export async function createFirm(fixture: EntitiesFixture): Promise<Firm> {
  const admin = await fixture.addTenant();
  const user = admin.as({ role: 'USER', actorId: randomUUID() });
  await admin.createEntity({
    name: 'company',
    fields: [
      { name: 'name', type: 'TEXT', isUnique: true },
      { name: 'secret', type: 'TEXT' },
      { name: 'isSecret', type: 'BOOLEAN' },
    ],
  });
  await admin.createEntity({ name: 'tag', fields: [{ name: 'name', type: 'TEXT' }] });
  await admin.createEntity({
    name: 'contact',
    fields: [
      { name: 'name', type: 'TEXT', isUnique: true },
      { name: 'salary', type: 'INTEGER' },
      { name: 'ssn', type: 'TEXT', isUnique: true },
      { name: 'note', type: 'TEXT', defaultValue: 'none' },
      { name: 'hiredAt', type: 'DATETIME' },
      { name: 'ownerId', type: 'TEXT' },
      { name: 'company', type: 'RELATION', targetEntity: 'company', inverseName: 'contacts' },
      { name: 'boss', type: 'RELATION', targetEntity: 'contact', inverseName: 'reports' },
      { name: 'tags', type: 'MULTI_RELATION', targetEntity: 'tag', inverseName: 'contacts' },
    ],
  });
  const ids: Record<string, string> = {};
  const create = async (type: string, input: Record<string, unknown>): Promise<void> => {
    const created = await admin.query(
      `mutation ($input: Create${type}Input!) { one: create${type}(input: $input) { id } }`,
      { input },
    );
    ids[input['name'] as string] = created.one.id;
    ids[created.one.id] = input['name'] as string;
  };
  await create('Company', { name: 'open', secret: 'gold', isSecret: false });
  await create('Company', { name: 'secret', secret: 'silver', isSecret: true });
  await create('Tag', { name: 'red' });
  await create('Tag', { name: 'blue' });
  const own = { ownerId: user.claims.actorId };
  const others = { ownerId: randomUUID() };
  const hiredAt = '2026-01-01T00:00:00Z';
  const { open, secret, red, blue } = ids;
  await create('Contact', {
    name: 'cid',
    salary: 30,
    ssn: 'c',
    companyId: open,
    tags: { connect: [red, blue] },
    ...others,
  });
  const { cid } = ids;
  await create('Contact', {
    name: 'ann',
    salary: 10,
    ssn: 'a',
    hiredAt,
    companyId: open,
    bossId: cid,
    tags: { connect: [red] },
    ...own,
  });
  await create('Contact', {
    name: 'ben',
    salary: 20,
    ssn: 'b',
    hiredAt,
    companyId: secret,
    bossId: ids['ann'],
    ...own,
  });
  await create('Contact', { name: 'dot', salary: 40, ssn: 'd', hiredAt, ...others });
  await admin.query(setPermissions, {
    entity: 'contact',
    permissions: [
      {
        role: 'USER',
        readableFields: ['name', 'note', 'hiredAt', 'ownerId', 'company', 'tags'],
        writableFields: ['name', 'ssn', 'hiredAt', 'ownerId', 'company', 'tags'],
        rowFilter: { ownerId: { eq: '$me' } },
      },
    ],
  });
  await admin.query(setPermissions, {
    entity: 'company',
    permissions: [{ role: 'USER', readableFields: ['name'], rowFilter: { isSecret: { ne: true } } }],
  });
  await admin.query(setPermissions, {
    entity: 'tag',
    permissions: [{ role: 'USER', rowFilter: { name: { ne: 'blue' } } }],
  });
  return { admin, user, ids };
}

/** The `name` of each. */
export const namesOf = (records: readonly Anything[]): string[] =>
  records.map((record) => record?.name ?? null);
