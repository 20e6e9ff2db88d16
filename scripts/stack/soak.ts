// Many sessions, each with three commands, several at a time: all of them right, none sees another, nothing is left.
//   soak --baseUrl URL [--runs 50] [--concurrency 5] [--timeout MS] [--report FILE]      the key is in API_KEY
// Exit code 0 when every run was right. The report is JSON.
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { count, httpAddress } from './arguments.ts'
import { runCommandLine } from './command-line.ts'
import { createGatewayApi } from './gateway-api.ts'
import { soakRun, type SoakRun } from './soak-run.ts'
import { summary } from './soak-summary.ts'

const USAGE = 'soak [--baseUrl URL] [--runs N] [--concurrency N] [--timeout MS] [--report FILE]'

interface Asked {
  baseUrl: URL
  runs: number
  concurrency: number
  timeoutMs: number
  /** Where the report is written, besides to standard output. */
  file: string | undefined
}

process.exitCode = await runCommandLine({ name: 'soak', usage: USAGE, read: readArguments, run: soak })

function readArguments(): Asked {
  const { values } = parseArgs({
    options: {
      baseUrl: { type: 'string', default: 'http://127.0.0.1:8080' },
      runs: { type: 'string', default: '50' },
      concurrency: { type: 'string', default: '5' },
      timeout: { type: 'string', default: '120000' },
      report: { type: 'string' },
    },
  })
  return {
    baseUrl: httpAddress('baseUrl', values.baseUrl),
    runs: count('runs', values.runs),
    concurrency: count('concurrency', values.concurrency),
    timeoutMs: count('timeout', values.timeout),
    file: values.report,
  }
}

async function soak({ baseUrl, runs, concurrency, timeoutMs, file }: Asked, signal: AbortSignal): Promise<number> {
  const api = createGatewayApi({ baseUrl, apiKey: process.env['API_KEY'], timeoutMs, signal })
  const before = new Set(await api.openSessions())
  const startedAt = performance.now()
  const results: SoakRun[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < runs && !signal.aborted) results.push(await soakRun(api, (next += 1)))
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  const totalMs = Math.round(performance.now() - startedAt)
  const after = await api.openSessions()
  const made = new Set(results.map(({ id }) => id))
  // Others may come and go meanwhile.
  const left = after.filter((id) => made.has(id))
  const report = {
    runs,
    concurrency,
    total_ms: totalMs,
    ...summary(results),
    refused: api.refused(),
    open_sessions: { before: before.size, after: after.length, left },
    failures: results.filter(({ error }) => error !== undefined).map(({ run, error }) => ({ run, error })),
  }
  const text = JSON.stringify(report, null, 2)
  console.log(text)
  if (file !== undefined) await writeFile(file, `${text}\n`)
  return report.success === runs && left.length === 0 && report.sse.disconnects === 0 ? 0 : 1
}
