/**
 * Generates the function that turns merged answers of subgraphs into the client's: fields in the order asked for, types
 * by `__typename`, leaves checked, nulls carried up to where the schema allows them.
 *
 * Every generated function answers a value, null, or undefined for "null, and the error is recorded". An error's path
 * is recorded from the inside out: whoever called adds its own key, only when the number of errors has grown.
 * Names reach the code through JSON.stringify only.
 */
import type { FieldShape, OperationRecipe, Shape, ShapeVariant, ValueShape } from '../recipe.ts';
import { shaperRuntime } from './shaper-runtime.ts';
import type { Shaping } from './shaper-runtime.ts';

/** Undefined: a null went up to the root. */
export type Shaper = (shaping: Shaping, data: unknown) => Record<string, unknown> | undefined;

/** The source is kept by nobody; one function object for each shape and list stays. */
export function createShaper(recipe: Pick<OperationRecipe, 'shapes' | 'rootShape'>): Shaper {
  const code = new ShaperCode(recipe.shapes);
  const root = code.shapeFunction(recipe.rootShape);
  // oxlint-disable-next-line typescript/no-implied-eval -- the point of this file; names come through JSON.stringify alone.
  const build = new Function('runtime', `'use strict';\n${code.text()}\nreturn ${root};`) as (
    runtime: typeof shaperRuntime,
  ) => Shaper;
  return build(shaperRuntime);
}

class ShaperCode {
  readonly #shapes: readonly Shape[];
  readonly #functions: string[] = [];
  readonly #names = new Map<string, string>();
  readonly #enums = new Map<string, string>();

  constructor(shapes: readonly Shape[]) {
    this.#shapes = shapes;
  }

