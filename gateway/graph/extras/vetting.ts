/** Decides which extra subgraphs a graph can have beside ours. Runs in a thread of its own: what they say is not trusted. */
import { buildSubgraph, Supergraph } from '@apollo/federation-internals';
import { QueryPlanner } from '@apollo/query-planner';
import { parse } from 'graphql';
import { composeStrictly, type ServiceSdl } from '../compose-strictly.ts';
import { findTakeovers } from './takeovers.ts';

/** `ours` are the names that nothing may be taken from. */
export type VettingRequest =
  | { readonly kind: 'check'; readonly service: ServiceSdl; readonly ours: readonly string[] }
  | { readonly kind: 'vet'; readonly base: readonly ServiceSdl[]; readonly extras: readonly ServiceSdl[] };

export interface Refusal {
  readonly name: string;
  readonly problems: readonly string[];
}

export interface Verdict {
  /** The names of those that the graph has. */
  readonly accepted: readonly string[];
  readonly refused: readonly Refusal[];
  /** Of ours and the accepted ones; null where none is. */
  readonly supergraphSdl: string | null;
}

/** What is wrong with an extra subgraph whatever the graph; none: it may be tried. */
export function checkAlone({ name, sdl }: ServiceSdl, ours: readonly string[]): readonly string[] {
  try {
    const subgraph = buildSubgraph(name, `http://${name}`, parse(sdl));
    const metadata = subgraph.metadata();
    // One of federation 1 is rewritten, then validated, where it is composed; it overrides nothing.
    if (!metadata.isFed2Schema()) return [];
    subgraph.validate();
    return [...metadata.overrideDirective().applications()]
      .map((application) => application.arguments().from)
      .filter((from) => ours.includes(from))
      .map((from) => `A field of the subgraph "${from}" would be overridden.`);
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

/** All of them where that works; else each that works with those before it. */
export function vetExtras(base: readonly ServiceSdl[], extras: readonly ServiceSdl[]): Verdict {
  const composed = composeStrictly(base);
  const none = { accepted: [], supergraphSdl: null };
  // That ours do not compose is told where they are composed for use.
  if ('errors' in composed) return { ...none, refused: [] };
  const all = tryWith(composed.supergraphSdl, base, extras);
  if ('supergraphSdl' in all) return { ...all, accepted: extras.map(({ name }) => name), refused: [] };
  const [only] = extras;
  if (extras.length === 1 && only) return { ...none, refused: [{ name: only.name, problems: all.errors }] };

  const accepted: ServiceSdl[] = [];
  let supergraphSdl: string | null = null;
  const refused: Refusal[] = [];
  for (const extra of extras) {
    const tried = tryWith(composed.supergraphSdl, base, [...accepted, extra]);
    if ('errors' in tried) refused.push({ name: extra.name, problems: tried.errors });
    else {
      accepted.push(extra);
      supergraphSdl = tried.supergraphSdl;
    }
  }
  return { accepted: accepted.map(({ name }) => name), refused, supergraphSdl };
}

function tryWith(
  baseSdl: string,
  base: readonly ServiceSdl[],
  extras: readonly ServiceSdl[],
): ReturnType<typeof composeStrictly> {
  const composed = composeStrictly([...base, ...extras]);
  if ('errors' in composed) return composed;
  const errors = findTakeovers(
    baseSdl,
    composed.supergraphSdl,
    extras.map(({ name }) => name),
  );
  if (errors.length > 0) return { errors };
  try {
    // What composes may still need a feature that the planner lacks.
    void new QueryPlanner(Supergraph.build(composed.supergraphSdl));
  } catch (error) {
    return { errors: [error instanceof Error ? error.message : String(error)] };
  }
  return composed;
}
