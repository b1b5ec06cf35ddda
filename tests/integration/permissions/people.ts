/** What the tests of permissions are made of: three entities, their records, and how each field is spoken of in the API. */
import type { World } from './world.ts';

export interface TestedField {
  readonly name: string;
  /** Its name in inputs, filters and JSON, where that is another one. */
  readonly member: string;
  /** What selects it. */
  readonly selection: string;
  /** Definition, beside the name. */
  readonly definition: Readonly<Record<string, unknown>>;
  /** A condition that only asks for it. */
  readonly filter: string;
  /** A value to write, in GraphQL, another for each `n`. */
  write(n: number): string;
  /** The value of the record number `n`: nowhere else does it occur. */
  value(n: number): unknown;
  /** Members of `min max countDistinct` that there are. */
  readonly measures: readonly string[];
  readonly isSortable: boolean;
  readonly isGroupable: boolean;
}

const text = (name: string, definition: object = {}, prefix = name): TestedField => ({
  name,
  member: name,
  selection: name,
  definition: { type: 'TEXT', ...definition },
  filter: `{ ${name}: { isNull: false } }`,
  write: (n) => JSON.stringify(`written-${prefix}-${n}`),
  value: (n) => `${prefix}Zq${n}x`,
  measures: ['countDistinct'],
  isSortable: true,
  isGroupable: true,
});

const number = (name: string, type: string, value: (n: number) => number): TestedField => ({
  ...text(name),
  definition: { type },
  filter: `{ ${name}: { gte: 0 } }`,
  write: (n) => String(n),
  value,
  measures: ['sum', 'min', 'countDistinct'],
});

/** Of `person`. Record `n` refers to the team 1 or 2, the mentor before it, and the skill 1 or 2. */
export const personFields: readonly TestedField[] = [
  text('name', { isUnique: true, isSearchable: true }),
  text('code', { isUnique: true, isSearchable: true }),
  {
    ...text('note', { type: 'LONG_TEXT', isSearchable: true }),
    measures: [],
    isGroupable: false,
  },
  number('salary', 'NUMBER', (n) => 918_273_000.5 + n),
  number('level', 'INTEGER', (n) => 731_000 + n),
  {
    ...text('born'),
    definition: { type: 'DATE' },
    filter: '{ born: { gte: "1000-01-01" } }',
    write: (n) => `"2001-01-${String((n % 28) + 1).padStart(2, '0')}"`,
    value: (n) => `1961-07-${String(n + 10)}`,
    measures: ['min', 'max', 'countDistinct'],
  },
  {
    ...text('doc', { type: 'JSON', isSearchable: false }),
    definition: { type: 'JSON' },
    write: (n) => `{ a: "written-doc-${n}" }`,
    value: (n) => ({ a: `docZq${n}x` }),
    measures: [],
    isSortable: false,
    isGroupable: false,
  },
  {
    ...text('ownerId', { isSearchable: false }),
    value: (n) => `ownerZq${n}x`,
  },
  {
    ...text('team'),
    member: 'teamId',
    selection: 'team { id }',
    definition: { type: 'RELATION', targetEntity: 'team', inverseName: 'people' },
    filter: '{ teamId: { isNull: false } }',
    write: () => 'null',
    value: () => null,
    measures: [],
    isSortable: false,
    isGroupable: false,
  },
  {
    ...text('mentor'),
    member: 'mentorId',
    selection: 'mentorId',
    definition: { type: 'RELATION', targetEntity: 'person', inverseName: 'pupils' },
    filter: '{ mentor: { id: { isNull: false } } }',
    write: () => 'null',
    value: () => null,
    measures: [],
    isSortable: false,
    isGroupable: false,
  },
  {
    ...text('skills'),
    member: 'skills',
    selection: 'skills { totalCount }',
    definition: { type: 'MULTI_RELATION', targetEntity: 'skill', inverseName: 'holders' },
    filter: '{ skills: { some: {} } }',
    write: () => '{ create: [{}] }',
    value: () => null,
    measures: [],
    isSortable: false,
    isGroupable: false,
  },
  {
    ...text('about'),
    member: 'aboutId',
    selection: 'about { __typename ... on Team { id } }',
    definition: { type: 'RELATION', targetEntities: ['team', 'skill'], inverseName: 'mentions' },
    filter: '{ about: { team: { id: { isNull: false } } } }',
    write: () => 'null',
    value: () => null,
    measures: [],
    isSortable: false,
    isGroupable: false,
  },
];

export const recordCount = 5;

export interface People {
  /** Ids of the records 1, 2 … at their index; [0] is none. */
  readonly person: readonly string[];
  readonly team: readonly string[];
  readonly skill: readonly string[];
}

export async function definePeople(world: World): Promise<void> {
  const define = 'mutation ($input: CreateEntityInput!) { createEntity(input: $input) { id } }';
  const names = [
    { name: 'name', type: 'TEXT', isUnique: true },
    { name: 'region', type: 'TEXT' },
  ];
  await world.arrange(define, { input: { name: 'team', fields: names } });
  await world.arrange(define, { input: { name: 'skill', fields: names } });
  const fields = personFields.map(({ name, definition }) => ({ name, ...definition }));
  await world.arrange(define, { input: { name: 'person', pluralName: 'people', fields } });
}

/** Records as they are before a test; `changed` values are other ones, by `n` and field. */
export async function fillPeople(
  world: World,
  changed: (n: number, field: string) => unknown = () => undefined,
): Promise<People> {
  const { team, skill, person } = await world
    .arrange(
      `mutation ($teams: [CreateTeamInput!]!, $skills: [CreateSkillInput!]!) {
      team: createTeams(inputs: $teams) { id } skill: createSkills(inputs: $skills) { id } }`,
      {
        teams: [1, 2].map((n) => ({ name: `teamZq${n}x`, region: n === 1 ? 'EU' : 'US' })),
        skills: [1, 2].map((n) => ({ name: `skillZq${n}x`, region: n === 1 ? 'EU' : 'US' })),
      },
    )
    .then(async (made) => {
      const people: string[] = [];
      for (let n = 1; n <= recordCount; n++) {
        const values = Object.fromEntries(
          personFields.map((field) => {
            const own = changed(n, field.name);
            return [field.member, own === undefined ? field.value(n) : own];
          }),
        );
        const input = {
          ...values,
          teamId: made.team[n % 2].id,
          mentorId: people.at(-1) ?? null,
          skills: { connect: [made.skill[n % 2].id] },
        };
        const { createPerson } = await world.arrange(
          'mutation ($input: CreatePersonInput!) { createPerson(input: $input) { id } }',
          { input },
        );
        people.push(createPerson.id);
      }
      return { ...made, person: people.map((id) => ({ id })) };
    });
  const ids = (rows: { id: string }[]): string[] => ['', ...rows.map(({ id }) => id)];
  return { person: ids(person), team: ids(team), skill: ids(skill) };
}
