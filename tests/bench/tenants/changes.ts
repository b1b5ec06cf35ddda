/** Adds fields to one tenant after the other while others are asked, and tells how long each takes to be of use. */
import { ask } from './ask.ts';
import { entityName } from './definitions.ts';
import type { BenchTenant } from './fill.ts';
import { quantiles, type Quantiles } from './quantiles.ts';

export interface ChangesOptions {
  readonly tenants: readonly BenchTenant[];
  readonly authorizations: ReadonlyMap<BenchTenant, string>;
  /** The gateway that changes are sent to. */
  readonly carrier: string;
  /** The gateway that is asked for the new field; where there are several, one that has to hear of it. */
  readonly observer: string;
  readonly seconds: number;
}

interface Visibility {
  /** `createField`, from sending to its answer, which waits for the gateway's own swap. */
  readonly 'createField, ms': Quantiles;
  /** From the mutation's answer to an answer with the field. */
  readonly 'answer to first use, ms': Quantiles;
  /** Requests for the field that a gateway refused because it had not heard of it yet. */
  readonly refusedBefore: number;
}

/** A gateway hears of a change within a second; after this long something is broken. */
const giveUpMs = 20_000;

export async function addFields(options: ChangesOptions): Promise<Visibility> {
  const { tenants, authorizations, carrier, observer } = options;
  const createMs: number[] = [];
  const useMs: number[] = [];
  let refusedBefore = 0;
  const end = performance.now() + options.seconds * 1_000;
  for (let change = 0; performance.now() < end; change++) {
    const tenant = tenants[(change * 37) % tenants.length] as BenchTenant;
    const authorization = authorizations.get(tenant) ?? '';
    const entity = entityName(tenant.number, 0);
    const name = `added${change}`;
    // The gateway that carries the change serves this tenant already, as one does whose admin has signed in.
    await ask(carrier, authorization, `{ ${entity}s(first: 1) { nodes { id } } }`);
    const sent = performance.now();
    const problem = await ask(
      carrier,
      authorization,
      'mutation ($entity: String!, $input: FieldInput!) { createField(entity: $entity, input: $input) { name } }',
      { entity, input: { name, type: 'BOOLEAN' } },
    );
    if (problem !== null) throw new Error(`createField: ${problem}`);
    const answered = performance.now();
    createMs.push(answered - sent);
    while ((await ask(observer, authorization, `{ ${entity}s(first: 1) { nodes { ${name} } } }`)) !== null) {
      refusedBefore++;
      if (performance.now() - answered > giveUpMs) throw new Error(`${name} does not become visible`);
    }
    useMs.push(performance.now() - answered);
  }
  return {
    'createField, ms': quantiles(createMs),
    'answer to first use, ms': quantiles(useMs),
    refusedBefore,
  };
}
