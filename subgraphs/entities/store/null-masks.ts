/**
 * The records of an entity without a value in a slot, by the index on `filled`: which slots of a record hold values. The
 * slot's own index has only those that do. An entity's records have few different masks, so those that lack the slot's bit are
 * walked from one to the next, each at the price of one look into the index, and the records of each are in order of id.
 */
import type { SlotKind } from '#subgraphs/model/field-types.ts';
import type { Listing } from './listing.ts';
import { listed } from './listing.ts';

/** Looks into the index, and masks that lack the bit: where there are more, the records themselves are gone through. */
const maxLooks = 1_000;
const maxMasks = 200;

const firstBits: Readonly<Record<SlotKind, number>> = { t: 0, n: 20, d: 30, r: 40 };

/** The bit of `filled` that says whether the slot ("t3") holds a value. */
function bitOf(slot: string): number {
  return firstBits[slot.charAt(0) as SlotKind] + Number(slot.slice(1)) - 1;
}

export interface NullQuery {
  /** A query of records as far as it chooses them, but for the slot, and their order. */
  readonly select: string;
  readonly isNull: string;
  /** Where the order is that of the ids alone: which way, and the id that it comes after; null: from the start. */
  readonly byId: { readonly isDescending: boolean; readonly after: string | null } | null;
  readonly order: string;
  /** The order by the query's own columns, under the alias s. */
  readonly resultOrder: string;
  readonly limit: string;
}

export interface NullMasks {
  /** Common table expressions, each after a comma, for a `with recursive`. */
  readonly tables: string;
  query(query: NullQuery): string;
}

export function masksWithout({ row, tenantId, parameters }: Listing, slot: string): NullMasks {
  const bit = bitOf(slot);
  const mask = `${2n ** BigInt(bit)}::bigint`;
  const ofEntity = `r.tenant_id = ${parameters.add(tenantId, 'uuid')} and r.entity_id = ${parameters.add(row.entity.id, 'uuid')}`;
  const nextFrom = (least: string): string =>
    `(select r.filled from records r where ${ofEntity} and r.filled >= ${least} order by r.filled limit 1)`;
  // Behind one that has the bit, the next that may be without it.
  const least = `case when m.mask & ${mask} = 0 then m.mask + 1 else ((m.mask >> ${bit + 1}) + 1) << ${bit + 1} end`;
  return {
    tables:
      `, masks (mask, look) as (select ${nextFrom('0')}, 1 union all select ${nextFrom(least)}, m.look + 1 from masks m where m.mask is not null and m.look < ${maxLooks})` +
      `, lacking as materialized (select mask from masks where mask & ${mask} = 0)` +
      `, counted as materialized (select (select count(*) from lacking) > ${maxMasks} or exists (select from masks where look = ${maxLooks}) as are_many)`,
    query({ select, isNull, byId, order, resultOrder, limit }) {
      // What the mask says is not said again: the planner would take the few for fewer still, and not the index. It knows nothing
      // of rare masks: told that the mask is equal, it would as soon go through all records in order of id. A range that is one
      // mask long, and an order by both, leave it the one index.
      const ofMask = byId === null ? `${listed}.filled = m.mask` : rangeOfMask(byId);
      const inMask =
        byId === null ? order : `${listed}.filled ${byId.isDescending ? 'desc' : 'asc'}, ${order}`;
      const byMask = `select s.* from lacking m cross join lateral (${select} and ${ofMask} order by ${inMask} limit ${limit}) s order by ${resultOrder} limit ${limit}`;
      const byRecord = `${select} and ${isNull} order by ${order} limit ${limit}`;
      return `select * from (${byMask}) s where not (select are_many from counted) union all select * from (${byRecord}) s where (select are_many from counted)`;
    },
  };
}

function rangeOfMask({ isDescending, after }: NonNullable<NullQuery['byId']>): string {
  const [first, last] = isDescending ? ['<', '>='] : ['>', '<='];
  const begin =
    after === null
      ? `${listed}.filled ${first}= m.mask`
      : `(${listed}.filled, ${listed}.id) ${first} (m.mask, ${after})`;
  return `${begin} and ${listed}.filled ${last} m.mask`;
}
