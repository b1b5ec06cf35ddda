/**
 * Two worlds of the same definitions, ids and history, which differ only in what a role may not see. Whatever the role asks
 * or does, the two have to answer alike.
 */
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { createRandom, type Random } from '../records/list-cases.ts';
import { definePeople, type People, personFields } from './people.ts';
import { type Answer, createWorld, personId, type World } from './world.ts';

export type Row = Readonly<Record<string, unknown>> & { readonly id: string };

/** Whom the role never saw anything of: ids. */
export type Unseen = ReadonlySet<string>;

export interface Tables {
  readonly team: readonly Row[];
  readonly skill: readonly Row[];
  readonly person: readonly Row[];
}

/** A row filter, the fields that it looks at, and what it says in plain words. */
export interface RowRule {
  readonly filter: object | null;
  readonly uses: readonly string[];
  sees(row: Row, tables: Tables): boolean;
}

const at = (rows: readonly Row[], id: unknown): Row | undefined => rows.find((row) => row.id === id);
const level = (row: Row | undefined): number => (row?.['level'] ?? -1) as number;

export const rowRules: readonly RowRule[] = [
  { filter: null, uses: [], sees: () => true },
  { filter: { level: { gte: 3 } }, uses: ['level'], sees: (row) => level(row) >= 3 },
  {
    filter: { ownerId: { eq: '$me' } },
    uses: ['ownerId'],
    sees: (row) => row['ownerId'] === personId('USER'),
  },
  {
    filter: { team: { region: { eq: 'EU' } } },
    uses: ['team', 'team.region'],
    sees: (row, { team }) => at(team, row['teamId'])?.['region'] === 'EU',
  },
  {
    filter: { not: { mentor: { level: { gte: 3 } } } },
    uses: ['mentor', 'level'],
    sees: (row, { person }) => level(at(person, row['mentorId'])) < 3,
  },
  {
    filter: { pupils: { some: { level: { lte: 2 } } } },
    uses: ['mentor', 'level'],
    sees: (row, { person }) =>
      person.some((pupil) => pupil['mentorId'] === row.id && level(pupil) >= 0 && level(pupil) <= 2),
  },
  {
    filter: { skills: { some: { region: { eq: 'EU' } } } },
    uses: ['skills', 'skill.region'],
    sees: (row, { skill }) => (row['skills'] as string[]).some((id) => at(skill, id)?.['region'] === 'EU'),
  },
  {
    filter: { or: [{ note: { contains: 'alpha' } }, { ownerId: { in: ['$me'] } }] },
    uses: ['note', 'ownerId'],
    sees: (row) => ((row['note'] ?? '') as string).includes('alpha') || row['ownerId'] === personId('USER'),
  },
];

/** What the role is held to in one case. */
export interface Held {
  readonly rule: RowRule;
  readonly readable: readonly string[];
  readonly writable: readonly string[];
  /** Of `team` and `skill` each. */
  readonly readableOfOthers: readonly string[];
  readonly operations: readonly string[];
}

const all = personFields.map(({ name }) => name);

export function randomHeld(random: Random): Held {
  const subset = (names: readonly string[]): string[] => names.filter(() => random.chance(0.65));
  const operations = ['CREATE', 'UPDATE', 'DELETE', 'RESTORE', 'PURGE'].filter(() => random.chance(0.8));
  return {
    rule: random.pick(rowRules),
    readable: subset(all),
    writable: subset(all),
    readableOfOthers: subset(['name', 'region']),
    operations: random.chance(0.95) ? ['READ', ...operations] : operations,
  };
}

export async function hold(world: World, held: Held): Promise<void> {
  const others = { role: 'USER', readableFields: held.readableOfOthers };
  await world.permit({
    team: [others],
    skill: [others],
    person: [
      {
        role: 'USER',
        operations: held.operations,
        readableFields: held.readable,
        writableFields: held.writable,
        rowFilter: held.rule.filter,
      },
    ],
  });
}

const words = ['alpha', 'beta', 'Gamma', 'alphabet', 'de lta', 'ÉLAN'];

