import type { Logger } from 'pino';
import type { Claims } from '#schema/claims.ts';
import { DomainError, invalidField } from '#schema/errors.ts';
import { decodeLogCursor } from '#schema/events.ts';
import type { TenantModel } from '#subgraphs/model/definition.ts';
import type { EventStore, LogHead, PageLimits, StoredEvent } from './event-store.ts';
import type { Feed, LogEntry } from './feed.ts';
import { FeedGroups } from './feed-groups.ts';
import { createNextFlight } from './next-flight.ts';
import { OlderPages } from './older-pages.ts';
import { RecentEntries } from './recent-entries.ts';
import { type LogStream, type QueueLimits, Subscriber } from './subscriber.ts';
import { systemClaims } from './system-claims.ts';

export interface TailOptions {
  tenantId: string;
  store: Pick<EventStore, 'readHead' | 'readPage'>;
  /** The tenant's definitions, at least as new as that version. */
  getModel(claims: Claims, atLeastVersion: number): Promise<TenantModel>;
  page: PageLimits;
  /** One read for subscribers that are not live yet: each may hold so much while its consumer is slow. */
  olderPage: PageLimits;
  /** No more than `queue`: it may be handed to a subscriber at once. */
  recent: { count: number; bytes: number };
  queue: QueueLimits;
  logger: Pick<Logger, 'warn'>;
  /** The last subscriber left. */
  onIdle(): void;
}

export interface SubscribeRequest<Value> {
  /** Null: from the log's head as it is now. */
  after: string | null;
  /**
   * Names the feed among the tenant's, under these definitions: who has the same key shares it. Where another version gives
   * it another key, its subscriber leaves those who had the same one.
   */
  keyOf(model: TenantModel): string;
  createFeed(): Feed<Value>;
}

/**
 * The one reader of a tenant's log in this process. It reads what follows its position whenever it is woken, and offers
 * each event to its subscribers in the log's order. Who asks for older events is first served from memory, or from the table page by page at
 * its own pace, and joins the live tail exactly where that ended.
 */
export class TenantTail {
  readonly #options: TailOptions;
  readonly #claims: Claims;
  readonly #readHead: () => Promise<LogHead>;
  readonly #groups = new FeedGroups();
  readonly #older: OlderPages;
  /** Null until the first subscriber's head was read. */
  #recent: RecentEntries | null = null;
  /** Everything up to and including this was offered. */
  #position = 0;
  /** The definitions' version at that position: each DEFINITIONS event raises it by one. */
  #version = 0;
  #model: TenantModel | null = null;
  #opening = 0;
  #isPumping = false;
  #isWoken = false;
  #isClosed = false;
  #hasRead = false;

  constructor(options: TailOptions) {
    this.#options = options;
    this.#claims = systemClaims(options.tenantId);
    this.#readHead = createNextFlight(() => options.store.readHead(options.tenantId));
    const { store, tenantId, olderPage } = options;
    this.#older = new OlderPages((after) => store.readPage(tenantId, after, olderPage), olderPage.count);
  }

  get position(): number {
    return this.#position;
  }

  /** Whether it read since the last call: then a poll has nothing to tell it. */
  takeHasRead(): boolean {
    const hasRead = this.#hasRead;
    this.#hasRead = false;
    return hasRead;
  }

  /**
   * The place in the log is fixed when this resolves. BAD_USER_INPUT for a cursor that is none or lies ahead of the log,
   * CURSOR_EXPIRED for one whose events are gone.
   */
  async subscribe<Value>(request: SubscribeRequest<Value>): Promise<LogStream<Value>> {
    const asked = request.after === null ? null : decodeLogCursor(request.after);
    this.#opening += 1;
    try {
      const head = await this.#readHead();
      const position = asked ?? head.seq;
      if (position > head.seq) throw invalidField('after', 'cursor', 'The cursor lies ahead of the log');
      if (position < head.trimmedSeq) throw expired();
      const recent = await this.#begin(head);
      if (this.#isClosed) throw new DomainError('SUBGRAPH_UNAVAILABLE', 'The server is going down');
      const subscriber = this.#join(request, position, recent);
      // A hint that came before there was a position is not lost.
      if (head.seq > this.#position || this.#isWoken) this.wake();
      return subscriber.stream();
    } finally {
      this.#opening -= 1;
      this.#closeIfIdle();
    }
  }

  /** Reads on, now or, where a read is under way, right after it. */
  wake(): void {
    this.#isWoken = true;
    if (!this.#isPumping && this.#recent && !this.#isClosed) void this.#pump(this.#recent);
  }

  /** Ends every subscriber; `error` is made for each, from its cursor. */
  close(error: (cursor: string) => Error): void {
    this.#isClosed = true;
    this.#groups.end(error);
  }

  /** Takes the tail's first position. Subscribers that open at the same time all begin at the first one's. */
  async #begin(head: LogHead): Promise<RecentEntries> {
    if (this.#model === null || this.#model.version < head.definitionsVersion) {
      await this.#loadModel(head.definitionsVersion);
    }
    if (this.#recent === null) {
      this.#position = head.seq;
      this.#version = head.definitionsVersion;
      this.#recent = new RecentEntries(head.seq, this.#options.recent);
    }
    return this.#recent;
  }

  #join<Value>(request: SubscribeRequest<Value>, position: number, recent: RecentEntries): Subscriber<Value> {
    const model = this.#model as TenantModel;
    const feed = this.#groups.feedOf(request, model);
    feed.check(model);
    const subscriber: Subscriber<Value> = new Subscriber<Value>({
      position,
      limits: this.#options.queue,
      readMore: () => this.#readOlder(subscriber, recent),
      onEnd: () => {
        this.#groups.delete(subscriber);
        this.#closeIfIdle();
      },
    });
    this.#groups.add(request, model, feed, subscriber);
    this.#goLiveIfNear(subscriber, recent);
    return subscriber;
  }

  /** Makes it live where memory holds all that it has not seen. Synchronous: nothing can come between. */
  #goLiveIfNear<Value>(subscriber: Subscriber<Value>, recent: RecentEntries): boolean {
    if (subscriber.seen < recent.start) return false;
    this.#offerAll(subscriber, recent.since(subscriber.seen));
    subscriber.goLive();
    return true;
  }

