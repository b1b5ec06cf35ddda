import { type ChangeOperation, encodeLogCursor, type LogEvent } from '#schema/events.ts';
import type { EntityDefinition, FieldDefinition } from '#subgraphs/model/definition.ts';
import { fieldNames, recordJson } from './record-json.ts';
import type { Sight } from './sight.ts';

const everything = (): boolean => true;

/** Who did it, as a reference to the tenants subgraph; null where it was no user. */
export function actorOf(event: LogEvent): { id: string } | null {
  return event.actorKind === 'USER' && event.actorId !== null ? { id: event.actorId } : null;
}

/** A record's change as a subscriber sees it. Shared by all who get it, so what costs something is worked out once. */
export class Change {
  readonly event: LogEvent;
  readonly definition: EntityDefinition;
  readonly operation: ChangeOperation;
  readonly cursor: string;
  #changedFields: string[] | null = null;
  #record: Record<string, unknown> | null = null;

  readonly #mayRead: (field: FieldDefinition) => boolean;

  /** `sight`: of subscribers who may not see everything; its fields alone are told. */
  constructor(
    event: LogEvent,
    definition: EntityDefinition,
    operation: ChangeOperation,
    sight: Pick<Sight, 'mayRead'> | null,
  ) {
    this.event = event;
    this.definition = definition;
    this.operation = operation;
    this.#mayRead = sight?.mayRead ?? everything;
    this.cursor = encodeLogCursor(event.seq);
  }

  /** The entity's name. */
  get entity(): string {
    return this.definition.name;
  }

  get actor(): { id: string } | null {
    return actorOf(this.event);
  }

  get at(): string {
    return this.event.at;
  }

  get recordId(): string {
    return this.event.recordId as string;
  }

  /** Whether there is a record to look at: not once it was deleted, nor where it is none of the subscriber's any more. */
  get hasRecord(): boolean {
    return this.operation !== 'DELETED' && this.operation !== 'LEFT';
  }

  get changedFields(): string[] {
    this.#changedFields ??= fieldNames(this.definition, this.event.changedFields, this.#mayRead);
    return this.#changedFields;
  }

  get record(): Record<string, unknown> | null {
    if (!this.hasRecord || !this.event.after) return null;
    this.#record ??= recordJson(this.definition, this.recordId, this.event.after, this.#mayRead);
    return this.#record;
  }
}
