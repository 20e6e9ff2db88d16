import { performance } from 'node:perf_hooks'
import type { ExecutorHealth } from '@opencode-gateway/contracts'
import { withSignal } from '@opencode-gateway/opencode'
import type { EngineClient } from '@opencode-gateway/opencode'
import type { EngineSource } from './engine-source.ts'

const FRESH_MS = 2_000
const PROBE_TIMEOUT_MS = 10_000

/**
 * Makes and deletes a session of the engine, at most once in two seconds however many ask. Never throws. The probe
 * has a deadline of its own, since one caller that leaves must not spoil it for the others.
 */
export function createHealthCheck(options: {
  source: EngineSource
  directory: string
}): (signal: AbortSignal) => Promise<ExecutorHealth> {
  const { source, directory } = options
  let latest: { client: EngineClient; at: number; probing: Promise<void> } | undefined

  const probe = (client: EngineClient): Promise<void> => {
    if (latest?.client === client && performance.now() - latest.at <= FRESH_MS) return latest.probing
    const probing = client.probe(directory, AbortSignal.timeout(PROBE_TIMEOUT_MS))
    probing.catch(() => undefined)
    latest = { client, at: performance.now(), probing }
    return probing
  }

  return async (signal) => {
    const waited = AbortSignal.any([signal, AbortSignal.timeout(FRESH_MS)])
    try {
      const lease = await source.acquire(waited)
      try {
        await withSignal(probe(lease.client), signal)
      } finally {
        lease.release()
      }
      return { ok: true, engine: { version: source.version() ?? 'unknown', mode: source.mode }, ...source.vitals() }
    } catch (error) {
      return { ok: false, reason: error instanceof Error ? error.message : String(error), ...source.vitals() }
    }
  }
}
