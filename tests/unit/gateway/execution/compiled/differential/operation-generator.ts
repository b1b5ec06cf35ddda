/** Valid operations by chance on a client's schema: aliases, fragments, conditions, arguments and abstract types. */
import {
  getNamedType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  isUnionType,
  parse,
  validate,
} from 'graphql';
import type { GraphQLCompositeType, GraphQLField, GraphQLInputType, GraphQLSchema } from 'graphql';
import { createRandom } from './random.ts';
import type { Random } from './random.ts';

export interface GeneratedOperation {
  readonly query: string;
  readonly kind: 'query' | 'mutation';
  readonly variables: Record<string, unknown>;
}

/** Null where a dozen draws gave nothing valid. */
export function generateOperation(schema: GraphQLSchema, seed: number): GeneratedOperation | null {
  const random = createRandom(seed);
  for (let attempt = 0; attempt < 12; attempt++) {
    const operation = new OperationDraw(schema, random).draw();
    if (operation && validate(schema, parse(operation.query)).length === 0) return operation;
  }
  return null;
}

class OperationDraw {
  readonly #schema: GraphQLSchema;
  readonly #random: Random;
  readonly #definitions = new Map<string, string>();
  readonly #variables: Record<string, unknown> = {};
  readonly #fragments: { name: string; type: string; text: string }[] = [];
  #budget: number;

  constructor(schema: GraphQLSchema, random: Random) {
    this.#schema = schema;
    this.#random = random;
    this.#budget = 12 + random.below(40);
  }

