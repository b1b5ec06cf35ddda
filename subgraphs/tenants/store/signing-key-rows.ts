/** Keys that sign access tokens; the private half is encrypted before it comes here. */
import type { ControlDatabase } from '#prisma/control-database.ts';
import type { Prisma, SigningKey } from '#prisma/generated/client.ts';

export interface SigningKeyRow {
  readonly kid: string;
  readonly publicJwk: Record<string, unknown>;
  readonly privateJwe: string;
  readonly createdAt: Date;
}

export interface SigningKeyRows {
  /** The newest that still signs. */
  findCurrent(): Promise<SigningKeyRow | null>;
  /** Those that sign, and those retired after `retiredAfter`. */
  listPublished(retiredAfter: Date): Promise<SigningKeyRow[]>;
  /**
   * Makes `key` the current one where `replaces` (null: none) still is, and retires that. Answers with what is current then:
   * of two processes that rotate at once, both get the same.
   */
  rotate(replaces: string | null, key: Omit<SigningKeyRow, 'createdAt'>): Promise<SigningKeyRow>;
}

/** Any number; the same for all processes. */
const rotationLock = 728_110_031;

function toRow(row: SigningKey): SigningKeyRow {
  const { kid, privateJwe, createdAt } = row;
  return { kid, publicJwk: row.publicJwk as Record<string, unknown>, privateJwe, createdAt };
}

export function createSigningKeyRows({ platform }: ControlDatabase): SigningKeyRows {
  const current = { where: { retiredAt: null }, orderBy: { createdAt: 'desc' } } as const;
  return {
    async findCurrent() {
      const row = await platform.signingKey.findFirst(current);
      return row ? toRow(row) : null;
    },

    async listPublished(retiredAfter) {
      const rows = await platform.signingKey.findMany({
        where: { OR: [{ retiredAt: null }, { retiredAt: { gt: retiredAfter } }] },
        orderBy: { createdAt: 'desc' },
      });
      return rows.map(toRow);
    },

    rotate(replaces, key) {
      return platform.$transaction(async (tx) => {
        await tx.$executeRaw`select pg_advisory_xact_lock(${rotationLock})`;
        const newest = await tx.signingKey.findFirst(current);
        if (newest && newest.kid !== replaces) return toRow(newest);
        await tx.signingKey.updateMany({ where: { retiredAt: null }, data: { retiredAt: new Date() } });
        const publicJwk = key.publicJwk as Prisma.InputJsonObject;
        return toRow(await tx.signingKey.create({ data: { ...key, publicJwk } }));
      });
    },
  };
}
