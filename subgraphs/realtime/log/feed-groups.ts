import type { TenantModel } from '#subgraphs/model/definition.ts';
import type { Feed, LogEntry } from './feed.ts';
import type { Subscriber } from './subscriber.ts';

/** Which feed a subscriber is to have: see `SubscribeRequest`. */
export interface FeedRequest<Value> {
  keyOf(model: TenantModel): string;
  createFeed(): Feed<Value>;
}

interface Group {
  readonly feed: Feed<unknown>;
  readonly subscribers: Set<Subscriber<unknown>>;
}

interface Place {
  readonly request: FeedRequest<unknown>;
  key: string;
}

/** The subscribers of a tenant, by the feed that they share. */
export class FeedGroups {
  readonly #groups = new Map<string, Group>();
  readonly #places = new Map<Subscriber<unknown>, Place>();

  get isEmpty(): boolean {
    return this.#groups.size === 0;
  }

  /** The feed that the request shares under these definitions, or a new one. It is kept while it has subscribers. */
  feedOf<Value>(request: FeedRequest<Value>, model: TenantModel): Feed<Value> {
    // Values of one key are of one type: only the caller knows which.
    return (this.#groups.get(request.keyOf(model))?.feed as Feed<Value> | undefined) ?? request.createFeed();
  }

  /** The feed that a subscriber has now; null once it left. */
  feedFor<Value>(subscriber: Subscriber<Value>): Feed<Value> | null {
    const place = this.#places.get(subscriber as Subscriber<unknown>);
    return (place ? (this.#groups.get(place.key)?.feed as Feed<Value> | undefined) : undefined) ?? null;
  }

  add<Value>(
    request: FeedRequest<Value>,
    model: TenantModel,
    feed: Feed<Value>,
    subscriber: Subscriber<Value>,
  ): void {
    this.#join(request, request.keyOf(model), feed, subscriber as Subscriber<unknown>);
  }

  delete<Value>(subscriber: Subscriber<Value>): void {
    const key = this.#places.get(subscriber as Subscriber<unknown>)?.key;
    this.#places.delete(subscriber as Subscriber<unknown>);
    if (key !== undefined) this.#leave(key, subscriber as Subscriber<unknown>);
  }

  /**
   * The definitions changed: who shared a feed may have to see different things from now on, and the other way around. Every
   * feed is made anew: it sees with the eyes of whoever it was made for, who may be elsewhere now.
   */
  regroup(model: TenantModel): void {
    this.#groups.clear();
    for (const [subscriber, { request }] of this.#places)
      this.#join(request, request.keyOf(model), this.feedOf(request, model), subscriber);
  }

  /** Offers the log's next event to every live subscriber; each feed looks at it once. */
  offer(entry: LogEntry): void {
    for (const { feed, subscribers } of this.#groups.values()) {
      try {
        const value = feed.project(entry);
        // Nobody may be waiting for it when it fails; who is, hears of it.
        if (value instanceof Promise) value.catch(() => {});
        for (const subscriber of subscribers) {
          if (subscriber.isLive) subscriber.offer(entry.event.seq, entry.bytes, value);
          // Whoever goes on elsewhere under other permissions does so from here, not from its last event.
          if (subscriber.isLive && entry.event.kind === 'DEFINITIONS') subscriber.tellPlace();
        }
      } catch (error) {
        for (const subscriber of subscribers) subscriber.end(error as Error);
      }
    }
  }

  end(error: (cursor: string) => Error): void {
    for (const { subscribers } of this.#groups.values()) {
      for (const subscriber of subscribers) subscriber.end(error(subscriber.cursor));
    }
  }

  #join(
    request: FeedRequest<unknown>,
    key: string,
    feed: Feed<unknown>,
    subscriber: Subscriber<unknown>,
  ): void {
    const group = this.#groups.get(key) ?? { feed, subscribers: new Set() };
    this.#groups.set(key, group);
    group.subscribers.add(subscriber);
    this.#places.set(subscriber, { request, key });
  }

  #leave(key: string, subscriber: Subscriber<unknown>): void {
    const group = this.#groups.get(key);
    group?.subscribers.delete(subscriber);
    if (group?.subscribers.size === 0) this.#groups.delete(key);
  }
}
