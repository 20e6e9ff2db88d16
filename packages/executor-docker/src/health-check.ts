import type { ExecutorHealth } from '@opencode-gateway/contracts'
import { withSignal } from '@opencode-gateway/opencode'

const FRESH_MS = 2_000
const PROBE_TIMEOUT_MS = 10_000

/**
 * Asks `probe` at most once in two seconds, however many want to know. Never throws. The probe has a deadline of its
 * own, since one caller that leaves must not spoil it for the others.
 */
export function createHealthCheck(
  probe: (signal: AbortSignal) => Promise<{ version: string; image: string }>,
): (signal: AbortSignal) => Promise<ExecutorHealth> {
  let latest: { at: number; probing: Promise<{ version: string; image: string }> } | undefined
  return async (signal) => {
    try {
      if (!latest || performance.now() - latest.at > FRESH_MS) {
        const probing = probe(AbortSignal.timeout(PROBE_TIMEOUT_MS))
        probing.catch(() => undefined)
        latest = { at: performance.now(), probing }
      }
      const { version, image } = await withSignal(latest.probing, signal)
      return { ok: true, engine: { version, mode: 'container', image } }
    } catch (error) {
      return { ok: false, reason: error instanceof Error ? error.message : String(error) }
    }
  }
}