/** A value of a field of the record `n`: of few, so that orders and groups have ties; what is unique is the world's own. */
function randomValue(random: Random, field: string, n: number, world: string): unknown {
  if (field === 'name' || field === 'code') return `${random.pick(words)}-${n}-${world}`;
  if (random.chance(0.2)) return null;
  if (field === 'level') return random.int(6);
  if (field === 'salary') return random.int(5) / 2;
  if (field === 'born') return `2001-0${random.int(3) + 1}-1${random.int(3)}`;
  if (field === 'doc') return { [random.pick(words)]: random.int(3) };
  if (field === 'ownerId') return random.pick([personId('USER'), personId('USER', 2), 'x']);
  return random.pick(words);
}

const plainFields = ['name', 'code', 'note', 'salary', 'level', 'born', 'doc', 'ownerId'];
const idOf = (kind: number, n: number): string =>
  `01a00000-0000-7000-8000-00000000${kind}${String(n).padStart(3, '0')}`;

function randomPerson(
  random: Random,
  n: number,
  tables: Omit<Tables, 'person'>,
  earlier: readonly Row[],
  world: string,
): Row {
  const values = Object.fromEntries(
    plainFields.map((field) => [field, randomValue(random, field, n, world)]),
  );
  const link = (rows: readonly Row[]): string | null =>
    random.chance(0.25) ? null : (random.pick(rows)?.id ?? null);
  const skills = tables.skill.filter(() => random.chance(0.4)).map(({ id }) => id);
  return { id: idOf(3, n), ...values, teamId: link(tables.team), mentorId: link(earlier), skills };
}

const personCount = 9;

/** One world's tables, and the other's: equal but for what the role may not see. */
export function randomTables(random: Random, held: Held): [Tables, Tables, Unseen] {
  const { uses } = held.rule;
  const isHiddenOfOthers = (kind: string, field: string): boolean =>
    !held.readableOfOthers.includes(field) && !uses.includes(`${kind}.${field}`);
  const others = (kind: 'team' | 'skill', digit: number): [Row[], Row[]] => {
    const rows = [1, 2, 3].map((n) => ({
      id: idOf(digit, n),
      name: `${random.pick(words)}-${kind}-${n}`,
      region: random.pick(['EU', 'US', null]),
    }));
    const twins = rows.map((row, n) => ({
      ...row,
      ...(isHiddenOfOthers(kind, 'name') ? { name: `${random.pick(words)}-${kind}-twin-${n}` } : {}),
      ...(isHiddenOfOthers(kind, 'region') ? { region: random.pick(['EU', 'US', null]) } : {}),
    }));
    return [rows, twins];
  };
  const [team, teamTwins] = others('team', 1);
  const [skill, skillTwins] = others('skill', 2);
  const person: Row[] = [];
  for (let n = 1; n <= personCount; n++) person.push(randomPerson(random, n, { team, skill }, person, 'a'));
  const tables = { team, skill, person };
  const hasRead = held.operations.includes('READ');
  const unseen = new Set<string>();
  const twins = person.map((row, index) => {
    const earlier = person.slice(0, index);
    const other = randomPerson(random, index + 1, { team, skill }, earlier, 'b');
    // Of what was visible for a moment the log tells what it was then.
    const ever = [[], interimSkills(row, tables), row['skills']];
    const isVisible = hasRead && ever.some((skills) => held.rule.sees({ ...row, skills }, tables));
    if (!isVisible) unseen.add(row.id);
    // A deletion clears what points at the record, seen or not: the versions of those records tell of it.
    const fixed = held.operations.includes('DELETE') ? [...uses, 'mentor'] : uses;
    const differs = ({ name }: { name: string }): boolean =>
      !fixed.includes(name) && (!isVisible || !held.readable.includes(name));
    const members = personFields.filter(differs).map(({ member }) => member);
    return { ...row, ...Object.fromEntries(members.map((member) => [member, other[member]])) };
  });
  return [tables, { team: teamTwins, skill: skillTwins, person: twins }, unseen];
}

