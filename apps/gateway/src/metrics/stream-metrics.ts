import { Counter, Gauge, type Registry } from 'prom-client'

export interface StreamMetrics {
  /** A reader connects; `resumed` when it has seen events of the log before. */
  opened(how: { resumed: boolean }): void
  closed(): void
  /** A reader took nothing for too long. */
  dropped(): void
}

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
  return {
    opened({ resumed }) {
      open.inc()
      opened.inc({ begin: resumed ? 'resumed' : 'fresh' })
    },
    closed: () => open.dec(),
    dropped: () => dropped.inc(),
  }
}
