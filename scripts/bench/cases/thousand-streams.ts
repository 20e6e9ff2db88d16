import type { Bench, BenchContext } from '../bench.ts'
import { createSession, streamUrl } from '../lib/api.ts'
import type { Child } from '../lib/child.ts'
import { megabytes, quantiles, quantileValues } from '../lib/format.ts'
import { startGateway } from '../lib/gateway.ts'
import { paced } from '../lib/loops.ts'
import { startReader } from '../lib/reader.ts'

const targetBytes = 250 * 2 ** 20
const streams = 1_000
const openedPerSecond = 100
/** Long enough that all streams are open together for 20 s. */
const eventsEach = 20 + streams / openedPerSecond

export const thousandStreams: Bench = {
  name: 'thousand-streams',
  describe: `1 000 sessions with a stream each, an event a second on every one`,
  async run(context) {
    const gateway = await startGateway(context, {
      executor: 'fake',
      env: { MAX_CONCURRENT_SESSIONS: '1000', MAX_QUEUED_RUNS: '10000' },
    })
    const { rssBytes: idleBytes } = await gateway.usage()
    const reader = startReader(context)
    const watching = watchMemory(gateway, context)
    await paced(openedPerSecond, streams / openedPerSecond, async () => {
      reader.read([streamUrl(gateway.url, await createSession(gateway.url, `slow: ${eventsEach} x 1000`))])
    })
    const { open } = await reader.until(({ open, finished, failed }) => open === streams || finished + failed > 0)
    context.say(`${open} streams are open`)
    const done = await reader.until(({ finished, failed }) => finished + failed === streams)
    const peak = await watching.stop()
    const { gaps, duplicates, failed, events, latency } = done
    return [
      {
        what: 'streams open at once; gaps, duplicates, broken streams',
        target: '1000; 0, 0, 0',
        measured: `${open}; ${gaps}, ${duplicates}, ${failed} in ${events} events`,
        ok: open === streams && gaps + duplicates + failed === 0 && events >= streams * eventsEach,
        values: { open, gaps, duplicates, failed, events },
      },
      {
        what: 'memory of the gateway, the fake engine within it included',
        target: `< ${megabytes(targetBytes)} RSS`,
        measured: `${megabytes(peak)} at most (${megabytes(idleBytes)} before)`,
        ok: peak < targetBytes,
        values: { peakBytes: peak, idleBytes },
      },
      {
        what: 'append to client meanwhile (times of whole milliseconds)',
        measured: quantiles(latency),
        values: quantileValues('latency', latency),
      },
    ]
  },
}

/** The most memory the process is seen to hold, once a second. */
function watchMemory(child: Child, { signal, say }: BenchContext): { stop(): Promise<number> } {
  const stopping = new AbortController()
  let peak = 0
  let cpuMs = 0
  const watching = (async () => {
    while (!stopping.signal.aborted && !signal.aborted) {
      const usage = await child.usage()
      peak = Math.max(peak, usage.rssBytes)
      say(`${megabytes(usage.rssBytes)}, ${(usage.cpuMs - cpuMs).toFixed(0)} ms of CPU`)
      cpuMs = usage.cpuMs
      await new Promise((resolve) => setTimeout(resolve, 1_000))
    }
  })()
  return {
    async stop() {
      stopping.abort()
      await watching
      return peak
    },
  }
}
