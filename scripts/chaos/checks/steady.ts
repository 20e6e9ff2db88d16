import type { Check } from './check.ts'

export interface Usage {
  /** Milliseconds since the first run was accepted. */
  atMs: number
  rssBytes: number
  handles: number
}

export interface SoakFacts {
  /** Nothing works, before and after. */
  idleBefore: Usage
  idleAfter: Usage
  /** While all runs work, after the warm-up. */
  working: readonly Usage[]
}

const rssToleranceBytes = 10 * 2 ** 20

/** How much the memory at the end of the work differs from that at its beginning, in bytes: medians of a fifth each. */
export function growthBytes(working: readonly Usage[]): number {
  const fifth = Math.ceil(working.length / 5)
  return medianRss(working.slice(-fifth)) - medianRss(working.slice(0, fifth))
}

export const steadyMemory: Check<SoakFacts> = {
  name: 'memory stays within 10 MB while runs work',
  complaints({ working }) {
    if (working.length < 10) return [`there are only ${working.length} samples`]
    const grown = growthBytes(working)
    return grown <= rssToleranceBytes ? [] : [`the gateway has grown by ${(grown / 2 ** 20).toFixed(1)} MB`]
  },
}

export const handlesReturn: Check<SoakFacts> = {
  name: 'handles are back to where they were',
  complaints: ({ idleBefore, idleAfter }) =>
    idleAfter.handles <= idleBefore.handles
      ? []
      : [`there were ${idleBefore.handles} handles, there are ${idleAfter.handles}`],
}

function medianRss(samples: readonly Usage[]): number {
  const sorted = samples.map(({ rssBytes }) => rssBytes).toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
