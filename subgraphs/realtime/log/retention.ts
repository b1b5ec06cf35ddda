import type { Logger } from 'pino';
import type { EventStore } from './event-store.ts';

const dayMs = 24 * 60 * 60 * 1000;

export interface RetentionOptions {
  store: Pick<EventStore, 'trim'>;
  logger: Pick<Logger, 'info' | 'warn'>;
  /** How long events are kept. Default 7 days. */
  keepMs?: number;
  /** How often it runs. Default one minute. */
  intervalMs?: number;
  /** Events in one transaction. Default 1,000: a batch holds the counters of the tenants it touches. */
  batchSize?: number;
}

export interface Retention extends AsyncDisposable {
  /** Runs now (or joins the run that goes on), until nothing old is left. Returns how many events went. */
  run(): Promise<number>;
  /** Runs every `intervalMs`, from one interval on. */
  start(): void;
  /** Resolves once no run goes on; `start` may follow. */
  stop(): Promise<void>;
}

/** Removes events that are older than the log's retention, of all tenants. Several processes may run it: they take turns. */
export function createRetention(options: RetentionOptions): Retention {
  const { store, logger, keepMs = 7 * dayMs, intervalMs = 60_000, batchSize = 1_000 } = options;
  let timer: NodeJS.Timeout | null = null;
  let running: Promise<number> | null = null;
  let isStopping = false;

  async function trimAll(): Promise<number> {
    const before = new Date(Date.now() - keepMs);
    let total = 0;
    let count: number;
    do {
      count = await store.trim(before, batchSize);
      total += count;
    } while (count >= batchSize && !isStopping);
    if (total > 0) logger.info({ events: total, before }, 'old events were removed');
    return total;
  }

  function run(): Promise<number> {
    running ??= trimAll().finally(() => {
      running = null;
    });
    return running;
  }

  async function stop(): Promise<void> {
    if (timer) clearInterval(timer);
    timer = null;
    isStopping = true;
    await running?.catch(() => {});
    isStopping = false;
  }

  return {
    run,
    start() {
      timer ??= setInterval(() => {
        run().catch((error: unknown) => logger.warn({ err: error }, 'old events could not be removed'));
      }, intervalMs);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
