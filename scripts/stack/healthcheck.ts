// Whether an engine, or a gateway with --ready, does its work. Images carry this file alone: it imports nothing of ours.
//   healthcheck --baseUrl URL [--timeout MS] [--ready]
// Exit code 0 when it does, 1 when not, 64 for wrong arguments; one line on standard error says why.
import { parseArgs } from 'node:util'

const USAGE = 'healthcheck --baseUrl URL [--timeout MS] [--ready]'
const MAX_BYTES = 1024 * 1024

interface Target {
  baseUrl: URL
  timeoutMs: number
  ready: boolean
}

process.exitCode = await main()

async function main(): Promise<number> {
  let target: Target
  try {
    target = readArguments()
  } catch (error) {
    process.stderr.write(`healthcheck: ${messageOf(error)}; usage: ${USAGE}\n`)
    return 64
  }
  const signal = AbortSignal.timeout(target.timeoutMs)
  try {
    await (target.ready ? gatewayIsReady(target.baseUrl, signal) : engineIsConnected(target.baseUrl, signal))
    return 0
  } catch (error) {
    const why = signal.aborted ? `no sign of health within ${target.timeoutMs} ms` : messageOf(error)
    process.stderr.write(`healthcheck: ${target.baseUrl.origin}: ${why}\n`)
    return 1
  }
}

function readArguments(): Target {
  const { values } = parseArgs({
    options: {
      baseUrl: { type: 'string' },
      timeout: { type: 'string', default: '5000' },
      ready: { type: 'boolean', default: false },
    },
  })
  const timeoutMs = Number(values.timeout)
  if (!Number.isInteger(timeoutMs) || timeoutMs < 1) throw new Error(`--timeout "${values.timeout}" is no number of ms`)
  if (values.baseUrl === undefined || !/^https?:\/\//.test(values.baseUrl) || !URL.canParse(values.baseUrl))
    throw new Error(`--baseUrl "${values.baseUrl ?? ''}" is no http address`)
  return { baseUrl: new URL(values.baseUrl), timeoutMs, ready: values.ready }
}

/** The engine's event stream has begun: it is routing requests, not just listening. */
async function engineIsConnected(baseUrl: URL, signal: AbortSignal): Promise<void> {
  const password = process.env['OPENCODE_SERVER_PASSWORD']
  const username = process.env['OPENCODE_SERVER_USERNAME'] ?? 'opencode'
  const authorization = `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}`
  const headers = { accept: 'text/event-stream', ...(password === undefined ? {} : { authorization }) }
  const response = await fetch(new URL('/event', baseUrl), { headers, signal, redirect: 'error' })
  const type = response.headers.get('content-type') ?? 'nothing'
  if (response.status !== 200) throw new Error(`/event answers ${response.status}`)
  if (response.body === null || !type.startsWith('text/event-stream'))
    throw new Error(`/event is ${type}, no event stream`)
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response.body) {
    text += decoder.decode(chunk, { stream: true })
    if (text.split(/\r?\n/).slice(0, -1).some(isConnected)) return
    if (text.length > MAX_BYTES) break
  }
  throw new Error('the event stream ended without server.connected')
}

function isConnected(line: string): boolean {
  if (!line.startsWith('data:')) return false
  try {
    const event: unknown = JSON.parse(line.slice('data:'.length))
    return typeof event === 'object' && event !== null && 'type' in event && event.type === 'server.connected'
  } catch {
    return false
  }
}

async function gatewayIsReady(baseUrl: URL, signal: AbortSignal): Promise<void> {
  const response = await fetch(new URL('/ready', baseUrl), { signal, redirect: 'error' })
  if (response.status === 200) return void (await response.body?.cancel())
  throw new Error(`/ready answers ${response.status}: ${(await response.text()).slice(0, 500)}`)
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}
