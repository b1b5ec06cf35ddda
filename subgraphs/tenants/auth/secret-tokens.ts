/** Secrets that the platform makes: 256 random bits, kept as SHA-256 (a slow hash would add nothing). */
import { createHash, randomBytes } from 'node:crypto';
import type { SecretHash } from '../store/rows.ts';

export const apiKeyPrefix = 'tk_';
export const refreshTokenPrefix = 'rt_';

export interface SecretToken {
  /** Shown once. */
  readonly text: string;
  readonly hash: SecretHash;
}

/** The prefix and 43 characters of base64url. */
export function createSecretToken(prefix: string): SecretToken {
  const text = prefix + randomBytes(32).toString('base64url');
  return { text, hash: hashSecret(text) };
}

export function hashSecret(text: string): SecretHash {
  return new Uint8Array(createHash('sha256').update(text).digest());
}

/** What a key is recognised by in lists: too little to guess the rest. */
export function recognisablePart(text: string): string {
  return text.slice(0, 11);
}
