import { collectDefaultMetrics, Registry } from 'prom-client'
import { createEgressMetrics, type EgressMetrics } from './egress-metrics.ts'
import { createEngineMetrics, type EngineMetrics } from './engine-metrics.ts'
import { createHttpMetrics, type HttpMetrics } from './http-metrics.ts'
import { createModelMetrics, type ModelMetrics } from './model-metrics.ts'
import { createRunMetrics, type RunMetrics } from './run-metrics.ts'
import { createStreamMetrics, type StreamMetrics } from './stream-metrics.ts'

/** Everything the gateway counts. Every label has a closed set of values: no id, no path, no text of a client. */
export interface Metrics {
  readonly contentType: string
  /** All of it in the text format of Prometheus. */
  render(): Promise<string>
  readonly http: HttpMetrics
  readonly runs: RunMetrics
  readonly streams: StreamMetrics
  readonly engine: EngineMetrics
  readonly models: ModelMetrics
  readonly egress: EgressMetrics
}

export interface MetricsOptions {
  /**
   * With those of the process: memory, CPU, event loop, garbage collection. They watch for as long as the process
   * lives, so whoever makes several takes them once.
   */
  process: boolean
}

export function createMetrics({ process: withProcess }: MetricsOptions): Metrics {
  const registry = new Registry()
  if (withProcess) collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 50 })
  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    http: createHttpMetrics(registry),
    runs: createRunMetrics(registry),
    streams: createStreamMetrics(registry),
    engine: createEngineMetrics(registry),
    models: createModelMetrics(registry),
    egress: createEgressMetrics(registry),
  }
}