  text(): string {
    const enums = [...this.#enums].map(([values, name]) => `const ${name} = new Set(${values});`);
    return [
      'const { atKey, nullAt, stringLeaf, intLeaf, floatLeaf, booleanLeaf, idLeaf, enumLeaf, own, notObject, notList, unknownType, noType } = runtime;',
      ...enums,
      ...this.#functions,
    ].join('\n');
  }

  /** The name of the function for a shape; made once. */
  shapeFunction(index: number): string {
    return this.#once(`shape ${index}`, `s${index}`, (name) => {
      const shape = this.#shapes[index] as Shape;
      const type = JSON.stringify(shape.type);
      const guard = `if (typeof d !== 'object' || d === null || Array.isArray(d)) return notObject(r, ${type});`;
      if (!shape.isAbstract) {
        const [variant] = shape.variants;
        return `function ${name}(r, d) {\n${guard}\n${variant ? this.#object(variant, shape, '') : 'return {};'}\n}`;
      }
      const cases = [
        ...shape.variants.map((variant, position) => this.#case(name, `v${position}`, variant, shape)),
        ...shape.untyped.map((variant, position) => this.#case(name, `u${position}`, variant, shape)),
      ];
      const untyped = shape.untyped.length > 0 ? `${name}u0(r, d)` : `unknownType(r, ${type})`;
      return [
        `function ${name}(r, d) {`,
        guard,
        'switch (d.__typename) {',
        ...cases.flat(),
        `case undefined: case null: return ${untyped};`,
        `default: return unknownType(r, ${type});\n}\n}`,
      ].join('\n');
    });
  }

  #case(owner: string, suffix: string, variant: ShapeVariant, shape: Shape): string[] {
    const name = this.#once(`${owner} ${suffix}`, `${owner}${suffix}`, (self) => {
      return `function ${self}(r, d) {\n${this.#object(variant, shape, suffix)}\n}`;
    });
    return [
      ...variant.typenames.map((typename) => `case ${JSON.stringify(typename)}:`),
      `return ${name}(r, d);`,
    ];
  }

  /** The body that answers an object: one literal up to the first conditional field, assignments after it. */
  #object(variant: ShapeVariant, shape: Shape, suffix: string): string {
    const lines = ['let x, n;'];
    const members: string[] = [];
    let opened = false;
    for (const [index, field] of variant.fields.entries()) {
      const key = JSON.stringify(field.key);
      const local = `f${index}`;
      const value = this.#fieldLines(field, local, variant, shape, suffix);
      if (field.when && !opened) {
        lines.push(`const o = { ${members.join(', ')} };`);
        opened = true;
      }
      if (field.when) lines.push(`if (${conditionCode(field)}) {`, ...value, `o[${key}] = ${local};`, '}');
      else if (opened) lines.push(...value, `o[${key}] = ${local};`);
      else {
        lines.push(...value);
        members.push(`${key}: ${local}`);
      }
    }
    lines.push(opened ? 'return o;' : `return { ${members.join(', ')} };`);
    return lines.join('\n');
  }

  #fieldLines(
    field: FieldShape,
    local: string,
    variant: ShapeVariant,
    shape: Shape,
    suffix: string,
  ): string[] {
    // Refused before any plan is made; here it would set a prototype.
    if (field.key === '__proto__') throw new Error('A response name cannot be __proto__');
    const key = JSON.stringify(field.key);
    if (field.value === 'introspection') return [`const ${local} = r.introspection[${key}];`];
    const [typename] = variant.typenames;
    const type = variant.typenames.length === 1 && typename ? typename : shape.type;
    if (field.value === 'typename') {
      if (suffix.startsWith('u'))
        return [`const ${local} = noType(r, ${JSON.stringify(shape.type)}, ${key});`, 'return undefined;'];
      // Of several types the data tells which; it was looked at to get here.
      return [
        `const ${local} = ${variant.typenames.length === 1 ? JSON.stringify(typename) : 'd.__typename'};`,
      ];
    }
    const read = field.isDenied ? 'null' : field.key in Object.prototype ? `own(d, ${key})` : `d[${key}]`;
    const label = JSON.stringify(`${type}.${field.name}`);
    return [
      `x = ${read};`,
      ...this.#valueLines(field.value, key, label, 'return undefined;'),
      `const ${local} = x;`,
    ];
  }

  /** Completes `x` in place; `bubble` is what a null in the wrong place does. */
  #valueLines(value: ValueShape, key: string, label: string, bubble: string): string[] {
    const complete = this.#completion(value, key, label);
    if (!value.nonNull) return [complete, 'if (x === undefined) x = null;'];
    return [complete, `if (x == null) { if (x === null) nullAt(r, ${label}, ${key}); ${bubble} }`];
  }

  /** Leaves in `x`: a value, null, or undefined with its error recorded. */
  #completion(value: ValueShape, key: string, label: string): string {
    switch (value.kind) {
      case 'leaf':
        return leafCode(value.leaf, key, label);
      case 'enum': {
        const set = this.#enumSet(value.values);
        return `if (!${set}.has(x)) x = enumLeaf(r, x, ${label}, ${key});`;
      }
      case 'object':
        return `if (x == null) x = null; else { n = r.completions.length; x = ${this.shapeFunction(value.shape)}(r, x); if (r.completions.length > n) atKey(r, n, ${key}); }`;
      case 'list':
        return `if (x == null) x = null; else { n = r.completions.length; x = ${this.#listFunction(value.of, label)}(r, x); if (r.completions.length > n) atKey(r, n, ${key}); }`;
    }
  }

  #listFunction(of: ValueShape, label: string): string {
    return this.#once(`list ${label} ${JSON.stringify(of)}`, `l${this.#names.size}`, (name) => {
      const lines = [
        `function ${name}(r, list) {`,
        `if (!Array.isArray(list)) return notList(r, ${label});`,
        'const size = list.length, out = new Array(size); let x, n, bad = false;',
        'for (let i = 0; i < size; i++) {',
        'x = list[i];',
        ...this.#valueLines(of, 'i', label, 'bad = true; continue;'),
        'out[i] = x;',
        '}',
        'return bad ? undefined : out;',
        '}',
      ];
      return lines.join('\n');
    });
  }

  #enumSet(values: readonly string[]): string {
    const text = JSON.stringify(values);
    let name = this.#enums.get(text);
    if (!name) this.#enums.set(text, (name = `e${this.#enums.size}`));
    return name;
  }

  #once(key: string, name: string, write: (name: string) => string): string {
    const known = this.#names.get(key);
    if (known) return known;
    this.#names.set(key, name);
    this.#functions.push(write(name));
    return name;
  }
}

/** Variables are coerced before: a condition's is a boolean. */
function conditionCode(field: FieldShape): string {
  const literal = (variable: string, is: boolean) =>
    `${is ? '' : '!'}r.variables[${JSON.stringify(variable)}]`;
  return (field.when ?? [])
    .map((conjunction) => `(${conjunction.map(({ variable, is }) => literal(variable, is)).join(' && ')})`)
    .join(' || ');
}

function leafCode(leaf: Extract<ValueShape, { kind: 'leaf' }>['leaf'], key: string, label: string): string {
  switch (leaf) {
    case 'String':
      return `if (typeof x !== 'string') x = stringLeaf(r, x, ${label}, ${key});`;
    case 'Int':
      return `if ((x | 0) !== x) x = intLeaf(r, x, ${label}, ${key});`;
    case 'Float':
      return `if (typeof x !== 'number' || x - x !== 0) x = floatLeaf(r, x, ${label}, ${key});`;
    case 'Boolean':
      return `if (typeof x !== 'boolean') x = booleanLeaf(r, x, ${label}, ${key});`;
    case 'ID':
      return `if (typeof x !== 'string') x = idLeaf(r, x, ${label}, ${key});`;
    case 'Custom':
      return 'if (x === undefined) x = null;';
  }
}
