import type { Bench } from '../bench.ts'
import { createSession, streamUrl } from '../lib/api.ts'
import { ms, quantiles, quantileValues } from '../lib/format.ts'
import { startGateway } from '../lib/gateway.ts'
import type { Pace } from '../lib/paced-executor.ts'
import { startReader } from '../lib/reader.ts'

const targetMs = 20
const pace: Pace = { events: 15_000, perSecond: 1_000 }

export const appendToClient: Bench = {
  name: 'append-to-client',
  describe:
    'from the executor yielding an event, through the durable log, to a client over HTTP: 1 000 events a second',
  async run(context) {
    const gateway = await startGateway(context, { executor: 'paced' })
    const reader = startReader(context)
    const sessionId = await createSession(gateway.url, JSON.stringify(pace))
    reader.read([streamUrl(gateway.url, sessionId)])
    const { latency, events, gaps, duplicates } = await reader.until(({ finished, failed }) => finished + failed === 1)
    const whole = gaps === 0 && duplicates === 0 && events >= pace.events
    return [
      {
        what: 'one session, one stream, 1 000 events a second',
        target: `p99 ≤ ${targetMs} ms`,
        measured: `${quantiles(latency)}, max ${ms(latency.max)}; ${gaps} gaps, ${duplicates} duplicates`,
        ok: latency.p99 <= targetMs && whole,
        values: { ...quantileValues('latency', latency), events, gaps, duplicates },
      },
    ]
  },
}