  /** Events of before, seen as they may be seen now: what was right when they were read may not be any more. */
  #offerAll<Value>(subscriber: Subscriber<Value>, entries: readonly LogEntry[]): void {
    const model = this.#model as TenantModel;
    const feed = this.#groups.feedFor(subscriber);
    if (!feed) return;
    try {
      for (const entry of entries) {
        const value = feed.project(entry.model === model ? entry : { ...entry, model });
        if (value instanceof Promise) value.catch(() => {});
        subscriber.offer(entry.event.seq, entry.bytes, value);
      }
    } catch (error) {
      subscriber.end(error as Error);
    }
  }

  /** The next page for a subscriber that is not live yet. */
  async #readOlder<Value>(subscriber: Subscriber<Value>, recent: RecentEntries): Promise<void> {
    if (this.#goLiveIfNear(subscriber, recent)) return;
    let events: StoredEvent[];
    try {
      events = await this.#older.read(subscriber.seen);
    } catch (error) {
      subscriber.end(unreadable(subscriber.cursor, error));
      return;
    }
    const model = this.#model;
    if (!subscriber.isOpen || !model) return;
    // Memory begins after this subscriber's place, so an event follows it, unless retention took it.
    if (events[0]?.event.seq !== subscriber.seen + 1) {
      subscriber.end(expired(subscriber.cursor));
      return;
    }
    this.#offerAll(
      subscriber,
      events.map((stored) => ({ ...stored, model, version: model.version })),
    );
  }

  async #pump(recent: RecentEntries): Promise<void> {
    this.#isPumping = true;
    try {
      while (this.#isWoken && !this.#isClosed) {
        this.#isWoken = false;
        const page = await this.#options.store.readPage(
          this.#options.tenantId,
          this.#position,
          this.#options.page,
        );
        this.#hasRead = true;
        if (page.isCut) this.#isWoken = true;
        for (const stored of page.events) {
          if (stored.event.seq !== this.#position + 1) {
            await this.#restart(recent);
            break;
          }
          const version = this.#version + (stored.event.kind === 'DEFINITIONS' ? 1 : 0);
          let model = this.#model as TenantModel;
          if (model.version < version) model = await this.#loadModel(version);
          if (this.#isClosed) return;
          this.#advance(stored, model, version, recent);
        }
      }
    } catch (error) {
      // What was not offered is read again at the next hint or poll.
      this.#hasRead = false;
      const { tenantId } = this.#options;
      this.#options.logger.warn({ err: error, tenantId }, 'the change log could not be read');
    } finally {
      this.#isPumping = false;
    }
  }

  #advance({ event, bytes }: StoredEvent, model: TenantModel, version: number, recent: RecentEntries): void {
    const entry: LogEntry = { event, bytes, model, version };
    recent.add(entry);
    this.#position = event.seq;
    this.#version = version;
    this.#groups.offer(entry);
  }

  /** Retention overtook this reader: everybody missed events, and it begins anew at the head. */
  async #restart(recent: RecentEntries): Promise<void> {
    this.#groups.end(expired);
    const head = await this.#readHead();
    this.#position = head.seq;
    this.#version = head.definitionsVersion;
    recent.restart(head.seq);
  }

  async #loadModel(version: number): Promise<TenantModel> {
    const loaded = await this.#options.getModel(this.#claims, version);
    if (this.#model === null || this.#model.version < loaded.version) {
      this.#model = loaded;
      this.#groups.regroup(loaded);
    }
    return this.#model;
  }

  #closeIfIdle(): void {
    if (this.#isClosed || this.#opening > 0 || !this.#groups.isEmpty) return;
    this.#isClosed = true;
    this.#options.onIdle();
  }
}

function expired(cursor?: string): DomainError {
  const message =
    'The changes after this cursor are not kept any more: read the current state and subscribe afresh';
  return new DomainError('CURSOR_EXPIRED', message, cursor === undefined ? {} : { details: { cursor } });
}

function unreadable(cursor: string, cause: unknown): DomainError {
  const message = 'The change log cannot be read right now; subscribe again with `after: extensions.cursor`';
  return new DomainError('SUBGRAPH_UNAVAILABLE', message, { details: { cursor }, cause });
}
