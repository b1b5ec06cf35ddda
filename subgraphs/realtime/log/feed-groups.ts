import type { Feed, LogEntry } from './feed.ts';
import type { Subscriber } from './subscriber.ts';

/** The subscribers of a tenant, by the feed that they share. */
export class FeedGroups {
  readonly #groups = new Map<string, { feed: Feed<unknown>; subscribers: Set<Subscriber<unknown>> }>();

  get isEmpty(): boolean {
    return this.#groups.size === 0;
  }

  /** The feed of `key`: the one in use, or the one made now. It is kept while it has subscribers. */
  feedOf<Value>(key: string, create: () => Feed<Value>): Feed<Value> {
    // Values of one key are of one type: only the caller knows which.
    return (this.#groups.get(key)?.feed as Feed<Value> | undefined) ?? create();
  }

  add<Value>(key: string, feed: Feed<Value>, subscriber: Subscriber<Value>): void {
    let group = this.#groups.get(key);
    if (!group) {
      group = { feed, subscribers: new Set() };
      this.#groups.set(key, group);
    }
    group.subscribers.add(subscriber as Subscriber<unknown>);
  }

  delete<Value>(key: string, subscriber: Subscriber<Value>): void {
    const group = this.#groups.get(key);
    group?.subscribers.delete(subscriber as Subscriber<unknown>);
    if (group?.subscribers.size === 0) this.#groups.delete(key);
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
}
