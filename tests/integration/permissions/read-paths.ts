/** Every way in which a field of `person` can be asked for, by the definition of the field. */
import type { People, TestedField } from './people.ts';
import type { Answer, Caller } from './world.ts';

export interface ReadPath {
  readonly name: string;
  /** Fields that the path leads through, beside the one that is asked for. */
  readonly through?: readonly string[];
  /** What becomes of a hidden field: the whole is refused, or it is left out of what comes. */
  readonly hidden: 'FORBIDDEN' | 'OMITTED';
  appliesTo?(field: TestedField): boolean;
  send(caller: Caller, field: TestedField, people: People): Promise<Answer>;
}

const ask =
  (query: (field: TestedField, people: People) => string): ReadPath['send'] =>
  (caller, field, people) =>
    caller.ask(query(field, people));

const isUnique = ({ definition }: TestedField): boolean => definition['isUnique'] === true;
const typed = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);
const orderOf = (field: TestedField): string => `{ ${field.name}: DESC }`;
const isSortable = (field: TestedField): boolean => field.isSortable;
const isGroupable = (field: TestedField): boolean => field.isGroupable;
const groupOf = ({ name, definition }: TestedField): string =>
  `{ ${name}: ${definition['type'] === 'DATE' ? 'MONTH' : 'true'} }`;
const hasMeasures = (field: TestedField): boolean => field.measures.length > 0;
const measureOf = ({ measures }: TestedField): string => measures[0] as string;

/** The filter as JSON. */
function filterJson({ filter }: TestedField): unknown {
  return JSON.parse(filter.replaceAll(/([A-Za-z]+):/g, '"$1":'));
}

