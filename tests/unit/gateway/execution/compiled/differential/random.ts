/** A seeded source of choices: the same seed gives the same case on every machine. */
export interface Random {
  /** 0 ≤ n < limit, whole. */
  below(limit: number): number;
  chance(probability: number): boolean;
  pick<T>(choices: readonly T[]): T;
  /** Each choice with the probability, in order. */
  some<T>(choices: readonly T[], probability: number): T[];
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return {
    below,
    chance: (probability) => next() < probability,
    pick: <T>(choices: readonly T[]) => choices[below(choices.length)] as T,
    some: (choices, probability) => choices.filter(() => next() < probability),
  };
}

/** A number that depends on every part, for values that must be the same whoever asks: 0 ≤ n < 2^32. */
export function hash(...parts: readonly unknown[]): number {
  let value = 0x811c9dc5;
  for (const character of parts.map((part) => JSON.stringify(part) ?? '').join('\u0001')) {
    value = Math.imul(value ^ character.charCodeAt(0), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d);
  value = Math.imul(value ^ (value >>> 12), 0x297a2d39);
  return (value ^ (value >>> 15)) >>> 0;
}

/** Whether an event of this probability happens, decided by `parts` alone. */
export function happens(probability: number, ...parts: readonly unknown[]): boolean {
  return hash(...parts) / 4_294_967_296 < probability;
}
