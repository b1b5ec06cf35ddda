/** What is left of sessions and keys that have ended: of all tenants and operators, so as the platform's role. */
import type { ControlDatabase } from '#prisma/control-database.ts';

export interface EndedCredentials {
  /**
   * Removes sessions that expired or were revoked before then, refresh tokens that were replaced before then, and signing
   * keys retired before then: at most `limit` of each. Returns how many rows went.
   */
  prune(before: Date, limit: number): Promise<number>;
}

export function createEndedCredentials({ platform }: ControlDatabase): EndedCredentials {
  return {
    async prune(before, limit) {
      // A session takes its refresh tokens with it. Several processes may prune: each takes what no other holds.
      const sessions = await platform.$executeRaw`delete from sessions where id in (select id from sessions
        where expires_at < ${before} or revoked_at < ${before} limit ${limit} for update skip locked)`;
      const tokens =
        await platform.$executeRaw`delete from refresh_tokens where hash in (select hash from refresh_tokens
        where replaced_at < ${before} limit ${limit} for update skip locked)`;
      const keys = await platform.$executeRaw`delete from signing_keys where retired_at < ${before}`;
      return sessions + tokens + keys;
    },
  };
}
