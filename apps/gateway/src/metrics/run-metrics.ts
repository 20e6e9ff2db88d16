import { errorCodes } from '@opencode-gateway/contracts'
import type { Observe, RunLoad } from '@opencode-gateway/sessions'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export interface RunMetrics {
  observe: Observe
  /** How many there are now; undefined when that is not known. */
  saw(load: RunLoad | undefined): void
}

const STEP_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]
const RUN_BUCKETS = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600]
const WRITE_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5]
const CODES: ReadonlySet<string> = new Set(errorCodes)

/** Runs, from what the sessions tell of them. */
export function createRunMetrics(registry: Registry): RunMetrics {
  const registers = [registry]
  const counter = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Counter({ name: `opencode_gateway_${name}`, help, labelNames, registers })
  const histogram = <L extends string>(name: string, help: string, buckets: number[], labelNames: L[]) =>
    new Histogram({ name: `opencode_gateway_${name}`, help, buckets, labelNames, registers })

  const claimed = counter('runs_started_total', 'Runs that left the queue; "again" after one that failed to start.', [
    'attempt',
  ])
  const ended = counter('runs_ended_total', 'Runs by outcome and, unless completed, error code.', ['outcome', 'code'])
  const total = histogram('run_duration_seconds', 'Runs from accepted to ended.', RUN_BUCKETS, ['outcome'])
  const queued = histogram('run_queue_seconds', 'Runs from accepted to claimed.', STEP_BUCKETS, [])
  const opened = histogram('run_open_seconds', 'Claimed until the engine had the session.', STEP_BUCKETS, [])
  const firstEvent = histogram('run_first_event_seconds', 'Prompt sent until the first event.', STEP_BUCKETS, [])
  const firstToken = histogram('run_first_token_seconds', 'Prompt sent until the first output.', STEP_BUCKETS, [])
  const events = counter('events_appended_total', 'Events written to logs.', [])
  const lag = histogram(
    'event_append_lag_seconds',
    'Event taken until it is durable, from when on it can be seen.',
    WRITE_BUCKETS,
    [],
  )
  const fenced = counter('fenced_writes_total', 'Writes refused because somebody else owns the run.', [])
  const asks = counter('asks_resolved_total', 'Asks by who answered: client, policy or timeout.', ['by'])
  const recovered = counter('runs_recovered_total', 'Runs a former process left, by what became of them.', ['fate'])

  const gauge = (name: string, help: string) => new Gauge({ name: `opencode_gateway_${name}`, help, registers })
  const queuedNow = gauge('runs_queued', 'Runs that wait in line now.')
  const workingNow = gauge('runs_working', 'Runs that have a slot now.')

  const seconds = (ms: number | undefined, into: Histogram): void => {
    if (ms !== undefined) into.observe(ms / 1000)
  }

  return {
    saw(load) {
      queuedNow.set(load?.queued ?? Number.NaN)
      workingNow.set(load?.working ?? Number.NaN)
    },
    observe(observation) {
      switch (observation.kind) {
        case 'claimed':
          return claimed.inc({ attempt: observation.attempt === 1 ? 'first' : 'again' })
        case 'appended':
          events.inc(observation.events)
          return lag.observe(observation.lagMs / 1000)
        case 'ended': {
          const { outcome, error, timings } = observation.complete
          const code = error === undefined ? 'none' : CODES.has(error.code) ? error.code : 'other'
          ended.inc({ outcome, code })
          total.observe({ outcome }, timings.total_ms / 1000)
          seconds(timings.queued_ms, queued)
          seconds(timings.open_ms, opened)
          seconds(timings.first_event_ms, firstEvent)
          return seconds(timings.first_token_ms, firstToken)
        }
        case 'ask':
          return asks.inc({ by: observation.by })
        case 'fenced':
          return fenced.inc()
        case 'recovered':
          return recovered.inc({ fate: observation.fate })
      }
    },
  }
}
