import type { LogEntry } from './feed.ts';

/** The end of a tenant's log in memory, so that a short interruption is made up without the database. */
export class RecentEntries {
  readonly #maxCount: number;
  readonly #maxBytes: number;
  #entries: LogEntry[] = [];
  /** Index of the oldest entry kept; what is before it awaits removal. */
  #first = 0;
  #bytes = 0;
  #start: number;

  /** `start`: the position from which on everything will be added. */
  constructor(start: number, limits: { count: number; bytes: number }) {
    this.#start = start;
    this.#maxCount = limits.count;
    this.#maxBytes = limits.bytes;
  }

  /** Every event after this position is here. */
  get start(): number {
    return this.#start;
  }

  /** The next event of the log. */
  add(entry: LogEntry): void {
    this.#entries.push(entry);
    this.#bytes += entry.bytes;
    while (this.#entries.length - this.#first > this.#maxCount || this.#bytes > this.#maxBytes) {
      const oldest = this.#entries[this.#first];
      if (!oldest) break;
      this.#first += 1;
      this.#bytes -= oldest.bytes;
      this.#start = oldest.event.seq;
    }
    if (this.#first > 64 && this.#first * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#first);
      this.#first = 0;
    }
  }

  /** Begins anew after `start`. */
  restart(start: number): void {
    this.#entries = [];
    this.#first = 0;
    this.#bytes = 0;
    this.#start = start;
  }

  /** Events after `position`, which is not before `start`; oldest first. */
  since(position: number): LogEntry[] {
    return this.#entries.slice(this.#first + Math.max(0, position - this.#start));
  }
}
