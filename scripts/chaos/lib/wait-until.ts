import { setTimeout as sleep } from 'node:timers/promises'

const pauseMs = 20

/** Settles with whether it became true in time. */
export async function waitUntil(
  isTrue: () => Promise<boolean> | boolean,
  { withinMs, signal }: { withinMs: number; signal: AbortSignal },
): Promise<boolean> {
  const limit = performance.now() + withinMs
  for (;;) {
    if (await isTrue()) return true
    if (performance.now() >= limit) return false
    await sleep(pauseMs, undefined, { signal })
  }
}
