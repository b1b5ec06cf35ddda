/** Random definitions, records, filters and orders out of a seed. */
import type { FieldType } from '#subgraphs/model/definition.ts';
import type { EntitySpec, FieldSpec } from './record-bench.ts';

export interface Random {
  /** 0 ≤ n < below. */
  int(below: number): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
  some<T>(items: readonly T[], max: number): T[];
}

/** mulberry32. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const random: Random = {
    int: (below) => Math.floor(next() * below),
    chance: (probability) => next() < probability,
    pick: (items) => items[random.int(items.length)] as never,
    some: (items, max) => Array.from({ length: random.int(max + 1) }, () => random.pick(items)),
  };
  return random;
}

const long = 'é'.repeat(150) + 'a'.repeat(49);
const texts = [
  ...[
    '',
    'a',
    'A',
    'á',
    'Á',
    'ab',
    'AB',
    'Ab',
    'aB c',
    'b',
    'ba',
    'z',
    'ß',
    'STRASSE',
    'straße',
    'ΑΣ',
    'ας',
    'σα',
  ],
  ...[
    '%',
    '_',
    "'",
    '"',
    '\\',
    '$1',
    '; drop table records',
    'ﬁ',
    'fi',
    'Ⅳ',
    '𝒳',
    'x',
    '🙂',
    '🙂a',
    '\u{10ffff}',
    '\uffff',
  ],
  ...[
    '\ue000',
    '\u0301',
    'İ',
    'i',
    'ı',
    '한',
    '하',
    ' a',
    'a\nb',
    '\ud7ff',
    long,
    `${long}b`,
    `${long}B`,
    `${long}bc`,
    `${long}bcÉ`,
  ],
];
const emails = ['a@b.co', 'A@b.co', 'ä@b.co', 'z.y@ex-ample.org', 'ab@b.co'];
const urls = ['https://a.example/', 'http://A.example/x?y=1', 'https://ä.example/é', 'https://a.example/Ab'];
const phones = ['+491701234567', '+14155550100', '+4917012345'];
const integers = [0, 1, -1, 2, 7, 2147483647, -2147483648, 100];
const numbers = [0, 0.1, -0.1, 1e308, -1e308, 5e-324, 2 ** 53 + 2, 4294967296, 1 / 3, 1, 1e21];
const decimals = [
  '0',
  '0.1',
  '0.10000000000000000001',
  '-0.1',
  '9007199254740992',
  '9007199254740993',
  '-9007199254740993.5',
  '12345678901234567890.123456789012345678',
  '99999999999999999999999999999999999999',
  '2',
  '10',
];
const dates = ['0001-01-01', '1970-01-01', '2000-02-29', '2026-11-21', '2026-11-22', '9999-12-31'];
const instants = [
  '0001-01-01T00:00:00.000Z',
  '1969-12-31T23:59:59.999Z',
  '2026-11-21T12:00:00.000Z',
  '2026-11-21T12:00:00.001Z',
  '9999-12-31T23:59:59.999Z',
];
const documents = [
  0,
  1.5,
  'x',
  '',
  true,
  false,
  [],
  {},
  [1, [2]],
  { a: 1, b: [null] },
  { b: [null], a: 1 },
  { a: { '~': 'é' } },
  1e21,
];
const options = ['OPEN', 'Open', 'open', 'DONE', 'A_B'];

const pools: Record<
  Exclude<FieldType, 'RELATION' | 'MULTI_RELATION' | 'MULTI_SELECT' | 'FILE'>,
  readonly unknown[]
> = {
  TEXT: texts,
  LONG_TEXT: texts,
  EMAIL: emails,
  URL: urls,
  PHONE: phones,
  INTEGER: integers,
  NUMBER: numbers,
  DECIMAL: decimals,
  BOOLEAN: [true, false],
  DATE: dates,
  DATETIME: instants,
  JSON: documents,
  SELECT: options,
};

const slotKinds: Partial<Record<FieldType, string>> = {
  TEXT: 't',
  LONG_TEXT: 't',
  EMAIL: 't',
  URL: 't',
  PHONE: 't',
  SELECT: 't',
  INTEGER: 'n',
  NUMBER: 'n',
  DECIMAL: 'n',
  BOOLEAN: 'n',
  DATE: 'd',
  DATETIME: 'd',
  RELATION: 'r',
};

/** `item` with fields of every type, some in slots; relations at `group` and at itself; `group` with two fields. */
export function randomEntities(random: Random): EntitySpec[] {
  const types = [...Object.keys(pools), 'MULTI_SELECT'] as FieldType[];
  const used = new Map<string, number>();
  const slotOf = (type: FieldType): string | null => {
    const kind = slotKinds[type];
    if (kind === undefined || random.chance(0.4)) return null;
    used.set(kind, (used.get(kind) ?? 0) + 1);
    return `${kind}${used.get(kind)}`;
  };
  const spec = (name: string, type: FieldType): FieldSpec => ({
    name,
    type,
    slot: slotOf(type),
    options:
      type === 'SELECT' || type === 'MULTI_SELECT' ? options.map((value) => ({ value, label: value })) : null,
  });
  const fields = types.filter(() => random.chance(0.7)).map((type, i) => spec(`f${i}`, type));
  const relation = (name: string, target: string, inverseName: string): FieldSpec => ({
    ...spec(name, 'RELATION'),
    target,
    inverseName,
  });
  // No two items are at the same desk, nor about the same thing, which is an item or a group.
  const unique = { isUnique: true };
  const union = (name: string, inverseName: string): FieldSpec => ({
    ...spec(name, 'RELATION'),
    oneOf: ['item', 'group'],
    isSortable: false,
    inverseName,
  });
  const item = [
    ...fields,
    spec('title', 'TEXT'),
    relation('group', 'group', 'items'),
    relation('parent', 'item', 'children'),
    { ...relation('desk', 'group', 'sitter'), ...unique },
    union('topic', 'mentions'),
    { ...union('cover', 'coveredBy'), ...unique },
  ];
  used.clear();
  return [
    { name: 'item', pluralName: 'itemList', fields: item },
    { name: 'group', pluralName: 'groupList', fields: [spec('name', 'TEXT'), spec('rank', 'INTEGER')] },
  ];
}