export const readPaths: readonly ReadPath[] = [
  {
    name: 'get',
    hidden: 'FORBIDDEN',
    send: ask((field, { person }) => `{ person(id: "${person[2]}") { id ${field.selection} } }`),
  },
  {
    name: 'get, under another name, in a fragment',
    hidden: 'FORBIDDEN',
    send: ask(
      (field, { person }) =>
        `query { person(id: "${person[2]}") { ...f } } fragment f on Person { ... on Person { other: ${field.selection} } }`,
    ),
  },
  {
    name: 'get by the unique field',
    hidden: 'FORBIDDEN',
    appliesTo: isUnique,
    send: ask(
      (field) => `{ personBy${typed(field.name)}(${field.name}: ${JSON.stringify(field.value(1))}) { id } }`,
    ),
  },
  {
    name: 'list',
    hidden: 'FORBIDDEN',
    send: ask((field) => `{ people { nodes { ${field.selection} } } }`),
  },
  {
    name: 'edges of a list',
    hidden: 'FORBIDDEN',
    send: ask((field) => `{ people(last: 2) { edges { node { ${field.selection} } } totalCount } }`),
  },
  {
    name: 'inverse list',
    through: ['team'],
    hidden: 'FORBIDDEN',
    send: ask((field, { team }) => `{ team(id: "${team[1]}") { people { nodes { ${field.selection} } } } }`),
  },
  {
    name: 'inverse list of a list',
    through: ['team'],
    hidden: 'FORBIDDEN',
    send: ask((field) => `{ teams { nodes { people(first: 1) { nodes { ${field.selection} } } } } }`),
  },
  {
    name: 'to-one relation',
    through: ['mentor'],
    hidden: 'FORBIDDEN',
    send: ask((field, { person }) => `{ person(id: "${person[3]}") { mentor { ${field.selection} } } }`),
  },
  {
    name: 'inverse of it',
    through: ['mentor'],
    hidden: 'FORBIDDEN',
    send: ask(
      (field, { person }) => `{ person(id: "${person[1]}") { pupils { nodes { ${field.selection} } } } }`,
    ),
  },
  {
    name: 'many-to-many, from the other end',
    through: ['skills'],
    hidden: 'FORBIDDEN',
    send: ask(
      (field, { skill }) => `{ skill(id: "${skill[1]}") { holders { nodes { ${field.selection} } } } }`,
    ),
  },
  {
    name: '_entities',
    hidden: 'FORBIDDEN',
    send: ask(
      (field, { person }) =>
        `{ _entities(representations: [{ __typename: "Person", id: "${person[1]}" }]) { ... on Person { ${field.selection} } } }`,
    ),
  },
  {
    name: 'filter',
    hidden: 'FORBIDDEN',
    send: ask((field) => `{ people(filter: ${field.filter}) { totalCount } }`),
  },
  {
    name: 'filter, deep in and, or, not',
    hidden: 'FORBIDDEN',
    send: ask(
      (field) => `{ people(filter: { and: [{ or: [{ not: ${field.filter} }] }] }) { nodes { id } } }`,
    ),
  },
  {
    name: 'filter through an inverse',
    through: ['team'],
    hidden: 'FORBIDDEN',
    send: ask((field) => `{ teams(filter: { people: { some: ${field.filter} } }) { totalCount } }`),
  },
  {
    name: 'filter through an inverse, none',
    through: ['team'],
    hidden: 'FORBIDDEN',
    send: ask((field) => `{ teams(filter: { people: { none: ${field.filter} } }) { totalCount } }`),
  },
  {
    name: 'filter through a relation',
    through: ['mentor'],
    hidden: 'FORBIDDEN',
    send: ask((field) => `{ people(filter: { mentor: ${field.filter} }) { totalCount } }`),
  },
  {
    name: 'filter through many-to-many',
    through: ['skills'],
    hidden: 'FORBIDDEN',
    send: ask((field) => `{ skills(filter: { holders: { every: ${field.filter} } }) { totalCount } }`),
  },
  {
    name: 'filter of an inverse list',
    through: ['team'],
    hidden: 'FORBIDDEN',
    send: ask((field) => `{ teams { nodes { people(filter: ${field.filter}) { totalCount } } } }`),
  },
  {
    name: 'order',
    hidden: 'FORBIDDEN',
    appliesTo: isSortable,
    send: ask((field) => `{ people(orderBy: [${orderOf(field)}]) { nodes { id } } }`),
  },
  {
    name: 'order as the second term',
    hidden: 'FORBIDDEN',
    appliesTo: isSortable,
    send: ask((field) => `{ people(orderBy: [{ createdAt: ASC }, ${orderOf(field)}]) { nodes { id } } }`),
  },
  {
    name: 'order by a relation',
    through: ['mentor'],
    hidden: 'FORBIDDEN',
    appliesTo: isSortable,
    send: ask((field) => `{ people(orderBy: [{ mentor: ${orderOf(field)} }]) { nodes { id } } }`),
  },
  {
    name: 'order of an inverse list',
    through: ['team'],
    hidden: 'FORBIDDEN',
    appliesTo: isSortable,
    send: ask((field) => `{ teams { nodes { people(orderBy: [${orderOf(field)}]) { nodes { id } } } } }`),
  },
  {
    name: 'figures',
    hidden: 'FORBIDDEN',
    appliesTo: hasMeasures,
    send: ask((field) => `{ peopleAggregate { ${measureOf(field)} { ${field.name} } } }`),
  },
  {
    name: 'having',
    hidden: 'FORBIDDEN',
    appliesTo: hasMeasures,
    send: ask(
      (field) =>
        `{ peopleAggregate(having: { not: { countDistinct: { ${field.name}: { lt: 3 } } } }) { count } }`,
    ),
  },
  {
    name: 'order of groups',
    hidden: 'FORBIDDEN',
    appliesTo: hasMeasures,
    send: ask(
      (field) =>
        `{ peopleAggregate(groupBy: [{ createdBy: true }], orderBy: [{ countDistinct: { ${field.name}: ASC } }]) { count } }`,
    ),
  },
  {
    name: 'groups',
    hidden: 'FORBIDDEN',
    appliesTo: isGroupable,
    send: ask((field) => `{ peopleAggregate(groupBy: [${groupOf(field)}]) { count } }`),
  },
  {
    name: 'groups by a relation',
    through: ['mentor'],
    hidden: 'FORBIDDEN',
    appliesTo: isGroupable,
    send: ask(
      (field) =>
        `{ peopleAggregate(groupBy: [{ mentor: ${groupOf(field)} }]) { group { mentor { ${field.name} } } count } }`,
    ),
  },
  {
    name: 'filter of figures',
    hidden: 'FORBIDDEN',
    send: ask((field) => `{ peopleAggregate(filter: ${field.filter}) { count } }`),
  },
  {
    name: 'filter of a subscription',
    hidden: 'FORBIDDEN',
    async send(caller, field) {
      const stream = await caller.subscribe(
        `subscription { personChanged(filter: ${field.filter}) { cursor } }`,
      );
      if ('errors' in stream) return stream;
      await stream[Symbol.asyncDispose]();
      return { data: {}, errors: [] };
    },
  },
  {
    name: 'changes',
    hidden: 'OMITTED',
    send: (caller) => caller.askLog('{ changes(entities: ["person"]) { nodes { record changedFields } } }'),
  },
  {
    name: 'history',
    hidden: 'OMITTED',
    send: ask(
      (_, { person }) => `{ personHistory(id: "${person[2]}") { nodes { data changes { field from to } } } }`,
    ),
  },
  {
    name: 'untyped history',
    hidden: 'OMITTED',
    send: ask(
      (_, { person }) =>
        `{ recordHistory(entity: "person", id: "${person[2]}") { nodes { data changes { field from to } } } }`,
    ),
  },
  {
    name: 'untyped record',
    hidden: 'OMITTED',
    send: ask((_, { person }) => `{ record(entity: "person", id: "${person[2]}") { data } }`),
  },
  {
    name: 'untyped records',
    hidden: 'OMITTED',
    send: ask(() => '{ records(entity: "person") { nodes { data } } }'),
  },
  {
    name: 'untyped filter',
    hidden: 'FORBIDDEN',
    send: (caller, field) =>
      caller.ask('query ($filter: JSON) { records(entity: "person", filter: $filter) { totalCount } }', {
        filter: filterJson(field),
      }),
  },
  {
    name: 'untyped order',
    hidden: 'FORBIDDEN',
    appliesTo: isSortable,
    send: ask(
      (field) =>
        `{ records(entity: "person", orderBy: [{ field: "${field.name}", direction: ASC }]) { totalCount } }`,
    ),
  },
  {
    name: 'untyped order by a relation',
    through: ['mentor'],
    hidden: 'FORBIDDEN',
    appliesTo: isSortable,
    send: ask(
      (field) =>
        `{ records(entity: "person", orderBy: [{ field: "mentor.${field.name}", direction: ASC }]) { totalCount } }`,
    ),
  },
];
