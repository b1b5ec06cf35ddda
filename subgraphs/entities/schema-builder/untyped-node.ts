/** Records as values of the untyped twin's type `Record`. */
import { DomainError } from '#schema/errors.ts';
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import type { EntitiesContext } from '../context.ts';
import type { StoredRecord } from '../store/record-store.ts';
import { RecordNode, recordOf, toUntypedData } from './nodes.ts';

export class UntypedNode extends RecordNode {
  readonly #entity: EntityDefinition;

  constructor(entity: EntityDefinition, record: StoredRecord) {
    super(record);
    this.#entity = entity;
  }

  get entity(): string {
    return this.#entity.name;
  }
  get data(): Record<string, unknown> {
    return toUntypedData(this.#entity, recordOf(this));
  }
}

/** The request's entity of this name. NOT_FOUND where there is none. */
export function getNamedEntity(context: EntitiesContext, name: string): EntityDefinition {
  const entity = context.model.entityByName.get(name);
  if (!entity) throw new DomainError('NOT_FOUND', `There is no entity "${name.slice(0, 80).toWellFormed()}"`);
  return entity;
}
