/** Subgraphs by chance that compose: entities with keys of every kind, and the directives that move fields about. */
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import { createRandom } from './random.ts';
import type { Random } from './random.ts';

export interface GeneratedGraph {
  readonly supergraphSdl: string;
  /** SDL by subgraph. */
  readonly subgraphs: ReadonlyMap<string, string>;
}

const imports = [
  '@key',
  '@shareable',
  '@external',
  '@requires',
  '@provides',
  '@override',
  '@inaccessible',
  '@interfaceObject',
];
const header = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ${JSON.stringify(imports)})`;
const leaves = [
  'String',
  'String!',
  'Int',
  'Int!',
  'Float',
  'Boolean!',
  'ID',
  'Color',
  'Color!',
  'Json',
  '[String!]',
  '[String]!',
  '[[Int]]',
];

/** An entity: where it lives, by which key each subgraph knows it. */
interface Entity {
  readonly name: string;
  /** Key by subgraph. */
  readonly keys: Map<string, readonly string[]>;
  /** Field lines by subgraph, keys left out. */
  readonly fields: Map<string, string[]>;
  readonly interfaces: string[];
}

const keyFields: Record<string, string> = {
  id: 'id: ID!',
  sku: 'sku: String!',
  'id org { code }': 'id: ID!\n  org: Org! @shareable',
  'org { code } sku': 'org: Org! @shareable\n  sku: String!',
};

/** Null where the parts that were drawn do not compose. */
export function generateGraph(seed: number): GeneratedGraph | null {
  const random = createRandom(seed);
  const names = ['alpha', 'beta', 'gamma', 'delta'].slice(0, 2 + random.below(3));
  const entities = drawEntities(random, names);
  for (const entity of entities) drawFields(random, entity, entities, names);
  drawMoves(random, entities);
  const hasInterfaceObject = random.chance(0.6);
  const subgraphs = new Map(
    names.map((name) => [name, subgraphSdl(random, name, names, entities, hasInterfaceObject)]),
  );
  const composed = composeServices(
    [...subgraphs].map(([name, sdl]) => ({ name, url: `http://${name}`, typeDefs: parse(sdl) })),
  );
  if (composed.errors) return null;
  return { supergraphSdl: composed.supergraphSdl, subgraphs };
}

function drawEntities(random: Random, names: readonly string[]): Entity[] {
  return ['Anna', 'Bert', 'Cleo', 'Dora'].slice(0, 2 + random.below(3)).map((name) => {
    const keys = new Map<string, readonly string[]>();
    const style = random.below(4);
    for (const [index, subgraph] of names.entries()) {
      if (index > 0 && random.chance(0.25)) continue;
      // Style 1: the first subgraph knows two keys, the others one of them, so that some hops lead over it.
      if (style === 1) keys.set(subgraph, index === 0 ? ['id', 'sku'] : [random.pick(['id', 'sku'])]);
      else if (style === 2)
        keys.set(
          subgraph,
          index === 0 ? ['id org { code }', 'id'] : [random.pick(['id', 'id org { code }'])],
        );
      else if (style === 3)
        keys.set(
          subgraph,
          index === 0 ? ['id', 'org { code } sku'] : [random.pick(['id', 'org { code } sku'])],
        );
      else keys.set(subgraph, ['id']);
    }
    return { name, keys, fields: new Map(), interfaces: random.chance(0.6) ? ['Named'] : [] };
  });
}

function drawFields(
  random: Random,
  entity: Entity,
  entities: readonly Entity[],
  names: readonly string[],
): void {
  for (const subgraph of entity.keys.keys()) {
    const lines: string[] = [];
    const mark = `${entity.name.charAt(0).toLowerCase()}${names.indexOf(subgraph)}`;
    for (let index = 0; index < 2 + random.below(3); index++) {
      const args = random.chance(0.25) ? '(size: Int = 3, by: Choice)' : '';
      const directive = random.chance(0.08) ? ' @inaccessible' : random.chance(0.3) ? ' @shareable' : '';
      lines.push(`${mark}f${index}${args}: ${random.pick(leaves)}${directive}`);
    }
    const here = entities.filter((other) => other.keys.has(subgraph));
    for (let index = 0; index < 1 + random.below(2); index++) {
      lines.push(`${mark}r${index}: ${wrapped(random, random.pick(here).name)}`);
    }
    if (random.chance(0.4)) lines.push(`${mark}v: ${wrapped(random, 'Place')}`);
    if (random.chance(0.3)) lines.push(`${mark}u: ${wrapped(random, 'Thing')}`);
    if (random.chance(0.3) && here.some((other) => other.interfaces.length > 0))
      lines.push(`${mark}n: ${wrapped(random, 'Named')}`);
    if (entity.interfaces.length > 0) lines.push('label: String @shareable');
    entity.fields.set(subgraph, lines);
  }
}

