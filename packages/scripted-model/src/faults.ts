import { createBoundedMap } from './bounded-map.ts'
import { isFault } from './step.ts'
import type { Fault, Turn } from './step.ts'

/** Counts the calls of one and the same turn, so that a fault can hit the first few of them. */
export interface FaultCounter {
  /** The fault that hits this call of the turn, if any. */
  next(key: string, turn: Turn): Fault | undefined
}

const MAX_COUNTED_TURNS = 1000

export function createFaultCounter(): FaultCounter {
  const attempts = createBoundedMap<number>(MAX_COUNTED_TURNS)
  return {
    next(key, turn) {
      const attempt = attempts.get(key) ?? 0
      const fault = faultOf(turn, attempt)
      // A turn that got through is forgotten: the same prompt later meets its faults anew.
      if (fault) attempts.set(key, attempt + 1)
      else attempts.delete(key)
      return fault
    },
  }
}

/** The faults of a turn hit one after the other, each for its number of calls. */
export function faultOf(turn: Turn, attempt: number): Fault | undefined {
  let hit = 0
  return turn.filter(isFault).find((fault) => {
    hit += fault.times
    return attempt < hit
  })
}
