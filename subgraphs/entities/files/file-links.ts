/** Links to files that carry their own proof (schema/file-content.ts): for `<img src>`. The gateway verifies them. */
import { SignJWT } from 'jose';
import type { Claims } from '#schema/claims.ts';
import { invalidField } from '#schema/errors.ts';
import { fileLink, type FileLinkPayload, filePath } from '#schema/file-content.ts';

const lifetimes = { min: 30, max: 3_600 } as const;

export interface FileLinks {
  /**
   * A path that serves the file as `claims` for `seconds` at least, and less than twice as long: it ends with the second
   * interval of that length from now, so that within one the same file has the same address. BAD_USER_INPUT.
   */
  sign(claims: Claims, fileId: string, seconds: number): Promise<string>;
}

/** `secret`: SUBGRAPH_SECRET. `now` in milliseconds. */
export function createFileLinks(secret: string, now: () => number = Date.now): FileLinks {
  const key = new TextEncoder().encode(secret);
  return {
    async sign(claims, fileId, seconds) {
      if (!Number.isInteger(seconds) || seconds < lifetimes.min || seconds > lifetimes.max) {
        const range = `${lifetimes.min} to ${lifetimes.max}`;
        throw invalidField('expiresIn', 'range', `expiresIn must be from ${range} seconds, not ${seconds}`);
      }
      const expiresAt = (Math.floor(now() / 1000 / seconds) + 2) * seconds;
      const { tenantId, actorKind, actorId, role, authVersion, sessionId } = claims;
      const payload: Pick<FileLinkPayload, 'c'> = {
        c: [tenantId, actorKind, actorId, role, authVersion, sessionId],
      };
      const token = await new SignJWT(payload)
        .setProtectedHeader({ alg: fileLink.algorithm })
        .setSubject(fileId)
        .setIssuer(fileLink.issuer)
        .setAudience(fileLink.audience)
        .setExpirationTime(expiresAt)
        .sign(key);
      return `${filePath(fileId)}?${fileLink.parameter}=${token}`;
    },
  };
}
