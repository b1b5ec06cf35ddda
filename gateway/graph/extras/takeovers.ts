/** What an extra subgraph would change of ours: nothing may be hidden, retyped or answered by anybody else. */
import { Kind, print } from 'graphql';
import type {
  FieldDefinitionNode,
  InputValueDefinitionNode,
  ObjectTypeDefinitionNode,
  TypeDefinitionNode,
} from 'graphql';
import { readMarks, readSupergraphTypes, type JoinEntry, type SupergraphTypes } from './join-graph.ts';

/** More says nothing new. */
const maxProblems = 10;
const rootTypes = new Set(['Query', 'Mutation', 'Subscription']);

/**
 * Compares the supergraph of our subgraphs alone with the one that the extras take part in. Allowed is what adds: types,
 * root fields, fields of our entities, values of our keys. Each problem is a sentence that names the element.
 */
export function findTakeovers(
  baseSdl: string,
  compositeSdl: string,
  extras: readonly string[],
): readonly string[] {
  const base = readSupergraphTypes(baseSdl);
  const composite = readSupergraphTypes(compositeSdl);
  const isExtra = ({ graph }: JoinEntry): boolean => graph !== null && extras.includes(graph);
  const problems: string[] = [];

  for (const type of base.types.values()) {
    const name = type.name.value;
    const other = composite.types.get(name);
    if (!other || other.kind !== type.kind) {
      problems.push(`"${name}" would not be what it is.`);
      continue;
    }
    const isEntity = base.typeEntries(type).some(({ args }) => 'key' in args);
    for (const entry of composite.typeEntries(other).filter(isExtra)) {
      if (entry.args['isInterfaceObject'] === true) problems.push(`"${name}" would be an interface object.`);
      else if ('key' in entry.args && !isEntity) problems.push(`"${name}" would get a key.`);
    }
    const ours = composite.typeEntries(other).filter((entry) => !isExtra(entry));
    if (textOf(ours) !== textOf(base.typeEntries(type))) problems.push(`"${name}" would be owned otherwise.`);
    if (readMarks(type) !== readMarks(other)) problems.push(`"${name}" would be marked otherwise.`);
    problems.push(...changedMembers(type, other));
    if (isObjectLike(type) && isObjectLike(other)) {
      problems.push(...changedFields(base, composite, type, other, isExtra));
    }
  }
  return problems.slice(0, maxProblems);
}

/** Values, members and input fields: the same ones. Interfaces: at least those. */
function changedMembers(type: TypeDefinitionNode, other: TypeDefinitionNode): string[] {
  const name = type.name.value;
  if (type.kind === Kind.UNION_TYPE_DEFINITION && other.kind === type.kind) {
    const [one, two] = [type, other].map((union) => namesOf(union.types?.map((member) => member)));
    return one === two ? [] : [`The members of "${name}" would change.`];
  }
  if (type.kind === Kind.ENUM_TYPE_DEFINITION && other.kind === type.kind) {
    const [one, two] = [type, other].map((it) =>
      (it.values ?? [])
        .map((value) => `${value.name.value} ${readMarks(value)}`)
        .toSorted()
        .join(),
    );
    return one === two ? [] : [`The values of "${name}" would change.`];
  }
  if (type.kind === Kind.INPUT_OBJECT_TYPE_DEFINITION && other.kind === type.kind) {
    const [one, two] = [type, other].map((input) => inputsOf(input.fields));
    return one === two ? [] : [`The fields of "${name}" would change.`];
  }
  if (!isObjectLike(type) || !isObjectLike(other)) return [];
  const kept = new Set((other.interfaces ?? []).map((it) => it.name.value));
  return (type.interfaces ?? []).every((it) => kept.has(it.name.value))
    ? []
    : [`"${name}" would lose an interface.`];
}

function changedFields(
  base: SupergraphTypes,
  composite: SupergraphTypes,
  type: ObjectTypeDefinitionNode,
  other: ObjectTypeDefinitionNode,
  isExtra: (entry: JoinEntry) => boolean,
): string[] {
  const problems: string[] = [];
  const now = new Map((other.fields ?? []).map((field) => [field.name.value, field]));
  const keys = keyFields(base, type);
  const isShared = keys.size === 0 && !rootTypes.has(type.name.value);
  for (const field of type.fields ?? []) {
    const name = `${type.name.value}.${field.name.value}`;
    const changed = now.get(field.name.value);
    if (!changed) problems.push(`"${name}" would be gone.`);
    else if (signatureOf(field) !== signatureOf(changed)) problems.push(`"${name}" would change.`);
    else {
      const entries = composite.fieldEntries(other, changed);
      const ours = entries.filter((entry) => !isExtra(entry));
      if (textOf(ours) !== textOf(base.fieldEntries(type, field))) {
        problems.push(`"${name}" would be resolved otherwise.`);
      }
      for (const { args } of entries.filter(isExtra)) {
        const mayAnswer = keys.has(field.name.value) || isShared;
        if ('override' in args || !(args['external'] === true || mayAnswer)) {
          problems.push(`"${name}" would be taken over.`);
        } else if (isHidden(field)) problems.push(`"${name}" is hidden, and would be read.`);
      }
    }
  }
  return problems;
}

function isHidden(field: FieldDefinitionNode): boolean {
  return field.directives?.some(({ name }) => name.value === 'inaccessible') === true;
}

/** The plain fields of the keys that our subgraphs know a type by. */
function keyFields(base: SupergraphTypes, type: TypeDefinitionNode): ReadonlySet<string> {
  const keys = base.typeEntries(type).map(({ args }) => args['key']);
  return new Set(keys.flatMap((key) => (typeof key === 'string' ? key.split(/[\s{},]+/) : [])));
}

function signatureOf(field: FieldDefinitionNode): string {
  return `${print(field.type)} ${readMarks(field)} (${inputsOf(field.arguments)})`;
}

function inputsOf(inputs: readonly InputValueDefinitionNode[] = []): string {
  const texts = inputs.map((input) => {
    const value = input.defaultValue ? print(input.defaultValue) : '';
    return `${input.name.value}: ${print(input.type)} = ${value} ${readMarks(input)}`;
  });
  return texts.toSorted().join();
}

function namesOf(nodes: readonly { readonly name: { readonly value: string } }[] = []): string {
  return nodes
    .map(({ name }) => name.value)
    .toSorted()
    .join();
}

function textOf(entries: readonly JoinEntry[]): string {
  return entries
    .map(({ graph, text }) => `${graph} ${text}`)
    .toSorted()
    .join();
}

/** Interfaces have fields and interfaces as objects do. */
function isObjectLike(type: TypeDefinitionNode): type is ObjectTypeDefinitionNode {
  return type.kind === Kind.OBJECT_TYPE_DEFINITION || type.kind === Kind.INTERFACE_TYPE_DEFINITION;
}
