/** Changes of records that refer to one of several entities: which are delivered, and what they say. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RealtimeService } from '#subgraphs/realtime/service.ts';
import { createRealtimeFixture, open, type RealtimeFixture, type RealtimeTenant } from './fixture.ts';

let fixture: RealtimeFixture;
let service: RealtimeService;
let tenant: RealtimeTenant;

beforeAll(async () => {
  fixture = await createRealtimeFixture();
  service = fixture.createService();
  tenant = await fixture.addTenant();
  await tenant.addEntity('client', [{ name: 'name' }]);
  await tenant.addEntity('project', [{ name: 'name' }]);
  await tenant.addEntity('note', [
    { name: 'label' },
    { name: 'about', type: 'RELATION', targets: ['client', 'project'], inverseName: 'notes' },
  ]);
});
afterAll(() => fixture[Symbol.asyncDispose]());

const at = (entity: string, id: string): string => `${tenant.entityIds.get(entity)}/${id}`;

it('are chosen by type and id in memory, and by the other record in the store', async () => {
  const [client, project] = [randomUUID(), randomUUID()];
  await tenant.insertRecord('client', client, { name: 'Ada' });
  await tenant.insertRecord('project', project, { name: 'Ada' });
  const text = `subscription ($filter: NoteFilter) { noteChanged(filter: $filter) { operation noteId changedFields } }`;
  const follow = (filter: unknown) => open(service, tenant.claims, text, { filter });
  await using byType = await follow({ aboutType: { eq: 'CLIENT' } });
  await using byId = await follow({ aboutId: { eq: project } });
  await using byRecord = await follow({ about: { client: { name: { eq: 'Ada' } } } });
  await using byNothing = await follow({ about: { isNull: true } });

  const [first, second, third] = [randomUUID(), randomUUID(), randomUUID()];
  // The rows as they are: what relations lead to is asked of the store.
  await tenant.insertRecord('note', first, { about: at('client', client) });
  await tenant.insertRecord('note', second, { about: at('project', project) });
  await tenant.insertRecord('note', third, { about: at('client', client) });
  await tenant.append([
    { entity: 'note', recordId: first, after: { about: at('client', client) } },
    { entity: 'note', recordId: second, after: { about: at('project', project) } },
    // Of an entity that it cannot refer to: nothing.
    { entity: 'note', recordId: randomUUID(), after: { about: at('note', client) } },
    { entity: 'note', recordId: third, after: { about: at('client', client) } },
  ]);
  expect((await byRecord.take(2)).map((change) => [change.operation, change.noteId])).toEqual([
    ['CREATED', first],
    ['CREATED', third],
  ]);
  await tenant.append([
    {
      entity: 'note',
      recordId: first,
      operation: 'UPDATED',
      changedFields: ['about'],
      before: { about: at('client', client) },
      after: { about: at('project', project) },
    },
  ]);
  expect(await byType.take(3)).toEqual([
    { operation: 'CREATED', noteId: first, changedFields: ['about'] },
    { operation: 'CREATED', noteId: third, changedFields: ['about'] },
    { operation: 'LEFT', noteId: first, changedFields: ['about'] },
  ]);
  expect((await byId.take(2)).map((change) => [change.operation, change.noteId])).toEqual([
    ['CREATED', second],
    ['ENTERED', first],
  ]);
  expect((await byNothing.take(1)).map((change) => change.operation)).toEqual(['CREATED']);
});

it('tell any entity’s values with the id and the type', async () => {
  await using changes = await open(
    service,
    tenant.claims,
    `subscription { recordChanged(entities: ["note"]) { record } }`,
  );
  const client = randomUUID();
  await tenant.append([{ entity: 'note', after: { label: 'x', about: at('client', client) } }]);
  const [change] = await changes.take(1);
  expect(change.record).toMatchObject({ label: 'x', aboutId: client, aboutType: 'CLIENT' });
  expect(change.record).not.toHaveProperty('about');
});
