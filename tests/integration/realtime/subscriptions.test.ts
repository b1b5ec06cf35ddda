/** The realtime subgraph as the gateway sees it: what is delivered to whom, and how streams end. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anonymousClaims } from '#schema/claims.ts';
import { encodeLogCursor } from '#schema/events.ts';
import type { RealtimeService } from '#subgraphs/realtime/service.ts';
import { testClaims } from '#tests/harness/claims.ts';
import {
  createRealtimeFixture,
  open,
  type RealtimeFixture,
  type RealtimeTenant,
  request,
} from './fixture.ts';

let fixture: RealtimeFixture;
let service: RealtimeService;
let tenant: RealtimeTenant;

beforeAll(async () => {
  fixture = await createRealtimeFixture();
  service = fixture.createService();
  tenant = await fixture.addTenant();
  await tenant.addEntity('company', [{ name: 'name' }, { name: 'size', type: 'INTEGER' }]);
  await tenant.addEntity('contact', [
    { name: 'name' },
    { name: 'status', type: 'SELECT', options: ['OPEN', 'DONE'] },
    { name: 'score', type: 'INTEGER' },
    { name: 'company', type: 'RELATION', target: 'company', inverseName: 'contacts' },
  ]);
});
afterAll(() => fixture[Symbol.asyncDispose]());

const update = (recordId: string, before: Record<string, unknown>, after: Record<string, unknown>) => ({
  recordId,
  operation: 'UPDATED' as const,
  changedFields: Object.keys(after).filter((key) => after[key] !== before[key]),
  before,
  after,
});

describe('contactChanged', () => {
  it('tells of every operation, in order, with names, actor and a reference to the record', async () => {
    await using changes = await open(
      service,
      tenant.claims,
      `subscription { contactChanged { cursor operation contactId contact { id } changedFields actor { id } at } }`,
    );
    const recordId = randomUUID();
    await tenant.append([{ recordId, after: { name: 'Ada' } }]);
    await tenant.append([
      update(recordId, { name: 'Ada' }, { name: 'Ada', score: 1, company: null, gone: 3 }),
      { recordId, operation: 'DELETED', before: { name: 'Ada' }, after: null },
    ]);
    const last = await tenant.append([
      { recordId, operation: 'RESTORED', after: { name: 'Ada' }, changedFields: [] },
    ]);
    const told = await changes.take(4);
    expect(told.map((change) => change.operation)).toEqual(['CREATED', 'UPDATED', 'DELETED', 'RESTORED']);
    expect(told.map((change) => change.contact)).toEqual([
      { id: recordId },
      { id: recordId },
      null,
      { id: recordId },
    ]);
    expect(told[1].changedFields).toEqual(['score', 'company']);
    expect(told[3].cursor).toBe(encodeLogCursor(last));
    expect(told[3].actor).toEqual({ id: tenant.claims.actorId });
    expect(told[3].at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it('tells nothing of other entities, records or operations than asked for', async () => {
    const recordId = randomUUID();
    await using changes = await open(
      service,
      tenant.claims,
      `subscription ($ids: [ID!]) { contactChanged(ids: $ids, operations: [UPDATED]) { contactId operation } }`,
      { ids: [recordId.toUpperCase()] },
    );
    await tenant.append([
      { entity: 'company', recordId, operation: 'UPDATED' },
      { operation: 'UPDATED' },
      { recordId, operation: 'CREATED' },
      { recordId, operation: 'UPDATED' },
    ]);
    expect(await changes.take(1)).toEqual([{ contactId: recordId, operation: 'UPDATED' }]);
  });

  it('begins at the head as it was when the subscription was answered', async () => {
    await tenant.append([{ recordId: randomUUID() }]);
    await using changes = await open(service, tenant.claims, `subscription { contactChanged { contactId } }`);
    const recordId = randomUUID();
    await tenant.append([{ recordId }]);
    expect(await changes.take(1)).toEqual([{ contactId: recordId }]);
  });
});

describe('a filter', () => {
  const filtered = `subscription ($filter: ContactFilter, $operations: [ChangeOperation!]) {
    contactChanged(filter: $filter, operations: $operations) { operation contactId contact { id } }
  }`;
  /** What a life of one record looks like through a filter `score > 10`. */
  async function live(operations: string[] | null): Promise<string[]> {
    await using changes = await open(service, tenant.claims, filtered, {
      filter: { score: { gt: 10 } },
      operations,
    });
    const recordId = randomUUID();
    const end = randomUUID();
    await tenant.append([
      { recordId, after: { score: 1 } },
      update(recordId, { score: 1 }, { score: 11 }),
      update(recordId, { score: 11 }, { score: 12 }),
      update(recordId, { score: 12 }, { score: 2 }),
      update(recordId, { score: 2 }, { score: 3 }),
      { recordId, operation: 'DELETED', before: { score: 3 }, after: null },
      { recordId, operation: 'RESTORED', after: { score: 30 } },
      { recordId, operation: 'DELETED', before: { score: 30 }, after: null },
      { recordId: end, after: { score: 99 } },
      { recordId: end, operation: 'DELETED', before: { score: 99 }, after: null },
      update(end, { score: 1 }, { score: 99 }),
    ]);
    const told: string[] = [];
    for (;;) {
      const [change] = await changes.take(1);
      if (change.contactId === end) return told;
      expect(change.contact).toEqual(
        ['LEFT', 'DELETED'].includes(change.operation) ? null : { id: recordId },
      );
      told.push(change.operation);
    }
  }

  it('tells of entering and leaving where no operations are named', async () => {
    expect(await live(null)).toEqual(['ENTERED', 'UPDATED', 'LEFT', 'RESTORED', 'DELETED']);
  });

  it('tells only what was asked for, an entering update as UPDATED where ENTERED was not', async () => {
    expect(await live(['UPDATED', 'CREATED'])).toEqual(['UPDATED', 'UPDATED']);
    expect(await live(['ENTERED', 'LEFT'])).toEqual(['ENTERED', 'LEFT']);
    expect(await live(['UPDATED', 'ENTERED'])).toEqual(['ENTERED', 'UPDATED']);
    expect(await live(['DELETED'])).toEqual(['DELETED']);
  });

  it('through a relation goes by what the related record is now', async () => {
    const [large, small, inside, outside] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
    await tenant.insertRecord('company', large, { size: 500 });
    await tenant.insertRecord('company', small, { size: 5 });
    await tenant.insertRecord('contact', inside, { name: 'in', company: large });
    await tenant.insertRecord('contact', outside, { name: 'out', company: small });
    await using changes = await open(service, tenant.claims, filtered, {
      filter: { company: { size: { gte: 100 } } },
    });
    await tenant.append([
      { recordId: outside, after: { name: 'out', company: small } },
      update(outside, { name: 'o', company: small }, { name: 'out', company: small }),
      { recordId: inside, after: { name: 'in', company: large } },
      update(inside, { name: 'i', company: large }, { name: 'in', company: large }),
      update(inside, { name: 'in', company: null }, { name: 'in', company: large }),
      update(outside, { name: 'out', company: large }, { name: 'out', company: small }),
      update(outside, { name: 'out', company: large }, { name: 'out', company: null }),
      { recordId: inside, operation: 'DELETED', before: { name: 'in', company: large }, after: null },
    ]);
    expect((await changes.take(6)).map(({ contactId, operation }) => [contactId, operation])).toEqual([
      [inside, 'CREATED'],
      [inside, 'UPDATED'],
      [inside, 'ENTERED'],
      [outside, 'LEFT'],
      [outside, 'LEFT'],
      [inside, 'DELETED'],
    ]);
  });

  it('asks the store once for a batch of events, however many subscribers look at it', async () => {
    let statements = 0;
    const counting = fixture.createService(undefined, {
      ...fixture.store,
      findMatching: (...request) => {
        statements += 1;
        return fixture.store.findMatching(...request);
      },
    });
    const large = randomUUID();
    await tenant.insertRecord('company', large, { size: 500 });
    const ids = Array.from({ length: 50 }, () => randomUUID());
    for (const id of ids) await tenant.insertRecord('contact', id, { company: large });
    const filter = { company: { size: { gte: 100 } } };
    const streams = await Promise.all(
      Array.from({ length: 20 }, () => open(counting, tenant.claims, filtered, { filter })),
    );
    await tenant.append(ids.map((recordId) => ({ recordId, after: { company: large } })));
    for (const stream of streams) {
      expect((await stream.take(50)).map((change) => change.contactId)).toEqual(ids);
      await stream[Symbol.asyncDispose]();
    }
    expect(statements).toBe(1);
    expect(counting.readerCount).toBe(0);
  });

  it('that is no filter of the entity is refused with the field and the rule', async () => {
    const outcome = await service.subscribe(
      request(tenant.claims, filtered, { filter: { name: { startsWith: null } } }),
    );
    expect(outcome).toMatchObject({
      errors: [
        {
          extensions: { code: 'BAD_USER_INPUT', fields: [{ field: 'filter.name.startsWith', rule: 'null' }] },
        },
      ],
    });
  });
});

