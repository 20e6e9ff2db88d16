import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export interface StreamMetrics {
  /** A reader connects; `resumed` when it has seen events of the log before. */
  opened(how: { resumed: boolean }): void
  closed(): void
  /** A reader took nothing for too long. */
  dropped(): void
  /** Events were sent to a reader that follows, so long after they were written down. */
  sent(lagMs: number): void
}

/** Milliseconds where all is well, seconds where a reader is slow. */
const LAG_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30]

/** Readers of event streams. */
export function createStreamMetrics(registry: Registry): StreamMetrics {
  const registers = [registry]
  const open = new Gauge({
    name: 'opencode_gateway_event_streams_open',
    help: 'Event streams open now.',
    registers,
  })
  const opened = new Counter({
    name: 'opencode_gateway_event_streams_opened_total',
    help: 'Event streams opened; "resumed" begins after an event the reader has.',
    labelNames: ['begin'],
    registers,
  })
  const dropped = new Counter({
    name: 'opencode_gateway_event_streams_dropped_total',
    help: 'Readers that were dropped because they took nothing.',
    registers,
  })
  const lag = new Histogram({
    name: 'opencode_gateway_event_visibility_lag_seconds',
    help: 'Event written down until a reader that follows the log has been sent it.',
    buckets: LAG_BUCKETS,
    registers,
  })
  return {
    opened({ resumed }) {
      open.inc()
      opened.inc({ begin: resumed ? 'resumed' : 'fresh' })
    },
    closed: () => open.dec(),
    dropped: () => dropped.inc(),
    sent: (lagMs) => lag.observe(lagMs / 1000),
  }
}
