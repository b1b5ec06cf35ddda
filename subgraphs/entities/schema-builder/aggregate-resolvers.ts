/** The resolver of `contactsAggregate`: which figures are asked for is read from the operation, so that only those are computed. */
import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLResolveInfo,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import { aggregateFunctions } from '#subgraphs/model/aggregate/members.ts';
import type { EntitiesContext } from '../context.ts';
import type { AggregateGroup, AggregateRequest } from '../store/record-store.ts';
import { checkIncludeDeleted } from './deleted-records.ts';
import { getEntity } from './request-entity.ts';

export type AggregateArguments = Omit<AggregateRequest, 'entity' | 'measures'>;
type Fragments = Readonly<Record<string, FragmentDefinitionNode>>;

export function aggregateResolver(type: string) {
  return async (
    _root: unknown,
    args: AggregateArguments,
    context: EntitiesContext,
    info: GraphQLResolveInfo,
  ): Promise<AggregateGroup[]> => {
    checkIncludeDeleted(context, args.includeDeleted);
    return context.records.aggregate(context.storeContext, {
      ...args,
      entity: getEntity(context, type),
      measures: askedMeasures(info.fieldNodes, info.fragments),
    });
  };
}

function askedMeasures(nodes: readonly FieldNode[], fragments: Fragments): AggregateRequest['measures'] {
  const members = fieldsOf(nodes, fragments);
  return aggregateFunctions.flatMap((name) => {
    const asked = members.filter((node) => node.name.value === name);
    const names = new Set(fieldsOf(asked, fragments).map((node) => node.name.value));
    return [...names].map((member) => ({ name, member }));
  });
}

/** The fields within the selections of `nodes`, through fragments. What @skip leaves out is computed in vain, no more. */
function fieldsOf(nodes: readonly FieldNode[], fragments: Fragments): FieldNode[] {
  const found: FieldNode[] = [];
  const collect = (set: SelectionSetNode | undefined): void => {
    for (const selection of set?.selections ?? []) {
      if (selection.kind === Kind.FIELD) found.push(selection);
      else if (selection.kind === Kind.INLINE_FRAGMENT) collect(selection.selectionSet);
      else collect(fragments[selection.name.value]?.selectionSet);
    }
  };
  for (const node of nodes) collect(node.selectionSet);
  return found;
}
