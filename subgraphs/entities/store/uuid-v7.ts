/** Ids that sort in the order of their making (UUID version 7, RFC 9562). */
import { randomBytes, randomFillSync } from 'node:crypto';

const pool = Buffer.alloc(4096);
let poolAt = pool.length;
let lastMs = 0;
/** Within one millisecond ids count up: 32 bits, the first of which starts as 0 so that there is room. */
let counter = 0;

/** A new id, greater than every one that this process made before. */
export function createId(): string {
  const now = Date.now();
  if (now > lastMs) {
    lastMs = now;
    counter = randomBytes(4).readUInt32BE() >>> 1;
  } else if (++counter > 0xffff_ffff) {
    lastMs += 1;
    counter = 0;
  }
  if (poolAt + 6 > pool.length) {
    randomFillSync(pool);
    poolAt = 0;
  }
  const random = pool.toString('hex', poolAt, poolAt + 6);
  poolAt += 6;
  const time = lastMs.toString(16).padStart(12, '0');
  // 12 bits beside the version, 14 beside the variant, 6 in front of the random rest.
  const high = (counter >>> 20).toString(16).padStart(3, '0');
  const middle = (0x8000 | ((counter >>> 6) & 0x3fff)).toString(16);
  const low = ((((counter & 0x3f) << 2) | (Number.parseInt(random.slice(0, 1), 16) & 3)) & 0xff)
    .toString(16)
    .padStart(2, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${high}-${middle}-${low}${random.slice(1, 11)}`;
}
