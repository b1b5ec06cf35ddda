import { DomainError } from '#schema/errors.ts';
import { encodeLogCursor } from '#schema/events.ts';
import type { PlacedStream } from '#subgraphs/server/told-places.ts';
import type { Delivery } from './feed.ts';

export interface QueueLimits {
  /** Events that may wait for the consumer. */
  count: number;
  /** Their size; a single event may be larger. Events are shared: it is not each subscriber's own memory. */
  bytes: number;
}

export interface SubscriberOptions {
  /** Everything up to and including this was seen. */
  position: number;
  limits: QueueLimits;
  /** Called while a consumer waits and the queue is empty, until the subscriber is live. It adds, makes live, or ends. */
  readMore(): Promise<void>;
  /** Called once: nothing that is offered from now on matters. */
  onEnd(): void;
}

interface Queued<Value> {
  seq: number;
  bytes: number;
  value: Value | Promise<Value | null>;
}

type Step<Value> = IteratorResult<Delivery<Value>, undefined>;

/** A consumer's end of its subscription. */
export type LogStream<Value> = AsyncIterableIterator<Delivery<Value>, undefined> & PlacedStream;

/**
 * One consumer's place in the log, and the bounded queue between it and the tail. Until it is live it is pulled: pages of the
 * log are read as the consumer asks for more. Once live it is pushed, and ended when more waits than the limits allow.
 */
export class Subscriber<Value> {
  readonly #options: SubscriberOptions;
  #queue: Queued<Value>[] = [];
  /** Index of the queue's head; what is before it awaits removal. */
  #head = 0;
  #bytes = 0;
  #waiting: ((step: Step<Value>) => void)[] = [];
  #isDraining = false;
  /** An event is out of the queue and not with the consumer yet. */
  #isOnItsWay = false;
  #isLive = false;
  #onMoved: (() => void) | null = null;
  #isClosed = false;
  #ending: Error | null = null;
  #seen: number;
  #delivered: number;

  constructor(options: SubscriberOptions) {
    this.#options = options;
    this.#seen = options.position;
    this.#delivered = options.position;
  }

  /** Events up to and including this one were offered. */
  get seen(): number {
    return this.#seen;
  }

  get isLive(): boolean {
    return this.#isLive;
  }

  get isOpen(): boolean {
    return !this.#isClosed && this.#ending === null;
  }

  /** Where a later subscription goes on from. */
  get cursor(): string {
    return encodeLogCursor(this.#delivered);
  }

  /** As `cursor`, but past events that were none of this subscriber's where nothing waits for it. */
  get reached(): string {
    const isIdle = this.#head === this.#queue.length && !this.#isOnItsWay;
    return encodeLogCursor(isIdle ? this.#seen : this.#delivered);
  }

  /** From now on the tail pushes every event. */
  goLive(): void {
    this.#isLive = true;
    this.#onMoved?.();
  }

  /** Lets the consumer know how far it is although there is no event: the definitions changed here. */
  tellPlace(): void {
    this.#onMoved?.();
  }

  /** The next event, and what this subscriber is to get of it (null: nothing). Ignored when it was offered before. */
  offer(seq: number, bytes: number, value: Value | null | Promise<Value | null>): void {
    if (seq <= this.#seen || !this.isOpen) return;
    this.#seen = seq;
    if (value === null) return;
    const waiting = this.#queue.length - this.#head;
    const { limits } = this.#options;
    if (this.#isLive && waiting > 0 && (waiting >= limits.count || this.#bytes + bytes > limits.bytes)) {
      const cursor = this.cursor;
      const message =
        'This subscriber cannot keep up with the changes; subscribe again with `after: extensions.cursor`';
      this.end(new DomainError('SUBSCRIBER_TOO_SLOW', message, { details: { cursor } }));
      return;
    }
    this.#queue.push({ seq, bytes, value });
    this.#bytes += bytes;
    void this.#drain();
  }

  /** Drops what waits; the consumer gets `error` and then the end. */
  end(error: Error): void {
    if (!this.isOpen) return;
    this.#ending = error;
    this.#clear();
    this.#options.onEnd();
    void this.#drain();
  }

  /** The consumer's end of it. `return()` answers a pending `next()` at once. */
  stream(): LogStream<Value> {
    const close = (): Step<Value> => {
      this.#close();
      return { value: undefined, done: true };
    };
    return {
      next: () => {
        if (this.#isClosed) return Promise.resolve(close());
        return new Promise((resolve) => {
          this.#waiting.push(resolve);
          void this.#drain();
        });
      },
      return: async () => close(),
      throw: async (error) => {
        close();
        throw error;
      },
      [Symbol.asyncIterator]() {
        return this;
      },
      whereabouts: () => ({ cursor: this.cursor, reached: this.reached, isLive: this.isLive }),
      onMoved: (listener) => (this.#onMoved = listener),
    };
  }

  /** Gives what is there to who waits. Runs synchronously up to the first value that has to be waited for. */
  async #drain(): Promise<void> {
    if (this.#isDraining) return;
    this.#isDraining = true;
    try {
      while (this.#waiting.length > 0 && !this.#isClosed) {
        const item = this.#queue[this.#head];
        if (item) {
          this.#shift(item);
          this.#isOnItsWay = true;
          const value = item.value instanceof Promise ? await item.value : item.value;
          // Ended or closed meanwhile: this event was not delivered, and its cursor was not given away.
          if (value !== null && this.isOpen) this.#give({ value }, item.seq);
          this.#isOnItsWay = false;
        } else if (this.#ending) {
          this.#give({ error: this.#ending }, this.#delivered);
          this.#close();
        } else if (!this.#isLive) {
          await this.#options.readMore();
        } else break;
      }
      this.#isDraining = false;
    } catch (error) {
      this.#isDraining = false;
      this.#isOnItsWay = false;
      this.end(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #give(delivery: Delivery<Value>, seq: number): void {
    this.#delivered = seq;
    this.#waiting.shift()?.({ value: delivery, done: false });
  }

  #shift(item: Queued<Value>): void {
    this.#head += 1;
    this.#bytes -= item.bytes;
    if (this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
    } else if (this.#head > 256 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
  }

  #clear(): void {
    this.#queue = [];
    this.#head = 0;
    this.#bytes = 0;
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#clear();
    for (const resolve of this.#waiting) resolve({ value: undefined, done: true });
    this.#waiting = [];
    if (this.#ending === null) this.#options.onEnd();
  }
}
