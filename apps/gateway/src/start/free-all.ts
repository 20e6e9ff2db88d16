import type { Log } from '@opencode-gateway/contracts'

/** Gives something back; when `hurry` aborts by force, where there is a choice. */
export type Free = (hurry: AbortSignal) => Promise<void>

/** How long one step may take once there is no time left, milliseconds: what does not wait for others is done by then. */
const LAST_MS = 150

/** Frees one after the other, and goes on whatever becomes of a step: one that fails, or takes longer than there is time. */
export async function freeAll(steps: readonly Free[], hurry: AbortSignal, log: Log): Promise<void> {
  for (const free of steps) {
    try {
      await inTime(free(hurry), hurry)
    } catch (err) {
      log.error({ err }, 'a part of the gateway could not be closed')
    }
  }
}

async function inTime(freed: Promise<void>, hurry: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>()
  let late: NodeJS.Timeout | undefined
  const onAbort = () => {
    late = setTimeout(() => reject(new Error('it takes longer than SHUTDOWN_GRACE leaves for it')), LAST_MS)
  }
  if (hurry.aborted) onAbort()
  else hurry.addEventListener('abort', onAbort, { once: true })
  try {
    await Promise.race([freed, promise])
  } finally {
    clearTimeout(late)
    hurry.removeEventListener('abort', onAbort)
  }
}
