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

  return {
    saw(health) {
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
