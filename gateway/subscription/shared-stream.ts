import type { GraphQLError } from 'graphql';
import type { KnownOperation } from '#gateway/execution/operation-runner.ts';
import type { EventMessage } from './event-message.ts';
import type { Upstream } from './upstream.ts';

/** One of those who share a stream. */
export interface StreamMember {
  offer(message: EventMessage, stream: SharedStream): void;
  /** The stream is at a place without an event. */
  streamMoved(stream: SharedStream): void;
  streamEnded(): void;
}

/** After so many messages other work of the process gets a turn. */
const sentInOneTurn = 500;

/**
 * One upstream for equal subscribers: each event is completed and serialised once, and offered to all of them. It is read
 * as fast as it comes, whatever its subscribers do, and closed when the last of them leaves.
 */
export class SharedStream {
  readonly #upstream: Upstream;
  readonly #onClose: () => void;
  readonly #subscribers = new Set<StreamMember>();
  #isClosed = false;

  constructor(upstream: Upstream, onClose: () => void) {
    this.#upstream = upstream;
    this.#onClose = onClose;
  }

  /** What is offered from now on comes after this; null where there are no places. */
  get seq(): number | null {
    return this.#upstream.seq;
  }

  add(subscriber: StreamMember): void {
    this.#subscribers.add(subscriber);
  }

  delete(subscriber: StreamMember): void {
    this.#subscribers.delete(subscriber);
    if (this.#subscribers.size === 0) this.#close();
  }

  /** See `Upstream.follow`: done once, however many subscribers ask for it. */
  follow(known: KnownOperation): readonly GraphQLError[] | null {
    return this.#upstream.follow(known);
  }

  /** Reads until the upstream ends or nobody is left. */
  async run(): Promise<void> {
    for (;;) {
      const message = await this.#upstream.next();
      if (this.#isClosed) return;
      if (message === undefined) break;
      if (message) await this.#offer(message);
      else for (const subscriber of this.#subscribers) subscriber.streamMoved(this);
    }
    const subscribers = [...this.#subscribers];
    this.#close();
    for (const subscriber of subscribers) subscriber.streamEnded();
  }

  async #offer(message: EventMessage): Promise<void> {
    // Who joins meanwhile is past this event already, or gets it from an upstream of its own.
    const subscribers = [...this.#subscribers];
    for (let index = 0; index < subscribers.length; index += 1) {
      if (index > 0 && index % sentInOneTurn === 0) await new Promise(setImmediate);
      subscribers[index]?.offer(message, this);
    }
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#onClose();
    this.#upstream.close();
  }
}
