import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { EgressLimits } from './limits.ts'
import type { Passage } from './passage.ts'
import type { Reach } from './reach.ts'
import type { TakeSlot } from './slots.ts'

/** What every connection and request of one session has in common. */
export interface Way {
  reach: Reach
  limits: EgressLimits
  takeSlot: TakeSlot
  begin(): Passage
  /** The session is over. */
  over: AbortSignal
}

/** Aborts when the session is over, or whoever asked has left. */
export function whileWanted(asking: Socket | ServerResponse, over: AbortSignal): AbortSignal {
  const left = new AbortController()
  asking.once('close', () => left.abort(new Error('whoever asked has left')))
  return AbortSignal.any([over, left.signal])
}
