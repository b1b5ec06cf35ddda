/** The models of many tenants in memory: each loaded once however many ask, the last few versions of each kept. */
import type { Claims } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import { LRUCache } from 'lru-cache';
import type { TenantModel } from './definition.ts';

/** A graph that was planned just before a definition change still finds the model it was planned for. */
const keptVersions = 4;

export interface TenantModelsOptions {
  /** The newest model of the claims' tenant, read from storage. */
  load(claims: Claims): Promise<TenantModel>;
  /** Tenants kept in memory, the least recently used go first. Default 1,000. */
  maxTenants?: number;
}

export interface TenantModels {
  /** The newest known model, loaded where none is known or `atLeastVersion` is above it. Throws TENANT_REQUIRED. */
  get(claims: Claims, atLeastVersion: number | null): Promise<TenantModel>;
  /** That version while it is kept, else the newest. */
  getExact(claims: Claims, version: number): Promise<TenantModel>;
  /** The next `get` loads anew; kept versions stay for `getExact`. */
  invalidate(tenantId: string): void;
}

interface Entry {
  /** Newest first. */
  versions: TenantModel[];
  isStale: boolean;
  loading: Promise<TenantModel> | null;
}

export function createTenantModels(options: TenantModelsOptions): TenantModels {
  const entries = new LRUCache<string, Entry>({ max: options.maxTenants ?? 1000 });

  function entryOf(claims: Claims): Entry {
    if (claims.tenantId === null) throw new DomainError('TENANT_REQUIRED', 'This needs a tenant');
    let entry = entries.get(claims.tenantId);
    if (!entry) {
      entry = { versions: [], isStale: true, loading: null };
      entries.set(claims.tenantId, entry);
    }
    return entry;
  }

  function load(entry: Entry, claims: Claims): Promise<TenantModel> {
    entry.loading ??= startLoad(entry, claims).finally(() => {
      entry.loading = null;
    });
    return entry.loading;
  }

  async function startLoad(entry: Entry, claims: Claims): Promise<TenantModel> {
    // Cleared before the read: an invalidation during it asks for another one.
    entry.isStale = false;
    try {
      const loaded = await options.load(claims);
      const newest = entry.versions[0];
      // The same version again: keep the object, callers hold caches by its identity.
      if (newest && newest.version >= loaded.version) return newest;
      entry.versions = [loaded, ...entry.versions].slice(0, keptVersions);
      return loaded;
    } catch (error) {
      entry.isStale = true;
      throw error;
    }
  }

  const isBehind = (entry: Entry, version: number | null): boolean =>
    entry.isStale ||
    entry.versions[0] === undefined ||
    (version !== null && entry.versions[0].version < version);

  async function get(claims: Claims, atLeastVersion: number | null): Promise<TenantModel> {
    const entry = entryOf(claims);
    if (isBehind(entry, atLeastVersion)) {
      const joined = entry.loading !== null;
      await load(entry, claims);
      // A load that was already under way may have read before the version that is asked for.
      if (joined && isBehind(entry, atLeastVersion)) await load(entry, claims);
    }
    return entry.versions[0] as TenantModel;
  }

  return {
    get,
    async getExact(claims, version) {
      const kept = entryOf(claims).versions.find((model) => model.version === version);
      return kept ?? get(claims, version);
    },
    invalidate(tenantId) {
      const entry = entries.get(tenantId);
      if (entry) entry.isStale = true;
    },
  };
}