/** @requires, and @override of a field with an owner elsewhere. */
function drawMoves(random: Random, entities: readonly Entity[]): void {
  for (const entity of entities) {
    const places = [...entity.fields];
    const [from, to] = [places[0], places[1]];
    if (!from || !to) continue;
    const plain = from[1].filter((line) => /^\w+f\d: /.test(line) && !line.includes('@'));
    const [first, second] = plain;
    if (first && random.chance(0.6)) {
      const name = first.split(':')[0];
      to[1].push(`${first} @external`, `${name}Req: String @requires(fields: "${name}")`);
      if (random.chance(0.3)) to[1].push(`${name}Needs: [Int!] @requires(fields: "${name}")`);
    }
    const value = from[1].find((line) => /^\w+v: Place!?$/.test(line));
    if (value && random.chance(0.6)) {
      const name = value.split(':')[0];
      to[1].push(`${value} @external`, `${name}Deep: String @requires(fields: "${name} { city }")`);
    }
    if (second && random.chance(0.4)) {
      // With a label that is never on, both go on resolving it, and the one from before is asked.
      const label = random.pick(['', ', label: "percent(0)"', ', label: "not-yet"']);
      to[1].push(`${second} @override(from: "${from[0]}"${label})`);
    }
  }
}

function wrapped(random: Random, type: string): string {
  return random.pick([type, type, `${type}!`, `[${type}!]!`, `[${type}]`, `[${type}!]`, `[[${type}]]`]);
}

function subgraphSdl(
  random: Random,
  name: string,
  names: readonly string[],
  entities: readonly Entity[],
  hasInterfaceObject: boolean,
): string {
  const index = names.indexOf(name);
  const here = entities.filter((entity) => entity.keys.has(name));
  const named = here.filter((entity) => entity.interfaces.length > 0);
  const parts = [
    header,
    'scalar Json',
    'enum Color { RED GREEN BLUE @inaccessible }',
    'input Choice { color: ColorIn = RED, deep: Choice, list: [Int!] }',
    'enum ColorIn { RED GREEN }',
    'type Org @shareable { code: ID! }',
    'type Place @shareable { city: String zip: Int! org: Org! spots: [Spot!] }',
    'type Spot @shareable { x: Float y: Float! }',
  ];
  for (const entity of here) parts.push(entitySdl(entity, name));
  if (named.length > 0) parts.push('interface Named { label: String }');
  const members =
    here.length > 0 ? `union Thing = ${[...here.map((entity) => entity.name), 'Place'].join(' | ')}` : '';
  parts.push(members);
  if (hasInterfaceObject && index === 0) {
    parts.push(
      'interface Media @key(fields: "id") { id: ID! title: String }',
      'type Book implements Media @key(fields: "id") { id: ID! title: String pages: Int! }',
      'type Film implements Media @key(fields: "id") { id: ID! title: String minutes: Int }',
    );
  }
  if (hasInterfaceObject && index > 0) {
    parts.push(
      `type Media @key(fields: "id") @interfaceObject { id: ID! rate${index}: Int! notes${index}: [String!] }`,
    );
  }
  const roots: string[] = [];
  for (const [position, entity] of here.entries()) {
    const type = wrapped(random, entity.name);
    const args = random.chance(0.3) ? '(size: Int = 2, by: Choice, names: [String!])' : '';
    const place = [...entity.fields]
      .find(([other]) => other !== name)?.[1]
      .find((line) => /^\w+f\d: .*@shareable/.test(line));
    const field = place?.split(':')[0];
    const known = entity.fields.get(name) ?? [];
    const provided =
      field && random.chance(0.4) && !known.some((line) => line.startsWith(field)) ? place : undefined;
    if (provided) parts.push(`extend type ${entity.name} { ${provided.replace('@shareable', '@external')} }`);
    roots.push(`q${index}${position}${args}: ${type}${provided ? ` @provides(fields: "${field}")` : ''}`);
  }
  if (members) roots.push(`things${index}: ${wrapped(random, 'Thing')}`);
  if (named.length > 0) roots.push(`named${index}: ${wrapped(random, 'Named')}`);
  if (hasInterfaceObject && random.chance(index === 0 ? 1 : 0.7))
    roots.push(`media${index}: ${wrapped(random, 'Media')}`);
  roots.push('place: Place @shareable', `again${index}: Query`);
  parts.push(`type Query { ${roots.join('\n')} }`);
  const changed = here[0];
  if (changed && random.chance(0.7))
    parts.push(
      `type Mutation { make${index}(size: Int): ${changed.name} drop${index}: ${wrapped(random, changed.name)} }`,
    );
  return parts.filter(Boolean).join('\n');
}

function entitySdl(entity: Entity, subgraph: string): string {
  const keys = entity.keys.get(subgraph) ?? [];
  const lines = new Set(keys.flatMap((key) => (keyFields[key] ?? '').split('\n').map((line) => line.trim())));
  for (const line of entity.fields.get(subgraph) ?? []) lines.add(line);
  const directives = keys.map((key) => `@key(fields: "${key}")`).join(' ');
  const implemented = entity.interfaces.length > 0 ? ` implements ${entity.interfaces.join(' & ')}` : '';
  return `type ${entity.name}${implemented} ${directives} {\n  ${[...lines].join('\n  ')}\n}`;
}
