/** Records to look at: clients, projects and activities for a tenant that has the template `crm`. */
import type { Claims } from '#schema/claims.ts';
import type { EntityDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import type { RecordStore, StoreContext, StoredRecord } from '../store/record-store.ts';

export interface DemoDataOptions {
  records: RecordStore;
  /** The tenant's, with the template's entities. */
  model: TenantModel;
  /** Under whose name the records are created; of the tenant. */
  claims: Claims;
  requestId: string;
}

/**
 * Creates 30 clients, 45 projects and 120 activities, the same ones every time. Nothing where the tenant has clients
 * already. Answers how many records it created. Throws where the template was not applied.
 */
export async function createDemoData({
  records,
  model,
  claims,
  requestId,
}: DemoDataOptions): Promise<number> {
  const context: StoreContext = { claims, model, requestId };
  const client = getEntity(model, 'client');
  if ((await records.count(context, { entity: client })) > 0) return 0;
  const create = (
    entity: EntityDefinition,
    inputs: Readonly<Record<string, unknown>>[],
  ): Promise<StoredRecord[]> => records.create(context, entity, inputs);

  const clients = await create(client, companies.map(clientInput));
  const projects = await create(
    getEntity(model, 'project'),
    Array.from({ length: 45 }, (_, index) => projectInput(index, pick(clients, index * 7).id)),
  );
  const activities = await create(
    getEntity(model, 'activity'),
    Array.from({ length: 120 }, (_, index) => {
      const place = (index * 11) % projects.length;
      // Most are about a project, some about its client.
      const regarding =
        index % 4 === 3 ? { client: pick(clients, place * 7).id } : { project: pick(projects, place).id };
      return activityInput(index, regarding);
    }),
  );
  return clients.length + projects.length + activities.length;
}

function getEntity(model: TenantModel, name: string): EntityDefinition {
  const entity = model.entityByName.get(name);
  if (!entity) throw new Error(`Demo data needs the entity "${name}": apply the template crm first`);
  return entity;
}

function pick<Item>(list: readonly Item[], index: number): Item {
  return list[index % list.length] as Item;
}

const companies = [
  ['Alpenblick Logistik', 'Zürich', 'CH'],
  ['Brasserie Lumière', 'Lyon', 'FR'],
  ['Café Müller', 'Wuppertal', 'DE'],
  ['Dalgaard Møbler', 'Aarhus', 'DK'],
  ['Écoles du Lac', 'Genève', 'CH'],
  ['Fjord Analytics', 'Bergen', 'NO'],
  ['Grünwald Optik', 'Jena', 'DE'],
  ['Hartley & Sons', 'Leeds', 'GB'],
  ['Istanbul Tekstil', 'İstanbul', 'TR'],
  ['Jöns Bryggeri', 'Göteborg', 'SE'],
  ['Kowalski Budowa', 'Łódź', 'PL'],
  ['Laguna Viajes', 'Málaga', 'ES'],
  ['Mazzini Ceramiche', 'Faenza', 'IT'],
  ['Nordlys Energi', 'Tromsø', 'NO'],
  ['Okafor Textiles', 'Lagos', 'NG'],
  ['Pérez Hermanos', 'Bogotá', 'CO'],
  ['Quayside Studios', 'Bristol', 'GB'],
  ['Rossi Meccanica', 'Torino', 'IT'],
  ['São Bento Café', 'Porto', 'PT'],
  ['Tanaka Robotics', 'Osaka', 'JP'],
  ['Umbrella Gardens', 'Cork', 'IE'],
  ['Vinařství Novák', 'Brno', 'CZ'],
  ['Wiener Werkzeug', 'Wien', 'AT'],
  ['Xenia Hotels', 'Athens', 'GR'],
  ['Yildiz Seramik', 'Kütahya', 'TR'],
  ['Zeeland Shipping', 'Middelburg', 'NL'],
  ['Ångström Labs', 'Uppsala', 'SE'],
  ['Öresund Bridgeworks', 'Malmö', 'SE'],
  ['Blue Mesa Health', 'Denver', 'US'],
  ['Maple Row Finance', 'Toronto', 'CA'],
] as const;

const statuses = ['ACTIVE', 'ACTIVE', 'LEAD', 'ACTIVE', 'PAUSED', 'LEAD', 'LOST'] as const;
const industries = ['MANUFACTURING', 'RETAIL', 'FINANCE', 'HEALTH', 'PUBLIC', 'TECHNOLOGY', 'OTHER'] as const;
const tags = [
  ['NEWSLETTER'],
  [],
  ['NEWSLETTER', 'REFERENCE'],
  ['PARTNER'],
  null,
  ['AT_RISK', 'NEWSLETTER'],
] as const;

function clientInput(
  [name, city, country]: (typeof companies)[number],
  index: number,
): Record<string, unknown> {
  const domain = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/ø/g, 'o')
    .replace(/ł/g, 'l')
    .replace(/[^a-z0-9]+/g, '');
  return {
    name,
    city,
    country,
    email: `hello@${domain}.example`,
    phone: `+4144${String(5_550_100 + index)}`,
    website: `https://www.${domain}.example/`,
    status: pick(statuses, index),
    industry: pick(industries, index * 3),
    employees: (index * 137) % 2400,
    annualRevenue: index % 6 === 4 ? null : ((index * 7919) % 900) * 10_000.5,
    isKeyAccount: index % 5 === 0,
    clientSince: index % 7 === 2 ? null : day(2016 + (index % 10), index * 31),
    tags: pick(tags, index),
  };
}

const works = [
  'Website relaunch',
  'Warehouse system',
  'Data migration',
  'Mobile app',
  'Security review',
  'Training',
  'Brand refresh',
  'Analytics',
  'Support contract',
] as const;
const projectStatuses = ['ACTIVE', 'DONE', 'PLANNED', 'ACTIVE', 'ON_HOLD', 'DONE', 'CANCELLED'] as const;

function projectInput(index: number, clientId: string): Record<string, unknown> {
  const status = pick(projectStatuses, index);
  return {
    name: `${pick(works, index)} ${2024 + (index % 3)}`,
    code: `PRJ-${100 + index}`,
    status,
    clientId,
    startsOn: day(2024 + (index % 3), index * 17),
    endsOn: status === 'PLANNED' ? null : day(2025 + (index % 3), index * 17),
    budget: 5000 + ((index * 7331) % 195) * 1000,
    progress: status === 'DONE' ? 100 : (index * 13) % 100,
  };
}

const kinds = ['CALL', 'MEETING', 'EMAIL', 'TASK', 'NOTE'] as const;
const subjects = [
  'Kick-off',
  'Offer sent',
  'Follow-up',
  'Review of the draft',
  'Contract questions',
  'Demo',
  'Invoice reminder',
  'Retrospective',
] as const;

function activityInput(
  index: number,
  regarding: Readonly<Record<string, string | undefined>>,
): Record<string, unknown> {
  const kind = pick(kinds, index);
  return {
    subject: pick(subjects, index * 5),
    kind,
    regarding: { connect: regarding },
    dueAt: `${day(2026, index * 3)}T${String(8 + (index % 9)).padStart(2, '0')}:30:00.000Z`,
    isDone: index % 3 !== 0,
    minutes: kind === 'NOTE' ? null : 15 * (1 + (index % 8)),
  };
}

/** The day of the year that is `offset` days after its first, within the year. */
function day(year: number, offset: number): string {
  return new Date(Date.UTC(year, 0, 1 + (offset % 365))).toISOString().slice(0, 10);
}
