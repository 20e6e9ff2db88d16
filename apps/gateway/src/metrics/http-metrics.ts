import { Histogram, type Registry } from 'prom-client'

export interface Answered {
  /** The pattern of the route, not the path; undefined where no route fits. */
  route: string | undefined
  method: string
  /** Undefined when the client left before the answer was complete. */
  status: number | undefined
  durationMs: number
}

export interface HttpMetrics {
  answered(answered: Answered): void
}

/** From a probe to a run that was waited for. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800]
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

export function createHttpMetrics(registry: Registry): HttpMetrics {
  const duration = new Histogram({
    name: 'opencode_gateway_http_request_duration_seconds',
    help: 'Requests by route, method and class of status ("left": the client left first). Streams last as long as they last.',
    labelNames: ['route', 'method', 'status'],
    buckets: BUCKETS,
    registers: [registry],
  })
  return {
    answered({ route = 'none', method, status, durationMs }) {
      const labels = {
        route,
        method: METHODS.has(method) ? method : 'other',
        status: status === undefined ? 'left' : `${Math.floor(status / 100)}xx`,
      }
      duration.observe(labels, durationMs / 1000)
    },
  }
}
