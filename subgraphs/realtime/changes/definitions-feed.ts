import { encodeLogCursor } from '#schema/events.ts';
import type { Feed, LogEntry } from '../log/feed.ts';
import { actorOf } from './change.ts';

/** What `definitionsChanged` tells. */
export interface DefinitionsChange {
  version: number;
  cursor: string;
  at: string;
  actor: { id: string } | null;
}

export const definitionsFeedKey = JSON.stringify(['definitions']);

/** Changes of the tenant's definitions. */
export class DefinitionsFeed implements Feed<DefinitionsChange> {
  check(): void {}

  project({ event, version }: LogEntry): DefinitionsChange | null {
    if (event.kind !== 'DEFINITIONS') return null;
    return {
      version,
      cursor: encodeLogCursor(event.seq),
      at: event.at,
      actor: actorOf(event),
    };
  }
}
