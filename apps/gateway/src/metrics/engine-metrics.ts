import type { ExecutorHealth } from '@opencode-gateway/contracts'
import { Gauge, type Registry } from 'prom-client'

export interface EngineMetrics {
  /** What the executor says of itself now; undefined while there is nothing to say. */
  saw(health: ExecutorHealth | undefined): void
}

/** The engine, as its executor sees it. What the executor does not tell has no sample. */
export function createEngineMetrics(registry: Registry): EngineMetrics {
  const gauge = (name: string, help: string) =>
    new Gauge({ name: `opencode_gateway_engine_${name}`, help, labelNames: ['mode'], registers: [registry] })
  const up = gauge('up', '1 when the engine makes sessions, 0 when it does not.')
  const restarts = gauge('restarts', 'How often the engine had to be started again.')
  const rss = gauge('resident_memory_bytes', 'Memory of the engine.')

  const labelled = (name: string, help: string, label: string) =>
    new Gauge({ name: `opencode_gateway_${name}`, help, labelNames: [label], registers: [registry] })
  const warm = labelled('warm_containers', 'Containers that wait for a session, or are being started to.', 'state')
  const claims = labelled('warm_claims', 'New sessions by whether a warm container was there for them.', 'result')

  return {
    saw(health) {
      warm.reset()
      claims.reset()
      if (health?.warm) {
        const { ready, starting, claimed, missed } = health.warm
        warm.set({ state: 'ready' }, ready)
        warm.set({ state: 'starting' }, starting)
        claims.set({ result: 'claimed' }, claimed)
        claims.set({ result: 'missed' }, missed)
      }
      const mode = health?.engine?.mode ?? 'other'
      const values = [
        [up, health && Number(health.ok)],
        [restarts, health?.restarts],
        [rss, health?.rssBytes],
      ] as const
      for (const [gauge, value] of values) {
        gauge.reset()
        if (value !== undefined) gauge.set({ mode }, value)
      }
    },
  }
}
