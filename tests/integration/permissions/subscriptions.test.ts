/** What subscribers who are held to permissions are told of changes, live, resumed and read as a list. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Anything, type Answer, createWorld, personId, type Stream, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
  const define = 'mutation ($input: CreateEntityInput!) { createEntity(input: $input) { id } }';
  await world.arrange(define, {
    input: {
      name: 'team',
      fields: [
        { name: 'name', type: 'TEXT' },
        { name: 'region', type: 'TEXT' },
      ],
    },
  });
  await world.arrange(define, {
    input: {
      name: 'person',
      pluralName: 'people',
      fields: [
        { name: 'name', type: 'TEXT' },
        { name: 'secret', type: 'TEXT' },
        { name: 'ownerId', type: 'TEXT' },
        { name: 'team', type: 'RELATION', targetEntity: 'team', inverseName: 'people' },
      ],
    },
  });
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(() => world.permit({ person: [], team: [] }));

const changed = `subscription ($filter: PersonFilter, $operations: [ChangeOperation!], $after: String) {
  personChanged(filter: $filter, operations: $operations, after: $after) { cursor operation personId changedFields } }`;
const anyChanged = `subscription ($entities: [String!], $after: String) {
  recordChanged(entities: $entities, after: $after) { cursor operation entity recordId record changedFields } }`;
const log = `query ($first: Int, $after: String, $entities: [String!]) { changes(first: $first, after: $after, entities: $entities) {
  nodes { operation entity recordId record changedFields } pageInfo { endCursor hasNextPage } } }`;

async function open(by: 'USER' | 'VIEWER', query: string, variables: object = {}, n = 1): Promise<Stream> {
  const stream = await world.as(by, n).subscribe(query, { ...variables });
  if ('errors' in stream) throw new Error(JSON.stringify(stream.errors));
  return stream;
}

async function refused(
  by: 'USER' | 'VIEWER',
  query: string,
  variables: object = {},
): Promise<Answer['errors'][0]> {
  const stream = await world.as(by).subscribe(query, { ...variables });
  if (!('errors' in stream)) throw new Error('it was allowed');
  return stream.errors[0] as Answer['errors'][0];
}

async function take(stream: Stream, count: number): Promise<Anything[]> {
  const values = [];
  while (values.length < count) {
    const { data, errors } = await stream.next();
    if (errors.length > 0) throw new Error(JSON.stringify(errors));
    values.push(Object.values(data)[0]);
  }
  return values;
}

const create = async (input: object): Promise<string> =>
  (
    await world.arrange('mutation ($input: CreatePersonInput!) { createPerson(input: $input) { id } }', {
      input,
    })
  ).createPerson.id;
const update = (id: string, input: object) =>
  world.arrange(
    'mutation ($id: ID!, $input: UpdatePersonInput!) { updatePerson(id: $id, input: $input) { id } }',
    {
      id,
      input,
    },
  );
const remove = (id: string) => world.arrange('mutation ($id: ID!) { deletePerson(id: $id) { id } }', { id });
const createTeam = async (input: object): Promise<string> =>
  (await world.arrange('mutation ($input: CreateTeamInput!) { createTeam(input: $input) { id } }', { input }))
    .createTeam.id;
const head = async (): Promise<string> =>
  (await world.admin.askLog('{ changes(first: 0) { pageInfo { endCursor } } }')).data.changes.pageInfo
    .endCursor;

const hideSecret = { role: 'USER', readableFields: ['name', 'ownerId', 'team'] };

describe('a hidden field', () => {
  it('is not among the changed ones, and its change alone is no change', async () => {
    await world.permit({ person: [hideSecret] });
    await using stream = await open('USER', changed);
    await using any = await open('USER', anyChanged);
    const id = await create({ name: 'a', secret: 's1-hidden' });
    await update(id, { secret: 's2-hidden' });
    await update(id, { name: 'b', secret: 's3-hidden' });
    await remove(id);
    const told = await take(stream, 3);
    expect(told.map(({ operation, changedFields }) => [operation, changedFields])).toEqual([
      ['CREATED', ['name']],
      ['UPDATED', ['name']],
      ['DELETED', []],
    ]);
    const records = await take(any, 3);
    expect(records.map(({ operation }) => operation)).toEqual(['CREATED', 'UPDATED', 'DELETED']);
    expect(records[1].record).toMatchObject({ name: 'b', version: 3 });
    expect(JSON.stringify(records)).not.toMatch(/hidden|secret/);
    // Whoever may see it is told of everything.
    const { data } = await world.admin.askLog(log, { after: told[0].cursor });
    expect(data.changes.nodes).toHaveLength(3);
    const { data: own } = await world.as('USER').askLog(log, { after: told[0].cursor });
    expect(own.changes.nodes.map((node: Anything) => node.operation)).toEqual(['UPDATED', 'DELETED']);
    expect(JSON.stringify(own)).not.toMatch(/hidden|secret/);
  });

  it('cannot be filtered by, also through a relation', async () => {
    await world.permit({ person: [hideSecret], team: [{ role: 'USER', readableFields: ['name'] }] });
    expect(await refused('USER', changed, { filter: { secret: { eq: 'x' } } })).toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringMatching(/secret.*person/),
    });
    expect(
      await refused('USER', changed, { filter: { not: { or: [{ secret: { isNull: true } }] } } }),
    ).toMatchObject({
      code: 'FORBIDDEN',
    });
    expect(await refused('USER', changed, { filter: { team: { region: { eq: 'EU' } } } })).toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringMatching(/region.*team/),
    });
    await using stream = await open('USER', changed, { filter: { team: { name: { eq: 'x' } } } });
    expect(stream).toBeDefined();
  });
});

describe('an entity that may not be read', () => {
  const none = { role: 'USER', operations: ['CREATE'] };

  it('cannot be subscribed to by name, and is left out where all are asked for', async () => {
    await world.permit({ person: [none] });
    expect(await refused('USER', changed)).toMatchObject({ code: 'FORBIDDEN' });
    expect(await refused('USER', anyChanged, { entities: ['team', 'person'] })).toMatchObject({
      code: 'FORBIDDEN',
    });
    const after = await head();
    await using any = await open('USER', anyChanged);
    await create({ name: 'nobody' });
    await createTeam({ name: 'seen' });
    expect(await take(any, 1)).toMatchObject([{ entity: 'team' }]);
    const { data } = await world.as('USER').askLog(log, { after });
    expect(data.changes.nodes).toMatchObject([{ entity: 'team' }]);
    const { errors } = await world.as('USER').askLog(log, { after, entities: ['person'] });
    expect(errors).toMatchObject([{ code: 'FORBIDDEN' }]);
  });
});

describe('a row filter', () => {
  const byName = { role: 'USER', rowFilter: { secret: { startsWith: 'open' } } };

  it('lets records enter and leave, by what they were and are', async () => {
    await world.permit({ person: [byName] });
    await using stream = await open('USER', changed);
    await using any = await open('USER', anyChanged);
    const id = await create({ name: 'a', secret: 'closed-1' });
    await update(id, { secret: 'closed-2' });
    await update(id, { secret: 'open-1' });
    await update(id, { name: 'b' });
    await update(id, { secret: 'closed-3' });
    await update(id, { name: 'c' });
    await remove(id);
    const other = await create({ name: 'z', secret: 'open-2' });
    await remove(other);
    const expected = ['ENTERED', 'UPDATED', 'LEFT', 'CREATED', 'DELETED'];
    expect((await take(stream, 5)).map(({ operation }) => operation)).toEqual(expected);
    const records = await take(any, 5);
    expect(records.map(({ operation }) => operation)).toEqual(expected);
    expect(records[0].record).toMatchObject({ name: 'a', secret: 'open-1' });
    expect(records[2].record).toBeNull();
    expect(JSON.stringify(records)).not.toContain('closed');
  });

  it("goes with a subscriber's own filter", async () => {
    await world.permit({ person: [byName] });
    await using stream = await open('USER', changed, { filter: { name: { eq: 'a' } } });
    const id = await create({ name: 'a', secret: 'closed' });
    await update(id, { name: 'b', secret: 'open' });
    await update(id, { name: 'a' });
    await update(id, { secret: 'closed' });
    await update(id, { name: 'x', secret: 'open' });
    await create({ name: 'a', secret: 'open' });
    expect((await take(stream, 3)).map(({ operation }) => operation)).toEqual(['ENTERED', 'LEFT', 'CREATED']);
  });

  it('may follow relations: what the record refers to then, as that is now', async () => {
    await world.permit({
      person: [{ role: 'USER', rowFilter: { team: { region: { eq: 'EU' } } } }],
      team: [{ role: 'USER', operations: [] }],
    });
    const [eu, us] = [await createTeam({ region: 'EU' }), await createTeam({ region: 'US' })];
    const after = await head();
    await using stream = await open('USER', changed);
    const id = await create({ name: 'a', teamId: us });
    await update(id, { teamId: eu });
    await update(id, { name: 'b' });
    await update(id, { teamId: us });
    await remove(id);
    const last = await create({ name: 'c', teamId: eu });
    const expected = ['ENTERED', 'UPDATED', 'LEFT', 'CREATED'];
    expect((await take(stream, 4)).map(({ operation }) => operation)).toEqual(expected);
    await using resumed = await open('USER', changed, { after });
    const told = await take(resumed, 4);
    expect(told.map(({ operation }) => operation)).toEqual(expected);
    expect(told[3].personId).toBe(last);
    const { data } = await world.as('USER').askLog(log, { after });
    expect(data.changes.nodes.map((node: Anything) => node.operation)).toEqual(expected);
  });

  it('is of the person who subscribes, where it names them', async () => {
    await world.permit({ person: [{ role: 'USER', rowFilter: { ownerId: { eq: '$me' } } }] });
    await using mine = await open('USER', changed);
    await using theirs = await open('USER', changed, {}, 2);
    const own = await create({ ownerId: personId('USER', 1) });
    const other = await create({ ownerId: personId('USER', 2) });
    await update(own, { ownerId: personId('USER', 2) });
    expect((await take(mine, 2)).map(({ operation, personId: id }) => [operation, id])).toEqual([
      ['CREATED', own],
      ['LEFT', own],
    ]);
    expect((await take(theirs, 2)).map(({ operation, personId: id }) => [operation, id])).toEqual([
      ['CREATED', other],
      ['ENTERED', own],
    ]);
  });

  it('is applied to a list of changes that is mostly hidden, page by page', async () => {
    await world.permit({ person: [byName] });
    const after = await head();
    for (let n = 0; n < 30; n++) await create({ name: `n${n}`, secret: n % 10 === 9 ? 'open' : 'closed' });
    const names: string[] = [];
    let place: string | null = after;
    for (let n = 0; n < 10 && place !== null; n++) {
      const { data }: Answer = await world.as('USER').askLog(log, { after: place, first: 2 });
      names.push(...data.changes.nodes.map((node: Anything) => node.record.name));
      place = data.changes.pageInfo.hasNextPage ? data.changes.pageInfo.endCursor : null;
    }
    expect(names).toEqual(['n9', 'n19', 'n29']);
  });
});

describe('permissions that change', () => {
  it('hold for live subscribers from the next event on, who shared everything before', async () => {
    await using user = await open('USER', anyChanged);
    await using viewer = await open('VIEWER', anyChanged);
    await using second = await open('USER', anyChanged, {}, 2);
    await create({ name: 'a', secret: 'first-secret' });
    for (const stream of [user, viewer, second])
      expect((await take(stream, 1))[0].record.secret).toBe('first-secret');
    await world.permit({ person: [hideSecret] });
    await create({ name: 'b', secret: 'second-secret' });
    expect(JSON.stringify(await take(user, 1))).not.toContain('secret');
    expect((await take(viewer, 1))[0].record.secret).toBe('second-secret');
    expect(JSON.stringify(await take(second, 1))).not.toContain('secret');
    // One feed for both becomes one for each.
    await world.permit({ person: [{ role: 'USER', rowFilter: { ownerId: { eq: '$me' } } }] });
    await create({ name: 'c', ownerId: personId('USER', 2) });
    await create({ name: 'd', ownerId: personId('USER', 1) });
    expect((await take(user, 1))[0].record.name).toBe('d');
    expect((await take(second, 1))[0].record.name).toBe('c');
    await world.permit({ person: [] });
    await create({ name: 'e' });
    for (const stream of [user, second]) expect((await take(stream, 1))[0].record.name).toBe('e');
    expect((await take(viewer, 3)).map(({ record }) => record.name)).toEqual(['c', 'd', 'e']);
  });

  it('end a subscription that they do not allow any more', async () => {
    await using stream = await open('USER', changed, { filter: { secret: { eq: 'x' } } });
    await using other = await open('USER', changed);
    await using named = await open('USER', anyChanged, { entities: ['person'] });
    await world.permit({ person: [hideSecret] });
    expect((await stream.next()).errors).toMatchObject([{ code: 'FORBIDDEN' }]);
    await create({ name: 'still' });
    await take(other, 1);
    await take(named, 1);
    await world.permit({ person: [{ role: 'USER', operations: ['CREATE'] }] });
    expect((await other.next()).errors).toMatchObject([{ code: 'FORBIDDEN' }]);
    expect((await named.next()).errors).toMatchObject([{ code: 'FORBIDDEN' }]);
  });

  it('hold for what happened before them, when somebody resumes', async () => {
    const after = await head();
    await using keeper = await open('VIEWER', anyChanged);
    await create({ name: 'a', secret: 'past-secret' });
    await take(keeper, 1);
    await world.permit({ person: [hideSecret] });
    // Out of memory: the keeper's reader holds the event as it was read.
    await using resumed = await open('USER', anyChanged, { after });
    const [told] = await take(resumed, 1);
    expect(told).toMatchObject({ operation: 'CREATED', changedFields: ['name'] });
    expect(JSON.stringify(told)).not.toContain('secret');
  });
});
