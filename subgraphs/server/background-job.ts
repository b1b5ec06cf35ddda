/** Work that comes again at intervals, in every process that may do it: removing what is old. */

export interface BackgroundJobOptions {
  /** One run; ends early once `isStopping()`. Returns how much it did. */
  work(isStopping: () => boolean): Promise<number>;
  readonly intervalMs: number;
  /** A run that was not asked for by `run` failed; the next one comes all the same. */
  onError(error: unknown): void;
}

export interface BackgroundJob extends AsyncDisposable {
  /** Runs now, or joins the run that goes on. */
  run(): Promise<number>;
  /** Runs every `intervalMs`, from one interval on. */
  start(): void;
  /** Resolves once no run goes on; `start` may follow. */
  stop(): Promise<void>;
}

export function createBackgroundJob({ work, intervalMs, onError }: BackgroundJobOptions): BackgroundJob {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<number> | undefined;
  let isStopping = false;

  function run(): Promise<number> {
    running ??= work(() => isStopping).finally(() => {
      running = undefined;
    });
    return running;
  }

  async function stop(): Promise<void> {
    clearInterval(timer);
    timer = undefined;
    isStopping = true;
    await running?.catch(() => {});
    isStopping = false;
  }

  return {
    run,
    start() {
      timer ??= setInterval(() => void run().catch(onError), intervalMs);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Repeats `step` until it did less than a whole batch; for `work`. */
export async function inBatches(
  batchSize: number,
  isStopping: () => boolean,
  step: (limit: number) => Promise<number>,
): Promise<number> {
  let total = 0;
  let count: number;
  do {
    count = await step(batchSize);
    total += count;
  } while (count >= batchSize && !isStopping());
  return total;
}
