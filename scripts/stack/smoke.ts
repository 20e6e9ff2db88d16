// Whether a gateway does its work, whatever its executor: identity, readiness, commands, files, events. Needs no model.
//   smoke --baseUrl URL [--timeout MS] [--artifacts DIRECTORY]      the key is in API_KEY
// Exit code 0 when every step is right; otherwise 1, and what was seen is kept in the directory.
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { count, httpAddress } from './arguments.ts'
import { runCommandLine } from './command-line.ts'
import { createGatewayApi, type GatewayApi } from './gateway-api.ts'
import { smokeSteps, type Seen } from './smoke-steps.ts'

const USAGE = 'smoke [--baseUrl URL] [--timeout MS] [--artifacts DIRECTORY]'

interface Asked {
  baseUrl: URL
  timeoutMs: number
  artifacts: string | undefined
}

process.exitCode = await runCommandLine({ name: 'smoke', usage: USAGE, read: readArguments, run: smoke })

function readArguments(): Asked {
  const { values } = parseArgs({
    options: {
      baseUrl: { type: 'string', default: 'http://127.0.0.1:8080' },
      timeout: { type: 'string', default: '60000' },
      artifacts: { type: 'string' },
    },
  })
  const { baseUrl, timeout, artifacts } = values
  return { baseUrl: httpAddress('baseUrl', baseUrl), timeoutMs: count('timeout', timeout), artifacts }
}

async function smoke({ baseUrl, timeoutMs, artifacts }: Asked, signal: AbortSignal): Promise<number> {
  const apiKey = process.env['API_KEY']
  const api = createGatewayApi({ baseUrl, apiKey, timeoutMs, signal })
  const secrets = [apiKey, process.env['OPENCODE_SERVER_PASSWORD']].filter(
    (value) => value !== undefined && value !== '',
  )
  const seen: Seen = {}
  const report: object[] = []
  let failed = false
  for (const step of smokeSteps(api, secrets.map(String))) {
    const startedAt = performance.now()
    const took = () => Math.round(performance.now() - startedAt)
    try {
      const result = await step.run(seen)
      report.push({ step: step.name, ok: true, ms: took(), result })
      console.log(`ok      ${step.name} (${took()} ms)`)
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      report.push({ step: step.name, ok: false, ms: took(), error: message })
      console.error(`FAILED  ${step.name}: ${message}`)
      failed = true
      break
    }
  }
  if (failed) console.error(`smoke: what was seen is in ${await keep({ steps: report, ...seen }, api, artifacts)}`)
  else if (seen.sessionId !== undefined) await api.remove(seen.sessionId)
  return failed ? 1 : 0
}

/** The session stays, too: its log is worth a look. */
async function keep(
  report: Seen & { steps: readonly object[] },
  api: GatewayApi,
  artifacts: string | undefined,
): Promise<string> {
  const directory = artifacts ?? (await mkdtemp(join(tmpdir(), 'smoke-')))
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, 'report.json'), `${JSON.stringify(report, null, 2)}\n`)
  if (report.sessionId !== undefined) {
    const events = await api
      .get(`/sessions/${report.sessionId}/events`)
      .catch((error: unknown) => ({ error: String(error) }))
    await writeFile(join(directory, 'events.json'), `${JSON.stringify(events, null, 2)}\n`)
  }
  return directory
}