/** Links that a person has for a moment, other ones than it ends with. */
function interimSkills(row: Row, { skill }: Pick<Tables, 'skill'>): string[] {
  const final = row['skills'] as string[];
  const [first, second] = skill.map(({ id }) => id) as [string, string];
  return final.length === 1 && final[0] === first ? [second] : [first];
}

export interface TwoWorlds extends AsyncDisposable {
  readonly worlds: readonly [World, World];
}

export async function createTwoWorlds(): Promise<TwoWorlds> {
  await using opening = new AsyncDisposableStack();
  const first = opening.use(await createWorld());
  await definePeople(first);
  const second = opening.use(await createWorld());
  for (const table of ['entity_definitions', 'field_definitions']) {
    const rows = await first.sql(`select * from ${table}`);
    await second.sql(
      `insert into ${table} select * from jsonb_populate_recordset(null::${table}, $1::jsonb)`,
      [JSON.stringify(rows)],
    );
  }
  const [head] = await first.sql<{ seq: string; definitions_version: string }>('select * from tenant_heads');
  await second.sql('update tenant_heads set seq = $1, trimmed_seq = $1, definitions_version = $2', [
    head?.seq,
    head?.definitions_version,
  ]);
  await first.sql('update tenant_heads set trimmed_seq = seq');
  await first.sql('delete from events');
  const opened = opening.move();
  return { worlds: [first, second], [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** Replaces what is in a world by these records; the log goes on at a place that follows from the seed. */
export async function fill(world: World, tables: Tables, seed: number): Promise<People> {
  const kept = ['records', 'record_keys', 'record_links', 'record_history', 'purged_records', 'events'];
  for (const table of kept) await world.sql(`delete from ${table}`);
  // A place that no earlier seed has come to, whatever became of it.
  await world.sql('update tenant_heads set seq = $1, trimmed_seq = $1', [seed * 10_000]);
  const { claims } = world.admin;
  const model = await world.definitions.load(claims);
  const context = { claims, model, requestId: 'test' };
  for (const [name, rows] of Object.entries(tables) as [keyof Tables, readonly Row[]][]) {
    const entity = model.entityByName.get(name);
    if (!entity) throw new Error(`no entity ${name}`);
    const origins = rows.map(({ id }, n) => ({ id, createdAt: new Date(1_700_000_000_000 + n * 1_000) }));
    const inputs = rows.map(({ id: _, skills: __, ...input }) => input);
    // One after another: people refer to earlier ones.
    for (const [n, input] of inputs.entries())
      await world.records.create(context, entity, [input], origins.slice(n, n + 1));
  }
  // With origins no input is nested. Every person is changed as often, so versions and places in the log are the same.
  const person = model.entityByName.get('person') as EntityDefinition;
  for (const row of tables.person) {
    for (const set of [interimSkills(row, tables), row['skills']])
      await world.records.update(context, person, row.id, { skills: { set } });
  }
  const ids = (rows: readonly Row[]): string[] => ['', ...rows.map(({ id }) => id)];
  return { person: ids(tables.person), team: ids(tables.team), skill: ids(tables.skill) };
}

const known = /^01a00000-|^0b0b0b0b-|^0a0a0a0a-/;

/** An answer as it is compared: cursors laid open, new ids in order of appearance, and no times of this very moment. */
export function compared(answer: Answer): string {
  const names = new Map<string, string>();
  const readCursor = (name: string, value: unknown): unknown =>
    /cursor$/i.test(name) && typeof value === 'string' ? Buffer.from(value, 'base64url').toString() : value;
  // Of several root fields that are refused, the first to be so answers for all.
  const told =
    answer.data === null
      ? { ...answer, errors: answer.errors.map(({ path: _, ...error }) => error) }
      : answer;
  return JSON.stringify(told, readCursor)
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, (id) => {
      if (known.test(id)) return id;
      const name = names.get(id) ?? `new-${names.size}`;
      names.set(id, name);
      return name;
    })
    .replaceAll(/20(?!23)\d\d-\d\d-\d\dT[\d:.]+Z/g, 'now');
}

export { createRandom, type Random };
