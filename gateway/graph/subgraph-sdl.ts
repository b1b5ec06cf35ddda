import { createHash } from 'node:crypto';
import type { SubgraphMap } from '#gateway/execution/executor.ts';
import type { Role } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import type { SdlAnswer } from '#schema/subgraph-protocol.ts';
import type { ServiceSdl } from './compose-strictly.ts';
import type { GraphScope } from './scope.ts';

/** What is composed: the SDL of every subgraph that has a part in a scope's graph, all of one version. */
export interface GraphSources {
  readonly hash: string;
  readonly version: number | null;
  readonly services: readonly ServiceSdl[];
  readonly sharing: SharingRules;
  /** Where it was composed already, to see what fits. */
  readonly supergraphSdl?: string | null;
  /** The same without what is not ours, for when that cannot be loaded. */
  readonly plain?: GraphSources;
}

/** The same sources with services that tell nothing of what they answer to whom. */
export function withServices(sources: GraphSources, more: readonly ServiceSdl[]): GraphSources {
  const services = [...sources.services, ...more];
  return { ...sources, services, hash: hashOf(services) };
}

/** What the subgraphs of a tenant's graph answer alike to everybody of a role. */
export interface SharingRules {
  /** Subgraphs that told what of theirs depends on the user; with any other, everything does. */
  readonly subgraphs: ReadonlySet<string>;
  /** Roles whose permissions depend on the user. */
  readonly perUserRoles: ReadonlySet<Role>;
  /** Root fields of subscriptions that depend on the user. */
  readonly perUserSubscriptions: ReadonlySet<string>;
}

/**
 * Asks every subgraph for its SDL at `version` or later. One that is already further makes the others be asked again, so
 * that no graph mixes two versions. Throws SUBGRAPH_UNAVAILABLE when one does not answer or they do not come together.
 */
export async function collectSources(
  subgraphs: SubgraphMap,
  scope: GraphScope,
  version: number | null,
): Promise<GraphSources> {
  const names = [...subgraphs.keys()].toSorted();
  let wanted = version;
  for (let attempt = 0; attempt < 5; attempt++) {
    const answers = await Promise.all(
      names.map((name) => getSdl(subgraphs, name, { ...scope, version: wanted })),
    );
    const versions = answers.map((answer) => answer.version).filter((number) => number !== null);
    const newest = versions.length > 0 ? Math.max(...versions) : null;
    if (versions.every((number) => number === newest)) {
      const services = names.flatMap((name, index) => {
        const sdl = answers[index]?.sdl;
        return sdl ? [{ name, sdl }] : [];
      });
      return { hash: hashOf(services), version: newest, services, sharing: sharingOf(names, answers) };
    }
    wanted = newest;
  }
  throw new DomainError(
    'SUBGRAPH_UNAVAILABLE',
    'The subgraphs do not agree on a version of the definitions.',
  );
}

async function getSdl(
  subgraphs: SubgraphMap,
  name: string,
  request: GraphScope & { version: number | null },
): Promise<SdlAnswer> {
  const service = subgraphs.get(name);
  try {
    return (await service?.getSdl(request)) ?? { sdl: null, version: null };
  } catch (cause) {
    throw new DomainError('SUBGRAPH_UNAVAILABLE', `The subgraph "${name}" gives no schema.`, { cause });
  }
}

function sharingOf(names: readonly string[], answers: readonly SdlAnswer[]): SharingRules {
  const told = answers.flatMap(({ perUser }) => perUser ?? []);
  return {
    subgraphs: new Set(names.filter((_, index) => answers[index]?.perUser)),
    perUserRoles: new Set(told.flatMap(({ roles }) => roles)),
    perUserSubscriptions: new Set(told.flatMap(({ subscriptions }) => subscriptions)),
  };
}

function hashOf(services: readonly ServiceSdl[]): string {
  const hash = createHash('sha256');
  for (const { name, sdl } of services) hash.update(`${name.length}:${name}${sdl.length}:${sdl}`);
  return hash.digest('base64url');
}