/** A value that the field may hold, or null. */
export function randomValue(random: Random, field: FieldSpec): unknown {
  if (random.chance(0.25)) return null;
  if (field.type === 'MULTI_SELECT') return [...new Set(random.some(options, 3))];
  return random.pick(pools[field.type as keyof typeof pools]);
}

type Filter = Record<string, unknown>;
export interface Ids {
  item: readonly string[];
  group: readonly string[];
}

export function randomFilter(
  random: Random,
  entities: EntitySpec[],
  entityName: 'item' | 'group',
  ids: Ids,
  depth = 3,
): Filter {
  const entity = entities.find((one) => one.name === entityName) as EntitySpec;
  const filter: Filter = {};
  for (let n = random.int(3); n >= 0; n--) {
    const inner = (name = entityName): Filter => randomFilter(random, entities, name, ids, depth - 1);
    const kind = random.int(depth > 0 ? 12 : 7);
    const field = random.pick(entity.fields);
    if (kind < 6 && field.type !== 'RELATION') filter[field.name] = randomComparison(random, field);
    else if (kind < 6 && field.oneOf && random.chance(0.5))
      filter[`${field.name}Type`] = typeComparison(random);
    else if (kind < 6)
      filter[`${field.name}Id`] = idComparison(
        random,
        field.oneOf ? [...ids.item, ...ids.group] : ids[field.target as 'item' | 'group'],
      );
    else if (kind === 6) {
      filter['id'] = idComparison(random, ids[entityName]);
      filter['version'] = { gte: 1 };
    } else if (kind === 7) filter['not'] = inner();
    else if (kind === 8) filter['or'] = Array.from({ length: random.int(4) }, () => inner());
    else if (kind === 9) filter['and'] = Array.from({ length: random.int(3) }, () => inner());
    else if (kind === 10 && entityName === 'item') {
      const name = random.pick(['group', 'parent', 'desk', 'topic', 'cover'] as const);
      if (name === 'topic' || name === 'cover') filter[name] = unionFilter(random, inner);
      else filter[name] = inner(name === 'parent' ? 'item' : 'group');
    } else {
      const name = random.pick([entityName === 'item' ? 'children' : 'items', 'mentions', 'coveredBy']);
      const quantifier = random.pick(['some', 'none', 'every']);
      filter[name] = name === 'coveredBy' ? inner('item') : { [quantifier]: inner('item') };
      if (entityName === 'group' && random.chance(0.3)) filter['sitter'] = inner('item');
    }
  }
  return filter;
}

