/** Reads an operation's selections into the fields of one object type, with the conditions under which each is asked for. */
import { isAbstractType, isObjectType, Kind } from 'graphql';
import type {
  FieldNode,
  FragmentDefinitionNode,
  GraphQLCompositeType,
  GraphQLInterfaceType,
  GraphQLObjectType,
  GraphQLSchema,
  SelectionNode,
  SelectionSetNode,
} from 'graphql';
import { DomainError } from '#schema/errors.ts';
import type { Conjunction } from '../recipe.ts';

/** One place where a field is asked for. */
export interface Occurrence {
  readonly node: FieldNode;
  readonly when: Conjunction;
}

/** A selection set and the condition under which it counts. */
export interface ConditionalSelections {
  readonly selections: SelectionSetNode;
  readonly when: Conjunction;
}

/** Occurrences of one collection; beyond it an operation is refused rather than compiled. */
const maxOccurrences = 20_000;

export interface SelectionCollector {
  /** Fields by response name, in the order of their first occurrence, for an object of `type` (or known only as that interface). */
  collect(sets: readonly ConditionalSelections[], type: GraphQLCompositeType): Map<string, Occurrence[]>;
}

/** Fragments are followed; a fragment spread twice under the same condition counts once. */
export function createSelectionCollector(
  schema: GraphQLSchema,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): SelectionCollector {
  return {
    collect(sets, type) {
      const fields = new Map<string, Occurrence[]>();
      const visited = new Set<string>();
      let count = 0;
      const visit = (selection: SelectionNode, outer: Conjunction) => {
        const when = conditionOf(selection, outer);
        if (when === null) return;
        if (selection.kind === Kind.FIELD) {
          if (++count > maxOccurrences) {
            throw new DomainError(
              'QUERY_TOO_COMPLEX',
              `The operation asks for more than ${maxOccurrences} fields of one object`,
            );
          }
          const key = selection.alias?.value ?? selection.name.value;
          const occurrences = fields.get(key);
          if (occurrences) occurrences.push({ node: selection, when });
          else fields.set(key, [{ node: selection, when }]);
          return;
        }
        if (selection.kind === Kind.INLINE_FRAGMENT) {
          if (!fragmentApplies(schema, selection.typeCondition?.name.value, type)) return;
          for (const inner of selection.selectionSet.selections) visit(inner, when);
          return;
        }
        const name = selection.name.value;
        const key = `${name} ${conjunctionKey(when)}`;
        if (visited.has(key)) return;
        visited.add(key);
        const fragment = fragments.get(name);
        if (!fragment || !fragmentApplies(schema, fragment.typeCondition.name.value, type)) return;
        for (const inner of fragment.selectionSet.selections) visit(inner, when);
      };
      for (const set of sets) {
        for (const selection of set.selections.selections) visit(selection, set.when);
      }
      return fields;
    },
  };
}

/** Whether a fragment on `conditionName` holds for objects of `type`; for an interface's name, only when it holds for all of them. */
function fragmentApplies(
  schema: GraphQLSchema,
  conditionName: string | undefined,
  type: GraphQLCompositeType,
): boolean {
  if (conditionName === undefined || conditionName === type.name) return true;
  const condition = schema.getType(conditionName);
  if (!condition || !isAbstractType(condition)) return false;
  if (!isObjectType(type) && !isAbstractType(type)) return false;
  return schema.isSubType(condition, type as GraphQLObjectType | GraphQLInterfaceType);
}

/** The condition of a selection within `outer`; null when it can never hold. */
function conditionOf(selection: SelectionNode, outer: Conjunction): Conjunction | null {
  if (!selection.directives?.length) return outer;
  const added: { variable: string; is: boolean }[] = [];
  for (const directive of selection.directives) {
    const name = directive.name.value;
    if (name !== 'skip' && name !== 'include') continue;
    const value = directive.arguments?.find((argument) => argument.name.value === 'if')?.value;
    const wanted = name === 'include';
    if (value?.kind === Kind.BOOLEAN) {
      if (value.value !== wanted) return null;
    } else if (value?.kind === Kind.VARIABLE) {
      const variable = value.name.value;
      const known = [...outer, ...added].find((literal) => literal.variable === variable);
      if (known && known.is !== wanted) return null;
      if (!known) added.push({ variable, is: wanted });
    }
  }
  return added.length > 0 ? [...outer, ...added] : outer;
}

/** Equal for conjunctions that hold together. */
export function conjunctionKey(when: Conjunction): string {
  if (when.length === 0) return '';
  return when
    .map((literal) => `${literal.is ? '' : '!'}${literal.variable}`)
    .toSorted()
    .join('&');
}

/** Null when some occurrence is unconditional: the field is then always answered. */
export function disjunctionOf(occurrences: readonly Occurrence[]): Conjunction[] | null {
  const byKey = new Map<string, Conjunction>();
  for (const { when } of occurrences) {
    if (when.length === 0) return null;
    byKey.set(conjunctionKey(when), when);
  }
  return [...byKey.values()];
}

/** What lies below a field: its occurrences' selections; conditions that hold wherever the field is answered are dropped. */
export function selectionsBelow(occurrences: readonly Occurrence[]): ConditionalSelections[] {
  const first = conjunctionKey(occurrences[0]?.when ?? []);
  const shared = occurrences.every((occurrence) => conjunctionKey(occurrence.when) === first);
  const below: ConditionalSelections[] = [];
  for (const { node, when } of occurrences) {
    if (node.selectionSet) below.push({ selections: node.selectionSet, when: shared ? [] : when });
  }
  return below;
}
