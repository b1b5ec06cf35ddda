/**
 * A federation subgraph's SDL → its schema, straight through graphql-js. `buildSubgraphSchema` comes to the same by way of
 * Apollo's own model of a schema, which costs ten times as much, and a tenant's schema is built at each change of its
 * definitions. What that checks is checked where the gateway composes.
 */
import { addResolversToSchema } from '@apollo/subgraph/dist/schema-helper/index.js';
import { entitiesResolver } from '@apollo/subgraph/dist/types.js';
import {
  buildASTSchema,
  type DefinitionNode,
  type GraphQLField,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
  Kind,
  type ObjectTypeDefinitionNode,
  type ObjectTypeExtensionNode,
  parse,
} from 'graphql';

/** Resolver maps as graphql-tools knows them: type → field → resolver, scalars, enum values, `__resolveReference`. */
// biome-ignore lint/suspicious/noExplicitAny: the sources and arguments differ from field to field
export type Resolvers = Record<string, any>;

/** With federation's own fields and types, and the resolvers in their places. Throws where the SDL does not parse or build. */
export function buildFederationSchema(sdl: string, resolvers: Resolvers): GraphQLSchema {
  const { definitions } = parse(sdl, { noLocation: true });
  const entities = definitions.flatMap((node) => (isEntity(node) ? [node.name.value] : []));
  const machinery = parse(
    [
      'scalar _Any',
      'type _Service { sdl: String }',
      'extend type Query { _service: _Service! }',
      ...(entities.length > 0
        ? [
            `union _Entity = ${[...new Set(entities)].toSorted().join(' | ')}`,
            'extend type Query { _entities(representations: [_Any!]!): [_Entity]! }',
          ]
        : []),
    ].join('\n'),
    { noLocation: true },
  );
  const document = {
    kind: Kind.DOCUMENT,
    definitions: withBases([...definitions, ...machinery.definitions]),
  } as const;
  const schema = buildASTSchema(document, { assumeValidSDL: true, assumeValid: true });
  addResolversToSchema(schema, { Query: { _service: () => ({ sdl }) } });
  if (entities.length > 0) {
    addResolversToSchema(schema, {
      Query: { _entities: resolveEntities },
      _Entity: { __resolveType: (parent: { __typename: string }) => parent.__typename },
    });
  }
  addResolversToSchema(schema, resolvers);
  forgetText(schema);
  return schema;
}

/** graphql-js makes these anew for each of a schema's thousands of fields. */
const noExtensions = Object.freeze(Object.create(null)) as Record<string, never>;
const noArguments: GraphQLField<unknown, unknown>['args'] = [];

/**
 * What nothing reads would stay as long as the schema does, and take more of the heap than all the rest of it: the parsed
 * text, and a place for extensions and arguments where there are none.
 */
function forgetText(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (isIntrospectionType(type) || isSpecifiedScalarType(type)) continue;
    forget(type);
    type.extensionASTNodes = [];
    if (isEnumType(type)) type.getValues().forEach(forget);
    if (!isObjectType(type) && !isInterfaceType(type) && !isInputObjectType(type)) continue;
    for (const field of Object.values(type.getFields()) as GraphQLField<unknown, unknown>[]) {
      forget(field);
      field.args?.forEach(forget);
      if (field.args?.length === 0) field.args = noArguments;
    }
  }
}

function forget(parsed: { astNode?: unknown; extensions: object }): void {
  parsed.astNode = undefined;
  for (const _name in parsed.extensions) return;
  parsed.extensions = noExtensions;
}

function resolveEntities(
  _source: unknown,
  { representations }: { representations: unknown },
  context: unknown,
  info: GraphQLResolveInfo,
): unknown {
  return entitiesResolver({ representations, context, info });
}

function isEntity(node: DefinitionNode): node is ObjectTypeDefinitionNode | ObjectTypeExtensionNode {
  return (
    (node.kind === Kind.OBJECT_TYPE_DEFINITION || node.kind === Kind.OBJECT_TYPE_EXTENSION) &&
    node.directives?.some(({ name }) => name.value === 'key') === true
  );
}

/** graphql-js extends only what is defined: of a type that is extended alone, the first extension becomes its definition. */
function withBases(definitions: readonly DefinitionNode[]): DefinitionNode[] {
  const known = new Set(
    definitions.flatMap((node) => (node.kind === Kind.OBJECT_TYPE_DEFINITION ? [node.name.value] : [])),
  );
  return definitions.map((node) => {
    if (node.kind !== Kind.OBJECT_TYPE_EXTENSION || known.has(node.name.value)) return node;
    known.add(node.name.value);
    return { ...node, kind: Kind.OBJECT_TYPE_DEFINITION };
  });
}
