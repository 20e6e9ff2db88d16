import type { EgressLimits } from './limits.ts'
import { Refusal } from './refusal.ts'

/** How many ways out are open. */
export interface Slots {
  /** Those of one more session. */
  ofSession(): TakeSlot
}

/** Settles what gives the slot back; throws `Refusal` when there is none. */
export type TakeSlot = () => () => void

export function createSlots({ maxConnections, maxAllConnections }: EgressLimits): Slots {
  let all = 0
  return {
    ofSession() {
      let own = 0
      return () => {
        if (own >= maxConnections)
          throw new Refusal(503, 'too_many', `This container has ${maxConnections} connections, the most it may have.`)
        if (all >= maxAllConnections)
          throw new Refusal(503, 'too_many', 'All containers together have the most connections that they may have.')
        own += 1
        all += 1
        let isFree = false
        return () => {
          if (isFree) return
          isFree = true
          own -= 1
          all -= 1
        }
      }
    },
  }
}
