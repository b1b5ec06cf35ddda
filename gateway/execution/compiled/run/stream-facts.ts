/** What a subscription's recipe tells of how it can be shared and resumed. */
import {
  type DocumentNode,
  type FieldNode,
  Kind,
  type OperationDefinitionNode,
  parse,
  print,
  visit,
} from 'graphql';
import type { SubgraphRequest } from '#schema/subgraph-protocol.ts';
import type { StreamFacts } from '../../executor.ts';
import type { FetchStep, OperationRecipe, PlanStep } from '../recipe.ts';

/** The argument by which our own subscriptions take a cursor. */
const argumentName = 'after';

/** How an upstream is opened at a place of our choice. */
export interface Resumption {
  /** The variable that is the argument's value, where it is used for nothing else in the upstream's operation. */
  readonly variable: string | null;
  /** The request with the cursor as its `after`. Null: its operation is of no form that could take it. */
  from(request: SubgraphRequest, cursor: string): SubgraphRequest | null;
}

/** Reads and writes the operation's text when it is first needed: most subscriptions never resume by themselves. */
export function createResumption({ query }: FetchStep): Resumption {
  let parsed: ParsedSource | null | undefined;
  const getSource = (): ParsedSource | null =>
    parsed === undefined ? (parsed = parseSource(query)) : parsed;
  return {
    get variable() {
      return getSource()?.variable ?? null;
    },
    from(request, cursor) {
      const source = getSource();
      if (!source) return null;
      if (source.variable !== null)
        return { ...request, variables: { ...request.variables, [source.variable]: cursor } };
      source.resumed ??= withArgument(source);
      const { text, variable } = source.resumed;
      return { ...request, query: text, variables: { ...request.variables, [variable]: cursor } };
    },
  };
}

export function readStreamFacts(
  { plan, conditionVariables, introspection }: OperationRecipe,
  source: FetchStep,
  resumption: Resumption,
): StreamFacts {
  const rest = plan ? fetchesOf(plan) : [];
  const used = new Set([
    ...conditionVariables,
    ...introspection.flatMap(({ variables }) => variables),
    ...rest.flatMap(({ variables }) => variables),
  ]);
  return {
    source: source.subgraph,
    subgraphs: new Set([source, ...rest].map(({ subgraph }) => subgraph)),
    get resumeVariable() {
      const { variable } = resumption;
      return variable !== null && used.has(variable) ? null : variable;
    },
  };
}

function fetchesOf(step: PlanStep): FetchStep[] {
  if (step.kind === 'fetch') return [step];
  if (step.kind === 'condition')
    return [step.whenTrue, step.whenFalse].flatMap((child) => (child ? fetchesOf(child) : []));
  return step.steps.flatMap(fetchesOf);
}

interface ParsedSource {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly field: FieldNode;
  readonly variable: string | null;
  /** Names of all variables. */
  readonly names: ReadonlySet<string>;
  resumed?: { readonly text: string; readonly variable: string };
}

/** Null for what a planner never makes: a root field inside a fragment. */
function parseSource(query: string): ParsedSource | null {
  const document = parse(query, { noLocation: true });
  const operation = document.definitions.find((definition) => definition.kind === Kind.OPERATION_DEFINITION);
  if (!operation) return null;
  const [field] = operation.selectionSet.selections;
  if (field?.kind !== Kind.FIELD) return null;
  const value = field.arguments?.find(({ name }) => name.value === argumentName)?.value;
  const uses: string[] = [];
  visit(document, {
    // Left out: a definition is no use.
    VariableDefinition: () => false,
    Variable: ({ name }) => void uses.push(name.value),
  });
  const variable = value?.kind === Kind.VARIABLE ? value.name.value : null;
  const isOnlyUse = variable !== null && uses.filter((name) => name === variable).length === 1;
  return { document, operation, field, variable: isOnlyUse ? variable : null, names: new Set(uses) };
}

/** The operation with the argument's value, given or not, in a variable of its own. */
function withArgument({ document, operation, field, names }: ParsedSource): {
  text: string;
  variable: string;
} {
  let variable = argumentName;
  while (names.has(variable)) variable = `_${variable}`;
  const name = { kind: Kind.NAME, value: variable } as const;
  const others = (field.arguments ?? []).filter((argument) => argument.name.value !== argumentName);
  const resumedField: FieldNode = {
    ...field,
    arguments: [
      ...others,
      {
        kind: Kind.ARGUMENT,
        name: { kind: Kind.NAME, value: argumentName },
        value: { kind: Kind.VARIABLE, name },
      },
    ],
  };
  const resumed: OperationDefinitionNode = {
    ...operation,
    variableDefinitions: [
      ...(operation.variableDefinitions ?? []),
      {
        kind: Kind.VARIABLE_DEFINITION,
        variable: { kind: Kind.VARIABLE, name },
        type: { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: 'String' } },
      },
    ],
    selectionSet: { ...operation.selectionSet, selections: [resumedField] },
  };
  const definitions = document.definitions.map((definition) =>
    definition === operation ? resumed : definition,
  );
  return { text: print({ ...document, definitions }), variable };
}