function unionFilter(random: Random, inner: (name: 'item' | 'group') => Filter): Filter {
  const filter: Filter = {};
  if (random.chance(0.2)) filter['isNull'] = random.chance(0.5);
  for (const name of random.some(['item', 'group'] as const, 2)) filter[name] = inner(name);
  return filter;
}

function typeComparison(random: Random): Filter {
  const operator = random.pick(['eq', 'ne', 'in', 'notIn', 'isNull']);
  if (operator === 'isNull') return { isNull: random.chance(0.5) };
  const types = ['ITEM', 'GROUP'];
  return {
    [operator]: operator === 'in' || operator === 'notIn' ? random.some(types, 2) : random.pick(types),
  };
}

function idComparison(random: Random, ids: readonly string[]): Filter {
  const operator = random.pick(['eq', 'ne', 'in', 'notIn', 'isNull']);
  if (operator === 'isNull') return { isNull: random.chance(0.5) };
  const any = [...ids, 'no id at all', '00000000-0000-7000-8000-000000000000'];
  return { [operator]: operator === 'in' || operator === 'notIn' ? random.some(any, 6) : random.pick(any) };
}

function randomComparison(random: Random, field: FieldSpec): Filter {
  if (field.type === 'MULTI_SELECT') {
    const operator = random.pick(['some', 'none', 'every', 'isNull']);
    return { [operator]: operator === 'isNull' ? random.chance(0.5) : random.some(options, 2) };
  }
  const pool = pools[field.type as keyof typeof pools];
  const isText = pool === texts || pool === emails || pool === urls || pool === phones;
  const operand = (): unknown => {
    const value = random.pick(pool);
    if (!isText || !random.chance(0.5)) return value;
    const points = Array.from(value as string);
    return points
      .slice(random.int(points.length + 1))
      .slice(0, random.int(points.length + 1))
      .join('');
  };
  const comparison: Filter = {};
  const order =
    field.type === 'BOOLEAN' || field.type === 'JSON' || field.type === 'SELECT'
      ? []
      : ['lt', 'lte', 'gt', 'gte'];
  const lists = field.type === 'BOOLEAN' || field.type === 'JSON' ? [] : ['in', 'notIn'];
  const substrings = isText ? ['contains', 'startsWith', 'endsWith', 'startsWith'] : [];
  for (let n = random.int(2); n >= 0; n--) {
    const operator = random.pick(['eq', 'ne', 'isNull', ...order, ...lists, ...substrings]);
    if (operator === 'isNull') comparison[operator] = random.chance(0.5);
    else if (lists.includes(operator)) comparison[operator] = Array.from({ length: random.int(5) }, operand);
    else if ((operator === 'eq' || operator === 'ne') && random.chance(0.1)) comparison[operator] = null;
    else comparison[operator] = operand();
  }
  if (isText && random.chance(0.5)) comparison['mode'] = random.pick(['INSENSITIVE', 'DEFAULT']);
  return comparison;
}

const directions = [
  'ASC',
  'DESC',
  'ASC_NULLS_FIRST',
  'ASC_NULLS_LAST',
  'DESC_NULLS_FIRST',
  'DESC_NULLS_LAST',
];

export function randomOrder(random: Random, entities: EntitySpec[], entityName: string): Filter[] {
  const fields = (name: string): FieldSpec[] =>
    (entities.find((one) => one.name === name) as EntitySpec).fields.filter(
      (field) => !['JSON', 'MULTI_SELECT'].includes(field.type) && !field.oneOf,
    );
  const single = { item: ['coveredBy'], group: ['coveredBy', 'sitter'] };
  const term = (name: string, depth: number): Filter => {
    if (random.chance(0.15))
      return { [random.pick(['createdAt', 'updatedAt', 'version'])]: random.pick(directions) };
    if (depth > 0 && random.chance(0.15))
      return { [random.pick(single[name as 'item' | 'group'])]: term('item', depth - 1) };
    const field = random.pick(fields(name).filter((candidate) => depth > 0 || candidate.type !== 'RELATION'));
    return {
      [field.name]:
        field.type === 'RELATION' ? term(field.target as string, depth - 1) : random.pick(directions),
    };
  };
  return Array.from({ length: random.pick([0, 1, 1, 1, 2, 3]) }, () => term(entityName, 2));
}
