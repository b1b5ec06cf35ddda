import type { LogEvent } from '#schema/events.ts';
import type { TenantModel } from '#subgraphs/model/definition.ts';

/** An event with the definitions under which it is looked at. One object for all who see it. */
export interface LogEntry {
  readonly event: LogEvent;
  readonly bytes: number;
  /** The newest that are known; those of the event or later. */
  readonly model: TenantModel;
  /** The definitions' version after the event; of an older event that is read again, the model's. */
  readonly version: number;
}

/**
 * What one kind of subscriber sees of a tenant's log. Subscribers with equal keys share one feed, so an event is looked at
 * once for all of them.
 */
export interface Feed<Value> {
  /** Throws where this feed does not fit the definitions. Asked before anyone joins. */
  check(model: TenantModel): void;
  /**
   * What to deliver; null: nothing. A promise where the store has to be asked: order is kept all the same. Throwing ends
   * the feed's subscribers with that error (their entity is gone). It is asked about every event, in order.
   */
  project(entry: LogEntry): Value | null | Promise<Value | null>;
}

/** What a stream yields: a value, or as its last word why it ends. Thrown errors would lose their place in the answer. */
export type Delivery<Value> = { readonly value: Value } | { readonly error: Error };
