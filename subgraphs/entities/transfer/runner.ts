/** Runs transfers in the background: which of them, how many at once, and how each one ends. */
import { anonymousClaims, type Claims, roleReaches } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import type { Logger } from '#subgraphs/server/logger.ts';
import type { WakeUp } from '#subgraphs/server/wake-up/wake-up.ts';
import { neededRole } from './access.ts';
import { runExport } from './export/run-export.ts';
import { runImport } from './import/run-import.ts';
import type { RunEnd, TransferRun, TransferTools } from './run.ts';
import { exportTenant } from './tenant/export-tenant.ts';
import { importTenant } from './tenant/import-tenant.ts';
import type { Lease, ProgressAnswer, Transfer, TransferFailure, TransferStore } from './transfer.ts';

export interface RunnerOptions {
  readonly store: TransferStore;
  readonly tools: TransferTools;
  readonly wakeUp: Pick<WakeUp, 'publish'>;
  readonly logger: Pick<Logger, 'error' | 'warn'>;
  /** Of all tenants in this process; one of a tenant at a time. Default 2. */
  readonly maxRunning?: number;
  /** How long a process is believed to be alive after its last word. Default 60. */
  readonly leaseSeconds?: number;
  /** How long an import runs while another tenant's transfer waits for its turn. Default 60,000. */
  readonly sliceMs?: number;
  /** How often is looked for transfers that nobody runs. Default 15,000. */
  readonly pollMs?: number;
}

export interface TransferRunner extends AsyncDisposable {
  /** Looks for what waits, now and from time to time: what another process left, or the one before this. */
  start(): void;
  /** This transfer may run now. */
  wake(tenantId: string, id: string): void;
  /** Resolves once nothing runs and nothing of what it was told of waits. */
  idle(): Promise<void>;
}

/** A transfer whose process died so often without any progress is given up. */
const maxAttempts = 5;

/** Thrown inside a run: another process has the transfer, or this one is going down. Nothing is to be written of it. */
class RunLost extends Error {
  override readonly name = 'RunLost';
  readonly isReleased: boolean;
  constructor(isReleased: boolean) {
    super('the transfer is not ours any more');
    this.isReleased = isReleased;
  }
}

