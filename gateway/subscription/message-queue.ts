import type { EventMessage, HeldBytes } from './event-message.ts';

export interface QueueLimits {
  /** Messages that may wait for one client: several whole batches of 1,000. */
  readonly count: number;
  /** Their size; a single one may be larger. */
  readonly bytes: number;
  /** Of all queues together. */
  readonly held: HeldBytes;
}

/** Messages that wait for one client. They are shared: `held` counts each once, however many queues it is in. */
export class MessageQueue {
  readonly #limits: QueueLimits;
  #messages: EventMessage[] = [];
  #bytes = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get isEmpty(): boolean {
    return this.#messages.length === 0;
  }

  /** False, and nothing done, where a limit would be passed. An empty queue takes any message. */
  push(message: EventMessage): boolean {
    const { count, bytes, held } = this.#limits;
    const isFull =
      this.#messages.length >= count ||
      this.#bytes + message.bytes > bytes ||
      held.held + message.bytes > held.limit;
    if (isFull && !this.isEmpty) return false;
    message.hold(held);
    this.#bytes += message.bytes;
    this.#messages.push(message);
    return true;
  }

  /** Takes messages out while `accept` wants more. */
  drain(accept: (message: EventMessage) => boolean): void {
    let taken = 0;
    for (const message of this.#messages) {
      taken += 1;
      this.#release(message);
      if (!accept(message)) break;
    }
    this.#messages = this.#messages.slice(taken);
  }

  clear(): void {
    for (const message of this.#messages) this.#release(message);
    this.#messages = [];
  }

  #release(message: EventMessage): void {
    message.release(this.#limits.held);
    this.#bytes -= message.bytes;
  }
}
