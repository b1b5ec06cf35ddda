import type { EventPage, StoredEvent } from './event-store.ts';

/** Pages in memory, and so many reads shared: a storm of reconnecting subscribers asks for much the same. */
const maxPages = 16;

interface Page {
  /** It holds what follows this. */
  after: number;
  reading: Promise<EventPage>;
  /** Null while it is being read. */
  events: StoredEvent[] | null;
}

/** One tenant's events before the ones in memory, read in pages that subscribers at nearby places share. */
export class OlderPages {
  readonly #readPage: (after: number) => Promise<EventPage>;
  readonly #span: number;
  /** The least recently used first. */
  #pages: Page[] = [];

  /** `span`: the most events that a page has. */
  constructor(readPage: (after: number) => Promise<EventPage>, span: number) {
    this.#readPage = readPage;
    this.#span = span;
  }

  /** Some events that follow `position`, without a gap where they begin at `position + 1`; empty where there are none. */
  async read(position: number): Promise<StoredEvent[]> {
    for (const page of this.#pages.toReversed()) {
      // Before it was read nobody knows how far it goes: its size may have ended it early.
      if (position < page.after || position >= page.after + this.#span) continue;
      const events = page.events ?? (await page.reading).events;
      const rest = eventsAfter(events, position);
      if (rest.length > 0) {
        this.#use(page);
        return rest;
      }
    }
    return this.#start(position);
  }

  async #start(after: number): Promise<StoredEvent[]> {
    const page: Page = { after, reading: this.#readPage(after), events: null };
    this.#use(page);
    try {
      const { events } = await page.reading;
      page.events = events;
      return events;
    } catch (error) {
      this.#pages = this.#pages.filter((other) => other !== page);
      throw error;
    }
  }

  #use(page: Page): void {
    this.#pages = [...this.#pages.filter((other) => other !== page), page].slice(-maxPages);
  }
}

function eventsAfter(events: readonly StoredEvent[], position: number): StoredEvent[] {
  const first = events[0]?.event.seq;
  if (first === undefined || first > position + 1) return [];
  return events.slice(position + 1 - first);
}
