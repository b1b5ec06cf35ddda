/** The ES256 keys of access tokens: made, encrypted at rest, rotated, published. */
import { hkdfSync } from 'node:crypto';
import {
  CompactEncrypt,
  type CryptoKey,
  compactDecrypt,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
} from 'jose';
import { accessToken } from '#schema/claims.ts';
import type { Logger } from '#subgraphs/server/logger.ts';
import type { SigningKeyRow, SigningKeyRows } from '../store/signing-key-rows.ts';

const dayMs = 24 * 60 * 60 * 1000;
/** A key signs for this long. */
const rotationMs = 30 * dayMs;
/** A process asks for the current key again after this long, so it may sign that much longer with a retired one. */
const rereadMs = 60_000;
/** A retired key stays published until the last token it may have signed has expired, with a minute for clocks. */
const publishedAfterRetirementMs = accessToken.lifetimeSeconds * 1000 + rereadMs + 60_000;

export interface SigningKey {
  readonly kid: string;
  readonly key: CryptoKey;
}

export interface SigningKeys {
  /** The key to sign with now. */
  getCurrent(): Promise<SigningKey>;
  /** The public halves, as a JWKS. */
  getJwks(): Promise<{ keys: Record<string, unknown>[] }>;
}

export interface SigningKeysOptions {
  rows: SigningKeyRows;
  /** SUBGRAPH_SECRET; the key that encrypts private halves is derived from it. */
  secret: string;
  logger: Logger;
  /** The present, in milliseconds; for tests. */
  now?: () => number;
}

export function createSigningKeys({ rows, secret, logger, now = Date.now }: SigningKeysOptions): SigningKeys {
  const wrappingKey = new Uint8Array(hkdfSync('sha256', secret, '', 'tenantry signing keys', 32));
  let held: { current: Promise<SigningKey>; readAtMs: number } | null = null;

  async function encrypt(jwk: JWK): Promise<string> {
    return new CompactEncrypt(new TextEncoder().encode(JSON.stringify(jwk)))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .encrypt(wrappingKey);
  }

  /** Null where the row was encrypted under another secret. */
  async function open(row: SigningKeyRow): Promise<SigningKey | null> {
    try {
      const options = { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] };
      const { plaintext } = await compactDecrypt(row.privateJwe, wrappingKey, options);
      const jwk = JSON.parse(new TextDecoder().decode(plaintext)) as JWK;
      return { kid: row.kid, key: (await importJWK(jwk, accessToken.algorithm)) as CryptoKey };
    } catch (error) {
      logger.warn(
        { err: error, kid: row.kid },
        'a signing key does not open with this secret; making another',
      );
      return null;
    }
  }

  async function replace(replaces: string | null): Promise<SigningKey> {
    const pair = await generateKeyPair(accessToken.algorithm, { extractable: true });
    const kid = crypto.randomUUID();
    const publicJwk = { ...(await exportJWK(pair.publicKey)), kid, alg: accessToken.algorithm, use: 'sig' };
    const row = await rows.rotate(replaces, {
      kid,
      publicJwk,
      privateJwe: await encrypt(await exportJWK(pair.privateKey)),
    });
    if (row.kid === kid) return { kid, key: pair.privateKey };
    const other = await open(row);
    if (!other) throw new Error('Another process signs with keys under another SUBGRAPH_SECRET');
    return other;
  }

  async function read(): Promise<SigningKey> {
    const row = await rows.findCurrent();
    if (!row || now() - row.createdAt.getTime() > rotationMs) return replace(row?.kid ?? null);
    return (await open(row)) ?? replace(row.kid);
  }

  return {
    getCurrent() {
      if (!held || now() - held.readAtMs > rereadMs) {
        const next = { current: read(), readAtMs: now() };
        held = next;
        // A failure is not kept: the next caller tries again.
        next.current.catch(() => {
          if (held === next) held = null;
        });
      }
      return held.current;
    },

    async getJwks() {
      const published = await rows.listPublished(new Date(now() - publishedAfterRetirementMs));
      return { keys: published.map((row) => row.publicJwk) };
    },
  };
}