/** Disposing lets running ones end their batch and leaves them to the next process. */
export function createTransferRunner(options: RunnerOptions): TransferRunner {
  const {
    store,
    tools,
    wakeUp,
    logger,
    maxRunning = 2,
    leaseSeconds = 60,
    pollMs = 15_000,
    sliceMs = 60_000,
  } = options;
  const lease: Lease = { runnerId: crypto.randomUUID(), seconds: leaseSeconds };
  const waiting = new Map<string, string>();
  /** By tenant. */
  const running = new Map<string, Promise<void>>();
  let timer: NodeJS.Timeout | null = null;
  let isClosing = false;
  let looking: Promise<void> | null = null;

  function pump(): void {
    for (const [id, tenantId] of waiting) {
      if (isClosing || running.size >= maxRunning) return;
      if (running.has(tenantId)) continue;
      waiting.delete(id);
      const run = runOne(tenantId, id)
        .catch((error: unknown) =>
          logger.error({ err: error, tenantId, transferId: id }, 'a transfer could not be run'),
        )
        .finally(() => {
          running.delete(tenantId);
          pump();
        });
      running.set(tenantId, run);
    }
  }

  async function look(): Promise<void> {
    try {
      for (const { tenantId, id } of await store.findWaiting(100)) waiting.set(id, tenantId);
    } catch (error) {
      logger.warn({ err: error }, 'waiting transfers could not be looked for');
    }
    pump();
  }

  async function runOne(tenantId: string, id: string): Promise<void> {
    const system: Claims = { ...anonymousClaims, actorKind: 'SYSTEM', tenantId };
    const claimed = await store.claim(system, id, lease);
    if (!claimed) return;
    const { transfer, rights } = claimed;
    wakeUp.publish(tenantId);
    const keeping = setInterval(
      () => void store.keepLease(system, id, lease).catch(() => {}),
      (leaseSeconds * 1_000) / 3,
    );
    let end: RunEnd | { status: 'FAILED'; failure: TransferFailure } | null;
    try {
      end = await attempt(transfer, rights, system);
    } finally {
      clearInterval(keeping);
    }
    if (end) {
      const failure = end.status === 'FAILED' ? end.failure : null;
      const file = end.status === 'FAILED' ? null : end.file;
      await store.finish(system, id, lease.runnerId, { status: end.status, failure, file });
    }
    wakeUp.publish(tenantId);
  }

  /** Null: it is left as it is. */
  async function attempt(
    transfer: Transfer,
    rights: ProgressAnswer,
    system: Claims,
  ): Promise<RunEnd | { status: 'FAILED'; failure: TransferFailure } | null> {
    const requestId = `transfer-${transfer.id}`;
    try {
      if (rights.isStopRequested) return { status: 'STOPPED', file: null };
      if (transfer.attempts > maxAttempts) {
        throw new DomainError(
          'INTERNAL_SERVER_ERROR',
          `It was begun ${maxAttempts} times without getting on`,
        );
      }
      const run = createRun(transfer, rights, system, requestId);
      return await work(transfer, run);
    } catch (error) {
      if (error instanceof RunLost) {
        if (error.isReleased) await store.release(system, transfer.id, lease.runnerId);
        return null;
      }
      if (error instanceof DomainError) {
        const { code, message, fields } = error;
        return {
          status: 'FAILED',
          failure: { code, message, ...(fields ? { fields: fields.slice(0, 100) } : {}) },
        };
      }
      logger.error({ err: error, transferId: transfer.id, requestId }, 'a transfer failed');
      const message = `Internal error (request ${requestId})`;
      return { status: 'FAILED', failure: { code: 'INTERNAL_SERVER_ERROR', message } };
    }
  }

  /** One that could run now if there were room. */
  function isAnotherWaiting({ tenantId }: Transfer): boolean {
    return [...waiting.values()].some((other) => other !== tenantId && !running.has(other));
  }

  function work(transfer: Transfer, run: TransferRun): Promise<RunEnd> {
    if (transfer.isWholeTenant)
      return transfer.kind === 'EXPORT' ? exportTenant(tools, run) : importTenant(tools, run);
    return transfer.kind === 'EXPORT' ? runExport(tools, run) : runImport(tools, run);
  }

  function createRun(
    transfer: Transfer,
    rights: ProgressAnswer,
    system: Claims,
    requestId: string,
  ): TransferRun {
    let claims = actorClaims(transfer, rights);
    const startedAt = performance.now();
    return {
      transfer,
      requestId,
      get claims() {
        return claims;
      },
      async report(report) {
        const answer = await store.report(system, transfer.id, lease, report);
        if (!answer) throw new RunLost(false);
        wakeUp.publish(transfer.tenantId);
        claims = actorClaims(transfer, answer);
        if (isClosing) throw new RunLost(true);
        if (answer.isStopRequested) return false;
        if (
          transfer.kind === 'IMPORT' &&
          performance.now() - startedAt > sliceMs &&
          isAnotherWaiting(transfer)
        ) {
          // To the end of the row; it goes on from here. An export would begin anew.
          waiting.set(transfer.id, transfer.tenantId);
          throw new RunLost(true);
        }
        return true;
      },
    };
  }

  return {
    start() {
      looking = look();
      timer ??= setInterval(() => {
        looking = look();
      }, pollMs);
    },
    wake(tenantId, id) {
      waiting.set(id, tenantId);
      pump();
    },
    async idle() {
      await looking;
      while (running.size > 0) await Promise.all(running.values());
    },
    async [Symbol.asyncDispose]() {
      isClosing = true;
      if (timer) clearInterval(timer);
      waiting.clear();
      await looking;
      await Promise.all(running.values());
    },
  };
}

/** The actor's claims with its role as it is now. Throws TENANT_SUSPENDED, or FORBIDDEN where the role does not reach any more. */
function actorClaims(transfer: Transfer, { isActive, role }: ProgressAnswer): Claims {
  if (!isActive) throw new DomainError('TENANT_SUSPENDED', 'The tenant is not active');
  const needed = neededRole(transfer);
  if (transfer.actorKind !== 'SYSTEM' && !roleReaches(role, needed)) {
    throw new DomainError(
      'FORBIDDEN',
      `This needs the role ${needed}, which whoever started it does not have any more`,
    );
  }
  return {
    tenantId: transfer.tenantId,
    actorKind: transfer.actorKind,
    actorId: transfer.actorId,
    role,
    authVersion: 0,
    sessionId: null,
  };
}
