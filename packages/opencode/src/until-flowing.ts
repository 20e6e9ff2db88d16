import { withSignal } from '@opencode-gateway/contracts'
import { setTimeout as sleep } from 'node:timers/promises'

const STIR_MS = 100

/**
 * Waits until events come. The engine says that the stream is connected before it puts anything into it, and what
 * happens in between is in no stream; so something is made to happen (`stir`) until an event has come.
 */
export async function untilFlowing(
  flowing: () => Promise<void>,
  stir: () => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  let flows = false
  while (!flows) {
    const waiting = flowing().then(() => {
      flows = true
    })
    const pause = new AbortController()
    const late = sleep(STIR_MS, undefined, { signal: pause.signal }).catch(() => undefined)
    await withSignal(Promise.race([waiting, late]), signal).finally(() => pause.abort())
    if (!flows) await stir()
  }
}
