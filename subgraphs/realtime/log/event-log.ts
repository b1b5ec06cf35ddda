import type { Logger } from 'pino';
import type { Claims } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import type { TenantModel } from '#subgraphs/model/definition.ts';
import type { WakeUp } from '#subgraphs/server/wake-up/wake-up.ts';
import type { EventStore, PageLimits } from './event-store.ts';
import type { LogStream, QueueLimits } from './subscriber.ts';
import { type SubscribeRequest, TenantTail } from './tenant-tail.ts';

export interface EventLogOptions {
  store: EventStore;
  /** The tenant's definitions, at least as new as that version. */
  getModel(claims: Claims, atLeastVersion: number | null): Promise<TenantModel>;
  wakeUp: Pick<WakeUp, 'subscribe'>;
  logger: Pick<Logger, 'warn'>;
  limits?: Partial<EventLogLimits>;
}

export interface EventLogLimits {
  /** How often logs are looked at where no hint came. */
  pollMs: number;
  /** One read of the live log; well below `queue`, as all of it is offered before a consumer can take anything. */
  page: PageLimits;
  /** One read for subscribers that resume further back: each may hold so much while its consumer is slow. */
  olderPage: PageLimits;
  /** Kept in memory for each tenant that has subscribers; not above `queue`. */
  recent: { count: number; bytes: number };
  /** What may wait for one subscriber. */
  queue: QueueLimits;
}

const mebibyte = 1024 * 1024;
const defaultEventLogLimits: EventLogLimits = {
  pollMs: 1_000,
  page: { count: 500, bytes: 2 * mebibyte },
  olderPage: { count: 100, bytes: mebibyte / 4 },
  recent: { count: 1_000, bytes: 4 * mebibyte },
  queue: { count: 10_000, bytes: 16 * mebibyte },
};

/** The change logs of all tenants, as subscribers follow them. */
export interface EventLog extends AsyncDisposable {
  /**
   * A tenant's events through a feed: what follows `after`, then what comes, in the log's order, without gap or repetition.
   * The place is fixed when the promise resolves. The stream's last word is an error where it did not end at its
   * consumer's wish: SUBSCRIBER_TOO_SLOW, CURSOR_EXPIRED or SUBGRAPH_UNAVAILABLE with `extensions.cursor`, or the feed's own. Rejects with
   * BAD_USER_INPUT or CURSOR_EXPIRED for a cursor that is none, lies ahead of the log, or before what is kept.
   */
  subscribe<Value>(tenantId: string, request: SubscribeRequest<Value>): Promise<LogStream<Value>>;
  /** Tenants that are being read: those with subscribers. */
  readonly readerCount: number;
}

/** Disposing ends every stream with SUBGRAPH_UNAVAILABLE and its cursor, so that its consumer goes on elsewhere. */
export function createEventLog(options: EventLogOptions): EventLog {
  const { store, logger } = options;
  const limits = { ...defaultEventLogLimits, ...options.limits };
  const tails = new Map<string, TenantTail>();
  let timer: NodeJS.Timeout | null = null;
  let isPolling = false;
  let isClosed = false;

  function tailOf(tenantId: string): TenantTail {
    const known = tails.get(tenantId);
    if (known) return known;
    const tail = new TenantTail({
      tenantId,
      store,
      getModel: options.getModel,
      page: limits.page,
      olderPage: limits.olderPage,
      recent: limits.recent,
      queue: limits.queue,
      logger,
      onIdle() {
        if (tails.get(tenantId) === tail) tails.delete(tenantId);
        if (tails.size === 0 && timer) {
          clearInterval(timer);
          timer = null;
        }
      },
    });
    tails.set(tenantId, tail);
    timer ??= setInterval(() => void poll(), limits.pollMs);
    return tail;
  }

  /** One statement for all tenants that were not read since the last one. */
  async function poll(): Promise<void> {
    const silent = [...tails].filter(([, tail]) => !tail.takeHasRead()).map(([tenantId]) => tenantId);
    if (isPolling || silent.length === 0) return;
    isPolling = true;
    try {
      for (const [tenantId, seq] of await store.readLastSeqs(silent)) {
        const tail = tails.get(tenantId);
        if (tail && seq > tail.position) tail.wake();
      }
    } catch (error) {
      logger.warn({ err: error }, 'the change logs could not be polled');
    } finally {
      isPolling = false;
    }
  }

  const stopListening = options.wakeUp.subscribe((tenantId) => tails.get(tenantId)?.wake());

  return {
    get readerCount() {
      return tails.size;
    },
    async subscribe(tenantId, request) {
      if (isClosed) throw goingDown();
      return tailOf(tenantId).subscribe(request);
    },
    async [Symbol.asyncDispose]() {
      isClosed = true;
      stopListening();
      if (timer) clearInterval(timer);
      timer = null;
      for (const tail of tails.values()) tail.close(goingDown);
      tails.clear();
    },
  };
}

function goingDown(cursor?: string): DomainError {
  const message = 'This server is going down; subscribe again with `after: extensions.cursor`';
  return new DomainError(
    'SUBGRAPH_UNAVAILABLE',
    message,
    cursor === undefined ? {} : { details: { cursor } },
  );
}
