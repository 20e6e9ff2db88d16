/** Chance that can be repeated: the same seed gives the same numbers. */
export interface Random {
  /** At least `from`, less than `to`. */
  between(from: number, to: number): number
  pick<T>(items: readonly [T, ...T[]]): T
  chance(probability: number): boolean
}

/** The generator "mulberry32": 32 bits of state are plenty for choosing moments. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const between = (from: number, to: number): number => from + next() * (to - from)
  return {
    between,
    pick: (items) => items[Math.floor(between(0, items.length))] ?? items[0],
    chance: (probability) => next() < probability,
  }
}
