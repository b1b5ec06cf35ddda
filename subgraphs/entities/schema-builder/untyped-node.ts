/** Records as values of the untyped twin's type `Record`. */
import { DomainError } from '#schema/errors.ts';
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import type { EntityAccess } from '#subgraphs/model/permissions/access.ts';
import type { EntitiesContext } from '../context.ts';
import type { StoredRecord } from '../store/record-store.ts';
import { RecordNode, recordOf, toUntypedData } from './nodes.ts';

export class UntypedNode extends RecordNode {
  readonly #entity: EntityDefinition;
  readonly #access: EntityAccess;

  constructor(entity: EntityDefinition, record: StoredRecord, access: EntityAccess) {
    super(record);
    this.#entity = entity;
    this.#access = access;
  }

  get entity(): string {
    return this.#entity.name;
  }
  get data(): Record<string, unknown> {
    return toUntypedData(this.#entity, recordOf(this), this.#access);
  }
}

/** The request's entity of this name. NOT_FOUND where there is none. */
export function getNamedEntity(context: EntitiesContext, name: string): EntityDefinition {
  const entity = context.model.entityByName.get(name);
  if (!entity) throw new DomainError('NOT_FOUND', `There is no entity "${name.slice(0, 80).toWellFormed()}"`);
  return entity;
}
