import { GraphQLError, type ExecutionResult } from 'graphql';
import { encodeLogCursor } from '#schema/events.ts';

/** What messages that wait for slow clients take together, each counted once however many it waits for. */
export interface HeldBytes {
  held: number;
  readonly limit: number;
}

/** Ends of an upstream after which a client can go on from its last place. */
const resumableCodes: ReadonlySet<unknown> = new Set(['SUBGRAPH_UNAVAILABLE', 'SUBSCRIBER_TOO_SLOW']);

/** One result on its way to any number of clients: serialised once, when the first of them takes it. */
export class EventMessage {
  /** The event's place in its log; null where there is none, or where this is no event but an end. */
  readonly seq: number | null;
  readonly #result: ExecutionResult;
  readonly #namesPlace: boolean;
  #payload: string | null = null;
  #holders = 0;

  constructor(result: ExecutionResult, seq: number | null) {
    this.seq = seq;
    this.#result = result;
    this.#namesPlace = (result.errors ?? []).some((error) => this.#isResumable(error));
  }

  /** Roughly, as it is counted for queues. */
  get bytes(): number {
    return (this.#payload ??= JSON.stringify(this.#result)).length;
  }

  /** The JSON of the result for a client whose last place this is; where it names a place, that is the client's own. */
  payloadFor(lastSeq: number | null): string {
    if (!this.#namesPlace || lastSeq === null) return (this.#payload ??= JSON.stringify(this.#result));
    const errors = (this.#result.errors ?? []).map((error) =>
      this.#isResumable(error)
        ? new GraphQLError(error.message, {
            path: error.path,
            extensions: { ...error.extensions, cursor: encodeLogCursor(lastSeq) },
          })
        : error,
    );
    return JSON.stringify({ ...this.#result, errors });
  }

  hold(bytes: HeldBytes): void {
    this.#holders += 1;
    if (this.#holders === 1) bytes.held += this.bytes;
  }

  release(bytes: HeldBytes): void {
    this.#holders -= 1;
    if (this.#holders === 0) bytes.held -= this.bytes;
  }

  #isResumable({ extensions }: GraphQLError): boolean {
    if (extensions.cursor !== undefined) return true;
    const { data } = this.#result;
    return (data === null || data === undefined) && resumableCodes.has(extensions.code);
  }
}
