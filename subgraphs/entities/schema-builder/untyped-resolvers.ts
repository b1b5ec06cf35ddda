/** The untyped twin: records of any entity, for tools that serve any tenant. */
import { invalidField } from '#schema/errors.ts';
import type { Resolvers } from '#subgraphs/server/executable-subgraph.ts';
import { accessOf } from '#subgraphs/model/permissions/access.ts';
import type { EntitiesContext } from '../context.ts';
import type { OrderTerm } from '../store/record-store.ts';
import { resolveTotalCount } from './connection-node.ts';
import { type HistoryArguments, readHistory } from './history-resolvers.ts';
import { listRecords } from './record-resolvers.ts';
import { getNamedEntity, UntypedNode } from './untyped-node.ts';
import { untypedWrites } from './untyped-writes.ts';

interface RecordOrderInput {
  field: string;
  direction: string;
}

interface RecordsArguments {
  entity: string;
  first?: number | null;
  after?: string | null;
  filter?: unknown;
  orderBy?: readonly RecordOrderInput[] | null;
  search?: string | null;
}

export const untypedResolvers: Resolvers = {
  Query: {
    async record(
      _root: unknown,
      { entity: name, id }: { entity: string; id: string },
      context: EntitiesContext,
    ) {
      const entity = getNamedEntity(context, name);
      const record = await context.loaders.findRecord(entity, id);
      return record && new UntypedNode(entity, record, accessOf(context.model, entity, context.claims));
    },
    async records(
      _root: unknown,
      { entity: name, filter, orderBy, ...page }: RecordsArguments,
      context: EntitiesContext,
    ) {
      const args = { ...page, filter: readFilter(filter), orderBy: orderBy?.map(toOrderTerm) };
      const asked = getNamedEntity(context, name);
      const access = accessOf(context.model, asked, context.claims);
      return listRecords(context, asked, args, (entity, record) => new UntypedNode(entity, record, access));
    },
    recordHistory(
      _root: unknown,
      { entity: name, ...args }: HistoryArguments & { entity: string },
      context: EntitiesContext,
    ) {
      return readHistory(context, getNamedEntity(context, name), args);
    },
  },
  Mutation: untypedWrites,
  RecordConnection: { totalCount: resolveTotalCount },
};

/** The store checks its members, as those of the typed filters. */
function readFilter(filter: unknown): Readonly<Record<string, unknown>> | null {
  if (filter === null || filter === undefined) return null;
  if (typeof filter === 'object' && !Array.isArray(filter)) return filter as Record<string, unknown>;
  throw invalidField('filter', 'type', 'filter must be an object, as the filter input of the entity');
}

/** `company.name` → `{ company: { name: direction } }`. */
function toOrderTerm({ field, direction }: RecordOrderInput): OrderTerm {
  const path = field.split('.');
  if (path.length > 10) throw invalidField('orderBy', 'maxLength', 'orderBy follows more than 10 relations');
  return path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), direction) as OrderTerm;
}
