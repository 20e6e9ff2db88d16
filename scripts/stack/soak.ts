// Many sessions, each with three commands, several at a time: all of them right, none sees another, nothing is left.
//   soak --baseUrl URL [--runs 50] [--concurrency 5] [--timeout MS] [--report FILE]      the key is in API_KEY
// Exit code 0 when every run was right. The report is JSON.
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { createGatewayApi } from './gateway-api.ts'
import { soakRun, type SoakRun } from './soak-run.ts'
import { summary } from './soak-summary.ts'

const { values } = parseArgs({
  options: {
    baseUrl: { type: 'string', default: 'http://127.0.0.1:8080' },
    runs: { type: 'string', default: '50' },
    concurrency: { type: 'string', default: '5' },
    timeout: { type: 'string', default: '120000' },
    report: { type: 'string' },
  },
})
const interrupted = new AbortController()
process.once('SIGINT', () => interrupted.abort(new Error('interrupted')))
process.once('SIGTERM', () => interrupted.abort(new Error('interrupted')))
process.exitCode = await soak()

async function soak(): Promise<number> {
  const [runs, concurrency, timeoutMs] = [values.runs, values.concurrency, values.timeout].map(Number)
  if (!(Number(runs) >= 1) || !(Number(concurrency) >= 1) || !(Number(timeoutMs) >= 1)) {
    console.error('usage: soak --baseUrl URL [--runs N] [--concurrency N] [--timeout MS] [--report FILE]')
    return 64
  }
  const api = createGatewayApi({
    baseUrl: new URL(values.baseUrl),
    apiKey: process.env['API_KEY'],
    timeoutMs: Number(timeoutMs),
    signal: interrupted.signal,
  })
  const before = new Set(await api.openSessions())
  const startedAt = performance.now()
  const results: SoakRun[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < Number(runs) && !interrupted.signal.aborted) results.push(await soakRun(api, (next += 1)))
  }
  await Promise.all(Array.from({ length: Number(concurrency) }, worker))
  const totalMs = Math.round(performance.now() - startedAt)
  const after = await api.openSessions()
  const made = new Set(results.map(({ id }) => id))
  // Others may come and go meanwhile.
  const left = after.filter((id) => made.has(id))
  const report = {
    runs: Number(runs),
    concurrency: Number(concurrency),
    total_ms: totalMs,
    ...summary(results),
    refused: api.refused(),
    open_sessions: { before: before.size, after: after.length, left },
    failures: results.filter(({ error }) => error !== undefined).map(({ run, error }) => ({ run, error })),
  }
  const text = JSON.stringify(report, null, 2)
  console.log(text)
  if (values.report !== undefined) await writeFile(values.report, `${text}\n`)
  return report.success === Number(runs) && left.length === 0 && report.sse.disconnects === 0 ? 0 : 1
}