describe('recordChanged', () => {
  it('tells of any entity, with the record by name', async () => {
    await using changes = await open(
      service,
      tenant.claims,
      `subscription { recordChanged { operation entity recordId record changedFields } }`,
    );
    const [company, contact] = [randomUUID(), randomUUID()];
    await tenant.append([
      { entity: 'company', recordId: company, after: { name: 'Initech', size: 3 } },
      { recordId: contact, after: { name: 'Peter', company, status: 'GONE' } },
      { recordId: contact, operation: 'DELETED', before: { name: 'Peter' }, after: { name: 'Peter' } },
    ]);
    const [first, second, third] = await changes.take(3);
    expect(first).toMatchObject({
      entity: 'company',
      record: { id: company, name: 'Initech', size: 3, version: 1 },
    });
    expect(second.changedFields).toEqual(['name', 'status', 'company']);
    // An option that is no longer there reads as none, as in the graph.
    expect(second.record).toMatchObject({ name: 'Peter', companyId: company, status: null, score: null });
    expect(third).toMatchObject({ operation: 'DELETED', record: null, recordId: contact });
  });

  it('takes names and operations', async () => {
    await using changes = await open(
      service,
      tenant.claims,
      `subscription { recordChanged(entities: ["company"], operations: [DELETED]) { entity operation } }`,
    );
    await tenant.append([
      { operation: 'DELETED', after: null },
      { entity: 'company' },
      { entity: 'company', operation: 'DELETED', after: null },
    ]);
    expect(await changes.take(1)).toEqual([{ entity: 'company', operation: 'DELETED' }]);
    const unknown = await service.subscribe(
      request(tenant.claims, `subscription { recordChanged(entities: ["planet"]) { entity } }`),
    );
    expect(unknown).toMatchObject({
      errors: [{ message: expect.stringContaining('planet'), extensions: { code: 'NOT_FOUND' } }],
    });
  });
});

