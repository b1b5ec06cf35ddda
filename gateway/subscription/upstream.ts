import type { ExecutionResult, GraphQLError } from 'graphql';
import type { LiveSubscription } from '#gateway/execution/executor.ts';
import type {
  KnownOperation,
  OperationCall,
  OperationRunner,
  SubscriptionRequest,
} from '#gateway/execution/operation-runner.ts';
import { publishResult } from '#gateway/execution/outgoing-errors.ts';
import { toGraphQLError } from '#gateway/execution/subgraph-call.ts';
import type { ActiveGraph } from '#gateway/graph/registry.ts';
import type { Logger } from '#gateway/logger.ts';
import { decodeLogCursor } from '#schema/events.ts';
import { EventMessage } from './event-message.ts';
import type { Shape } from './shape.ts';

export interface UpstreamOptions {
  readonly runner: Pick<OperationRunner, 'subscribe'>;
  readonly known: KnownOperation;
  readonly shape: Shape;
  readonly call: OperationCall;
  /** A cursor to begin after, instead of what the operation says. */
  readonly after: string | undefined;
  readonly logger: Logger;
}

/** One subscription as the subgraphs see it, for one client or for many. It lives until it is closed, whoever goes. */
export class Upstream {
  readonly #live: LiveSubscription;
  readonly #request: SubscriptionRequest;
  readonly #controller: AbortController;
  readonly #logger: Logger;
  #active: ActiveGraph;
  /** The newest of the tenant's under which somebody's rights to this were looked up. */
  #authVersion: number;
  #seq: number | null = null;
  #isLive = false;

  /** Resolves once its place is taken, or with the errors that refuse it. Given up when `call.signal` aborts before. */
  static async open(options: UpstreamOptions): Promise<Upstream | ExecutionResult> {
    const { runner, known, shape, call, after } = options;
    const controller = new AbortController();
    const giveUp = (): void => controller.abort(call.signal?.reason);
    if (call.signal?.aborted) giveUp();
    else call.signal?.addEventListener('abort', giveUp, { once: true });
    const request = { ...shape.identity, requestId: call.requestId, signal: controller.signal };
    try {
      const live = await runner.subscribe(known, after === undefined ? request : { ...request, after });
      if (!(Symbol.asyncIterator in live)) return live;
      return new Upstream(options, live, request, controller);
    } finally {
      call.signal?.removeEventListener('abort', giveUp);
    }
  }

  private constructor(
    { known, logger }: UpstreamOptions,
    live: LiveSubscription,
    request: SubscriptionRequest,
    controller: AbortController,
  ) {
    this.#active = known.active;
    this.#authVersion = request.claims.authVersion;
    this.#live = live;
    this.#request = request;
    this.#controller = controller;
    this.#logger = logger;
  }

  /** Everything up to here was answered by `next()`; null until it was told. */
  get seq(): number | null {
    return this.#seq;
  }

  /** Whether it waits for what is new, rather than replaying what was. */
  get isLive(): boolean {
    return this.#isLive;
  }

  /** The next message; `null`: nothing but a place; undefined: it has ended. Never rejects. */
  async next(): Promise<EventMessage | null | undefined> {
    try {
      const step = await this.#live.next();
      if (step.done) return undefined;
      const isNew = this.#takePlace();
      const { value } = step;
      if (value.data === undefined && !value.errors) return null;
      const result = publishResult(value, this.#logger, this.#request.requestId);
      return new EventMessage(result, isNew ? this.#seq : null);
    } catch (error) {
      this.close();
      const result = { errors: [toGraphQLError(error)] };
      return new EventMessage(publishResult(result, this.#logger, this.#request.requestId), null);
    }
  }

  /** Goes on with the operation of a graph, or under rights, that are newer than its own; answers why it cannot. */
  follow({ active, caller, operation }: KnownOperation): readonly GraphQLError[] | null {
    const isKnown = isSameGraph(active, this.#active) && caller.claims.authVersion <= this.#authVersion;
    if (isKnown || isOlder(active, this.#active)) return null;
    const { definitionsVersion } = active;
    // What is signed under rights that are over is worth nothing (links of files).
    const authVersion = Math.max(caller.claims.authVersion, this.#authVersion);
    const claims = { ...this.#request.claims, authVersion };
    const errors = this.#live.continueWith(operation, { ...this.#request, claims, definitionsVersion });
    if (errors) return errors;
    this.#active = active;
    this.#authVersion = authVersion;
    return null;
  }

  close(): void {
    void this.#live.return().catch(() => undefined);
    this.#controller.abort();
  }

  /** Whether it is further than before. */
  #takePlace(): boolean {
    const { place } = this.#live;
    if (!place) return false;
    this.#isLive = place.isLive;
    const seq = decodeLogCursor(place.cursor);
    const isNew = this.#seq === null || seq > this.#seq;
    this.#seq = seq;
    return isNew;
  }
}

export function isSameGraph(one: ActiveGraph, other: ActiveGraph): boolean {
  return one.hash === other.hash && one.definitionsVersion === other.definitionsVersion;
}

function isOlder(one: ActiveGraph, other: ActiveGraph): boolean {
  return (one.definitionsVersion ?? 0) < (other.definitionsVersion ?? 0);
}
