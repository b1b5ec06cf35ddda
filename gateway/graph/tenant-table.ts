import type { Logger } from '#gateway/logger.ts';
import type { IdentityService, TenantVersion } from '#schema/subgraph-protocol.ts';

/** A tenant as it was and as it is; `before` undefined for one not seen before. */
export type TenantListener = (now: TenantVersion, before: TenantVersion | undefined) => void;

export interface TenantTableOptions {
  readonly identity: Pick<IdentityService, 'getVersions'>;
  readonly logger: Logger;
  /** Between polls; half a second of staleness is what users still do not notice. Default 250. */
  readonly pollIntervalMs?: number;
}

/** Every tenant's place in time, kept current by polling. */
export interface TenantTable extends AsyncDisposable {
  /** Whether the first poll has succeeded. */
  readonly ready: boolean;
  findById(tenantId: string): TenantVersion | undefined;
  findBySlug(slug: string): TenantVersion | undefined;
  /** Resolves after a poll that began after this call, also when it failed. */
  refresh(): Promise<void>;
  /** Polls sooner than it would; hints may come with every write, so they are gathered. */
  hint(): void;
  /** Called for every change of a version or the status, after the table holds it. */
  subscribe(listener: TenantListener): () => void;
}

/** Between two polls that hints caused. */
const hintIntervalMs = 50;

/** Starts polling; the first poll is under way when this returns. */
export function createTenantTable({
  identity,
  logger,
  pollIntervalMs = 250,
}: TenantTableOptions): TenantTable {
  const byId = new Map<string, TenantVersion>();
  const bySlug = new Map<string, TenantVersion>();
  const listeners = new Set<TenantListener>();
  let since: string | null = null;
  let ready = false;
  let failing = false;
  let hinted = false;
  let startedAt = Number.NEGATIVE_INFINITY;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let queued: Promise<void> | undefined;

  function apply(tenant: TenantVersion): void {
    const before = byId.get(tenant.tenantId);
    if (before && isSame(before, tenant)) return;
    // An answer that was under way while a newer one came must not turn the clock back.
    if (before && tenant.definitionsVersion < before.definitionsVersion) return;
    if (before && tenant.authVersion < before.authVersion) return;
    if (before && before.slug !== tenant.slug && bySlug.get(before.slug) === before)
      bySlug.delete(before.slug);
    byId.set(tenant.tenantId, tenant);
    bySlug.set(tenant.slug, tenant);
    for (const listener of listeners) listener(tenant, before);
  }

  async function poll(): Promise<void> {
    try {
      const answer = await identity.getVersions(since);
      since = answer.next;
      for (const tenant of answer.tenants) apply(tenant);
      if (failing) logger.info('the tenants subgraph answers again');
      failing = false;
      ready = true;
    } catch (error) {
      if (!failing && !closed)
        logger.error({ err: error }, 'the tenants subgraph does not answer for versions');
      failing = true;
    }
  }

  function schedule(delayMs: number): void {
    clearTimeout(timer);
    timer = setTimeout(() => void start(), delayMs);
  }

  function start(): Promise<void> {
    clearTimeout(timer);
    hinted = false;
    startedAt = performance.now();
    const run = poll().finally(() => {
      if (running === run) running = undefined;
      if (!closed && !queued) schedule(hinted ? hintIntervalMs : pollIntervalMs);
    });
    running = run;
    return run;
  }

  void start();
  return {
    get ready() {
      return ready;
    },
    findById: (tenantId) => byId.get(tenantId),
    findBySlug: (slug) => bySlug.get(slug),
    refresh() {
      if (closed) return Promise.resolve();
      if (!running) return start();
      // The poll under way may have read before the caller's change: one more after it, shared by all who ask.
      queued ??= running.then(() => {
        queued = undefined;
        return start();
      });
      return queued;
    },
    hint() {
      if (closed || hinted) return;
      hinted = true;
      if (!running && !queued) schedule(Math.max(0, startedAt + hintIntervalMs - performance.now()));
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      clearTimeout(timer);
      await queued;
      await running;
      clearTimeout(timer);
    },
  };
}

function isSame(one: TenantVersion, other: TenantVersion): boolean {
  return (
    one.slug === other.slug &&
    one.status === other.status &&
    one.definitionsVersion === other.definitionsVersion &&
    one.authVersion === other.authVersion
  );
}
