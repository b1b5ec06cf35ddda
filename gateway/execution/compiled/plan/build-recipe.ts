/** From a validated operation and its query plan to a recipe: the only place where the parts of a compilation meet. */
import { Kind } from 'graphql';
import type {
  FieldNode,
  FragmentDefinitionNode,
  GraphQLObjectType,
  GraphQLSchema,
  OperationDefinitionNode,
} from 'graphql';
import type { Schema } from '@apollo/federation-internals';
import type { QueryPlan } from '@apollo/query-planner';
import type { ParsedOperation } from '../../executor.ts';
import type { OperationRecipe, PlanStep, Shape } from '../recipe.ts';
import type { InputTypeCopies } from './input-types.ts';
import { buildIntrospection } from './introspection.ts';
import { buildPlanSteps } from './plan-steps.ts';
import { createSelectionCollector } from './selections.ts';
import type { Occurrence } from './selections.ts';
import { createShapeTable } from './shapes.ts';

export interface RecipeInput {
  readonly parsed: ParsedOperation;
  /** The client's schema. */
  readonly schema: GraphQLSchema;
  /** With what clients do not see; null where no subgraph is asked. */
  readonly supergraph: Schema | null;
  readonly queryPlan: QueryPlan;
  readonly inputTypes: InputTypeCopies;
  /** Fields of the operation that the plan leaves out and the answer holds as null, whatever the data says. */
  readonly denied?: ReadonlySet<FieldNode>;
}

/** Throws QUERY_TOO_COMPLEX where fragments multiply beyond reason. */
export function buildRecipe({
  parsed,
  schema,
  supergraph,
  queryPlan,
  inputTypes,
  denied,
}: RecipeInput): OperationRecipe {
  const { operation, fragments } = definitionsOf(parsed);
  const root = schema.getRootType(operation.operation) as GraphQLObjectType;
  const collector = createSelectionCollector(schema, fragments);
  const table = createShapeTable(schema, collector, denied);
  const rootSets = [{ selections: operation.selectionSet, when: [] }];
  const rootShape = table.indexOf(root, rootSets);
  const { plan, source } = buildPlanSteps(queryPlan, supergraph);
  const introspected = new Map<string, readonly Occurrence[]>();
  for (const [key, occurrences] of collector.collect(rootSets, root)) {
    const name = occurrences[0]?.node.name.value;
    if (name === '__schema' || name === '__type') introspected.set(key, occurrences);
  }
  const { kind, operationName, rootFields } = parsed;
  return {
    summary: { kind, operationName, rootFields },
    variables: (operation.variableDefinitions ?? []).map((definition) => inputTypes.variable(definition)),
    conditionVariables: conditionVariables(table.shapes, plan),
    plan,
    source,
    shapes: table.shapes,
    rootShape,
    introspection: buildIntrospection(schema, operation, fragments, introspected),
  };
}

/** The chosen operation and all fragments. */
export function definitionsOf(parsed: ParsedOperation): {
  operation: OperationDefinitionNode;
  fragments: Map<string, FragmentDefinitionNode>;
} {
  const fragments = new Map<string, FragmentDefinitionNode>();
  let operation: OperationDefinitionNode | undefined;
  for (const definition of parsed.document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    if (!operation || definition.name?.value === parsed.operationName) operation = definition;
  }
  if (!operation) throw new Error('A parsed operation has an operation definition');
  return { operation, fragments };
}

function conditionVariables(shapes: readonly Shape[], plan: PlanStep | null): string[] {
  const names = new Set<string>();
  for (const shape of shapes) {
    for (const { fields } of [...shape.variants, ...shape.untyped]) {
      for (const field of fields) {
        for (const literal of field.when?.flat() ?? []) names.add(literal.variable);
      }
    }
  }
  const read = (step: PlanStep | null) => {
    if (step?.kind === 'condition') {
      names.add(step.variable);
      read(step.whenTrue);
      read(step.whenFalse);
    } else if (step?.kind === 'sequence' || step?.kind === 'parallel') {
      for (const child of step.steps) read(child);
    }
  };
  read(plan);
  return [...names];
}