  draw(): GeneratedOperation | null {
    const mutation = this.#schema.getMutationType();
    const kind = mutation && this.#random.chance(0.12) ? 'mutation' : 'query';
    const root = kind === 'mutation' ? mutation : this.#schema.getQueryType();
    if (!root) return null;
    const body = this.#selections(root, 0);
    const definitions = [...this.#definitions].map(([name, type]) => `$${name}: ${type}`);
    const head = definitions.length > 0 ? `(${definitions.join(', ')})` : '';
    const fragments = this.#fragments.map(({ name, type, text }) => `fragment ${name} on ${type} ${text}`);
    return {
      query: [`${kind} Drawn${head} ${body}`, ...fragments].join('\n'),
      kind,
      variables: this.#variables,
    };
  }

  #selections(type: GraphQLCompositeType, depth: number): string {
    const parts: string[] = [];
    const fields = isUnionType(type) ? [] : Object.values(type.getFields());
    const wanted = 1 + this.#random.below(depth === 0 ? 4 : 5);
    for (let index = 0; index < wanted && this.#budget > 0; index++) {
      const field = fields.length > 0 ? this.#random.pick(fields) : null;
      const choice = this.#random.below(10);
      if (field && choice < 7) parts.push(this.#field(field, depth));
      else if (choice === 7) parts.push(this.#typename());
      else {
        // The stock executor loses a fragment on an object type within one on an abstract type where data has no type name.
        if (isObjectType(type) && depth > 0) parts.push('__typename');
        parts.push(this.#fragment(type, depth));
      }
    }
    const text = parts.filter(Boolean).join(' ');
    return `{ ${text || this.#typename()} }`;
  }

  #typename(): string {
    return this.#random.chance(0.3) ? 'kind: __typename' : '__typename';
  }

  #field(field: GraphQLField<unknown, unknown>, depth: number): string {
    this.#budget--;
    const type = getNamedType(field.type);
    if (isCompositeType(type) && depth > 5) return '';
    const args = field.args.filter((arg) => isNonNullType(arg.type) || this.#random.chance(0.6));
    const passed = args.map((arg) => `${arg.name}: ${this.#argument(arg.type)}`);
    const alias = this.#alias(field.name);
    const below = isCompositeType(type) ? ` ${this.#selections(type, depth + 1)}` : '';
    return `${alias}${field.name}${passed.length > 0 ? `(${passed.join(', ')})` : ''}${this.#condition()}${below}`;
  }

  #alias(name: string): string {
    if (this.#random.chance(0.75)) return '';
    // Shared aliases clash between types of a union, which the planner has to untangle.
    return this.#random.chance(0.4)
      ? `${this.#random.pick(['one', 'two', 'constructor'])}: `
      : `${name}_${this.#random.below(3)}: `;
  }

  #fragment(type: GraphQLCompositeType, depth: number): string {
    this.#budget--;
    const targets = this.#targets(type);
    const target = this.#random.pick(targets);
    if (this.#random.chance(0.3)) {
      const known = this.#fragments.filter((fragment) =>
        targets.some((possible) => possible.name === fragment.type),
      );
      if (known.length > 0 && this.#random.chance(0.6))
        return `...${this.#random.pick(known).name}${this.#condition()}`;
      const name = `Part${this.#fragments.length}`;
      const text = this.#selections(target, depth + 1);
      // Its own name may have been taken while what is below was drawn.
      if (this.#fragments.some((fragment) => fragment.name === name)) return `... on ${target.name} ${text}`;
      this.#fragments.push({ name, type: target.name, text });
      return `...${name}${this.#condition()}`;
    }
    const on = target.name === type.name && this.#random.chance(0.5) ? '' : ` on ${target.name}`;
    return `...${on}${this.#condition()} ${this.#selections(target, depth)}`;
  }

  /** The types whose objects may also be of `type`. */
  #targets(type: GraphQLCompositeType): GraphQLCompositeType[] {
    const possible = isObjectType(type) ? [type] : this.#schema.getPossibleTypes(type);
    const abstract = Object.values(this.#schema.getTypeMap()).filter(
      (other) =>
        (isInterfaceType(other) || isUnionType(other)) &&
        this.#schema.getPossibleTypes(other).some((object) => possible.includes(object)),
    ) as GraphQLCompositeType[];
    return [type, ...possible, ...possible, ...abstract];
  }

  #condition(): string {
    if (!this.#random.chance(0.15)) return '';
    const directive = this.#random.pick(['skip', 'include']);
    if (this.#random.chance(0.2)) return ` @${directive}(if: ${this.#random.chance(0.5)})`;
    const name = this.#random.pick(['yes', 'no', 'maybe']);
    if (name === 'maybe') this.#definitions.set(name, 'Boolean! = true');
    else {
      this.#definitions.set(name, 'Boolean!');
      this.#variables[name] = name === 'yes';
    }
    return ` @${directive}(if: $${name})`;
  }

  #argument(type: GraphQLInputType): string {
    if (this.#random.chance(0.5)) return this.#literal(type, 0);
    const name = `v${this.#definitions.size}`;
    const hasDefault = this.#random.chance(0.3) && !isNonNullType(type);
    this.#definitions.set(name, `${String(type)}${hasDefault ? ` = ${this.#literal(type, 0)}` : ''}`);
    if (isNonNullType(type) || this.#random.chance(0.7)) this.#variables[name] = this.#value(type, 0);
    return `$${name}`;
  }

  #literal(type: GraphQLInputType, depth: number): string {
    return graphqlText(this.#value(type, depth), type);
  }

  #value(type: GraphQLInputType, depth: number): unknown {
    if (isNonNullType(type)) return this.#value(type.ofType, depth) ?? this.#value(type, depth);
    if (this.#random.chance(0.1)) return null;
    if (isListType(type)) {
      const element = type.ofType;
      return Array.from({ length: this.#random.below(3) }, () => this.#value(element, depth + 1));
    }
    if (isEnumType(type)) return this.#random.pick(type.getValues()).name;
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields()).filter(
        (field) => isNonNullType(field.type) || (depth < 2 && this.#random.chance(0.5)),
      );
      return Object.fromEntries(fields.map((field) => [field.name, this.#value(field.type, depth + 1)]));
    }
    switch (type.name) {
      case 'Int':
        return this.#random.below(50);
      case 'Float':
        return this.#random.below(50) / 4;
      case 'Boolean':
        return this.#random.chance(0.5);
      default:
        return `text ${this.#random.below(50)}`;
    }
  }
}

function graphqlText(value: unknown, type: GraphQLInputType): string {
  if (value === null) return 'null';
  if (isNonNullType(type)) return graphqlText(value, type.ofType);
  if (Array.isArray(value) && isListType(type))
    return `[${value.map((element) => graphqlText(element, type.ofType)).join(', ')}]`;
  if (isEnumType(type)) return value as string;
  if (isInputObjectType(type)) {
    const fields = type.getFields();
    const members = Object.entries(value as object).map(([key, member]) => {
      const field = fields[key];
      return field ? `${key}: ${graphqlText(member, field.type)}` : '';
    });
    return `{ ${members.join(', ')} }`;
  }
  return JSON.stringify(value);
}