describe('a change of definitions', () => {
  it('is told, and subscriptions go on under the new names', async () => {
    const own = await fixture.addTenant();
    await own.addEntity('contact', [{ name: 'name' }, { name: 'age', type: 'INTEGER' }]);
    await using definitions = await open(
      service,
      own.claims,
      `subscription { definitionsChanged { version actor { id } } }`,
    );
    await using changes = await open(
      service,
      own.claims,
      `subscription { contactChanged(filter: { age: { gt: 1 } }) { contactId changedFields } }`,
    );
    await own.append([{ recordId: randomUUID(), after: { age: 5 } }]);
    const version = await own.changeDefinitions(
      `update field_definitions set name = 'years' where tenant_id = $1 and name = 'name'`,
    );
    await own.append([{ recordId: randomUUID(), after: { name: 'x', age: 2 } }]);
    const told = await changes.take(2);
    expect(told.map((change) => change.changedFields)).toEqual([['age'], ['years', 'age']]);
    expect(await definitions.take(1)).toEqual([{ version, actor: { id: own.claims.actorId } }]);
  });

  it('that deletes the entity ends its subscriptions by name, after what came before', async () => {
    const own = await fixture.addTenant();
    await own.addEntity('contact');
    await own.addEntity('project');
    await using typed = await open(service, own.claims, `subscription { contactChanged { contactId } }`);
    await using named = await open(
      service,
      own.claims,
      `subscription { recordChanged(entities: ["contact"]) { recordId } }`,
    );
    await using other = await open(service, own.claims, `subscription { projectChanged { projectId } }`);
    const recordId = randomUUID();
    await own.append([{ recordId }]);
    expect(await typed.take(1)).toEqual([{ contactId: recordId }]);
    expect(await named.take(1)).toEqual([{ recordId }]);
    await own.changeDefinitions(`delete from entity_definitions where tenant_id = $1 and name = 'contact'`);
    await own.append([{ entity: 'project', recordId }]);
    for (const stream of [typed, named]) {
      const { errors } = await stream.next();
      expect(errors).toMatchObject([
        { extensions: { code: 'NOT_FOUND' }, message: expect.stringContaining('"contact"') },
      ]);
      expect((await stream.iterator.next()).done).toBe(true);
    }
    expect(await other.take(1)).toEqual([{ projectId: recordId }]);
  });

  it('that takes away what a filter uses ends the subscription with the member that is unknown', async () => {
    const own = await fixture.addTenant();
    await own.addEntity('contact', [{ name: 'name' }, { name: 'age', type: 'INTEGER' }]);
    await using changes = await open(
      service,
      own.claims,
      `subscription { contactChanged(filter: { age: { gt: 1 } }) { contactId } }`,
    );
    await own.changeDefinitions(`delete from field_definitions where tenant_id = $1 and name = 'age'`);
    expect((await changes.next()).errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  });
});

describe('who may subscribe', () => {
  const anything = `subscription { recordChanged { recordId } }`;
  const head = `{ changes(first: 0) { pageInfo { endCursor } } }`;
  const refusals = [
    ['nobody', anonymousClaims, 'UNAUTHENTICATED'],
    [
      'an operator without a tenant',
      { ...testClaims(''), tenantId: null, actorKind: 'OPERATOR', role: 'OPERATOR' },
      'TENANT_REQUIRED',
    ],
    ['the gateway itself', { ...anonymousClaims, actorKind: 'GATEWAY' }, 'UNAUTHENTICATED'],
  ] as const;
  it.each(refusals)('not %s', async (_who, claims, code) => {
    expect(await service.subscribe(request(claims, anything))).toMatchObject({
      errors: [{ extensions: { code } }],
    });
    expect(await service.execute(request(claims, head))).toMatchObject({
      errors: [{ extensions: { code } }],
    });
  });

  it('a viewer', async () => {
    const viewer = testClaims(tenant.id, { role: 'VIEWER' });
    await using changes = await open(service, viewer, anything);
    const recordId = randomUUID();
    await tenant.append([{ recordId }]);
    expect(await changes.take(1)).toEqual([{ recordId }]);
  });

  it('each its own tenant only, also with the ids, entities and cursors of another', async () => {
    const other = await fixture.addTenant();
    await other.addEntity('contact');
    const foreign = await tenant.append([{ recordId: randomUUID(), after: { name: 'secret' } }]);
    await using changes = await open(
      service,
      other.claims,
      `subscription { contactChanged { contactId contact { id } } }`,
    );
    await using records = await open(service, other.claims, anything);
    await tenant.append([{ recordId: randomUUID() }]);
    const recordId = randomUUID();
    await other.append([{ recordId }]);
    expect(await changes.take(1)).toEqual([{ contactId: recordId, contact: { id: recordId } }]);
    expect(await records.take(1)).toEqual([{ recordId }]);

    // A cursor is only a place: another tenant's is ahead of this log, or a place in this one.
    const ahead = await service.subscribe(
      request(other.claims, `subscription ($after: String) { recordChanged(after: $after) { recordId } }`, {
        after: encodeLogCursor(foreign),
      }),
    );
    expect(ahead).toMatchObject({
      errors: [{ extensions: { code: 'BAD_USER_INPUT', fields: [{ field: 'after' }] } }],
    });
  });

  it.each(['', 'x', 'bG9nOi0x', 'bG9nOjFlOQ', "bG9nOjE' or 1=1", encodeLogCursor(999_999_999)])(
    'and no forged cursor: %s',
    async (after) => {
      const outcome = await service.subscribe(
        request(
          tenant.claims,
          `subscription ($after: String) { contactChanged(after: $after) { contactId } }`,
          { after },
        ),
      );
      expect(outcome).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
    },
  );
});
