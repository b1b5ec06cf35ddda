/** Resolvers of definitions as code. */
import { DomainError } from '#schema/errors.ts';
import type { Resolvers } from '#subgraphs/server/executable-subgraph.ts';
import type { EntitiesContext } from '../context.ts';
import { applyDocument, type DocumentStep } from './apply-document.ts';
import { parseDocument, writeDocument } from './document.ts';
import type { DefinitionDraft } from './draft.ts';

export const documentResolvers: Resolvers = {
  Query: {
    async exportDefinitions(_root: unknown, _args: unknown, context: EntitiesContext) {
      const model = await context.definitions.models.get(context.claims, context.definitionsVersion);
      return writeDocument(model);
    },
    async planDefinitions(
      _root: unknown,
      { definitions }: { definitions: unknown },
      context: EntitiesContext,
    ) {
      const document = parseDocument(definitions);
      const { result, lost } = await context.definitions.preview(context.claims, (draft) =>
        applyDocument(draft, document, 'SET_NULL'),
      );
      return toPlan(result, (id) => lost.get(id) ?? 0);
    },
  },
  Mutation: {
    async applyDefinitions(
      _root: unknown,
      { definitions, allowLoss }: { definitions: unknown; allowLoss: boolean },
      context: EntitiesContext,
    ) {
      const document = parseDocument(definitions);
      const { result } = await context.definitions.change(
        { claims: context.claims, requestId: context.requestId },
        (draft) => {
          const steps = applyDocument(draft, document, allowLoss ? 'SET_NULL' : 'REFUSE');
          if (!allowLoss) refuseLosses(draft, steps);
          return steps;
        },
      );
      context.loaders.clear();
      return toPlan(result, () => null);
    },
  },
};

/** Whatever is deleted of an entity that has records: how many of them have a value in it is not looked at here. */
function refuseLosses(draft: DefinitionDraft, steps: readonly DocumentStep[]): void {
  const lost = steps.filter(({ kind, entity, field, lostId }) => {
    const owner = field === null ? lostId : draft.findEntity(entity)?.id;
    return kind === 'DELETE' && draft.hasRecords(owner ?? '');
  });
  if (lost.length === 0) return;
  const paths = lost.map(({ entity, field }) => (field === null ? entity : `${entity}.${field}`));
  const message = `This would delete values of records: ${paths.join(', ')}. See planDefinitions; allowLoss: true does it all the same`;
  throw new DomainError('CONFLICT', message, {
    fields: paths.map((field) => ({ field, rule: 'loss', message: `${field} has records` })),
  });
}

function toPlan(steps: readonly DocumentStep[], countOf: (id: string) => number | null): object {
  const planned = steps.map(({ lostId, ...step }) => ({
    ...step,
    lostValues: lostId === null ? 0 : countOf(lostId),
  }));
  return { steps: planned, losesData: planned.some((step) => (step.lostValues ?? 0) > 0) };
}
