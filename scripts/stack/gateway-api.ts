import { setTimeout as sleep } from 'node:timers/promises'
import type { SessionSummary, SessionView } from '@opencode-gateway/contracts'

/** What a command in a workspace left. */
export interface ShellResult {
  exitCode: number | null
  output: string
}

/** The calls of a gateway that the scripts make. Each has a deadline, and throws when the answer is not the expected one. */
export interface GatewayApi {
  get(path: string): Promise<unknown>
  /** How often it refused new work because it lagged; each time it was asked again. */
  refused(): number
  /** Ids of those of this key that are not closed; the newest 200 sessions are looked at. */
  openSessions(): Promise<readonly string[]>
  makeSession(): Promise<string>
  session(id: string): Promise<SessionView>
  shell(id: string, command: string): Promise<ShellResult>
  /** Settles once the command is at work. */
  begin(id: string, command: string): Promise<void>
  /** Settles with the receipt. */
  cancel(id: string): Promise<Record<string, unknown>>
  remove(id: string): Promise<void>
  /** Reads the session's stream to its end; settles with the number of its events. */
  readStream(id: string): Promise<{ events: number; complete: number }>
}

export interface GatewayApiOptions {
  baseUrl: URL
  apiKey: string | undefined
  timeoutMs: number
  signal: AbortSignal
}

const AGAIN_AFTER_MS = 500

/** fetch says "fetch failed", and what did in its cause. */
function reasonOf(error: unknown): string {
  const { cause } = Object(error) as { cause?: unknown }
  return cause instanceof Error ? cause.message || String(Object(cause).code) : String(Object(error).message)
}

export function createGatewayApi({ baseUrl, apiKey, timeoutMs, signal }: GatewayApiOptions): GatewayApi {
  let refused = 0

  async function send(
    method: string,
    path: string,
    body?: object,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
    for (;;) {
      const response = await fetch(new URL(path, baseUrl), {
        method,
        headers: {
          ...headers,
          ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        redirect: 'error',
        signal: deadline,
      }).catch((error: unknown) => {
        throw new Error(`${method} ${new URL(path, baseUrl).href} got no answer: ${reasonOf(error)}`, { cause: error })
      })
      if (response.ok) return response
      const text = await response.text()
      if (response.status !== 503 || !text.includes('"code":"OVERLOADED"'))
        throw new Error(`${method} ${path} was answered with ${response.status}: ${text.slice(0, 1000)}`)
      // Nothing of it was begun: it is to be asked again.
      refused += 1
      await sleep(AGAIN_AFTER_MS, undefined, { signal: deadline })
    }
  }

  /** A page of something that stands between is no answer, whatever its status. */
  async function json(response: Response): Promise<Record<string, unknown>> {
    const text = await response.text()
    const type = response.headers.get('content-type') ?? 'nothing'
    if (!/^application\/(\w+\+)?json/.test(type)) throw new Error(`${response.url} answers ${type}, not JSON`)
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) throw new Error(`${response.url} answers "${text.slice(0, 200)}"`)
    return { ...value }
  }

  return {
    refused: () => refused,
    get: async (path) => await json(await send('GET', path)),
    async openSessions() {
      const { sessions } = await json(await send('GET', '/sessions?limit=200'))
      if (!Array.isArray(sessions)) throw new Error('GET /sessions gave no sessions')
      return sessions.flatMap((session: SessionSummary) => (session.closed ? [] : [session.session_id]))
    },
    async makeSession() {
      const { session_id: id } = await json(await send('POST', '/sessions', {}))
      if (typeof id !== 'string') throw new Error('POST /sessions gave no session_id')
      return id
    },
    session: async (id) => (await json(await send('GET', `/sessions/${id}`))) as unknown as SessionView,
    async shell(id, command) {
      const waiting = { prefer: `wait=${Math.max(1, Math.floor(timeoutMs / 1000) - 1)}` }
      const answer = await json(await send('POST', `/sessions/${id}/shell`, { command }, waiting))
      const { exit_code: exitCode, output, stdout } = answer
      if (typeof exitCode !== 'number')
        throw new Error(`"${command}" has no exit code: ${JSON.stringify(answer).slice(0, 1000)}`)
      return { exitCode, output: String(stdout ?? output) }
    },
    async begin(id, command) {
      await (await send('POST', `/sessions/${id}/shell`, { command })).body?.cancel()
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
      while ((await json(await send('GET', `/sessions/${id}/status`)))['status'] !== 'running')
        await sleep(50, undefined, { signal: deadline })
    },
    async cancel(id) {
      const { receipt } = await json(await send('POST', `/sessions/${id}/cancel`, {}))
      if (typeof receipt !== 'object' || receipt === null) throw new Error('a cancel gave no receipt')
      return { ...receipt }
    },
    async remove(id) {
      await (await send('DELETE', `/sessions/${id}`)).body?.cancel()
    },
    async readStream(id) {
      const response = await send('GET', `/sessions/${id}/stream`, undefined, { accept: 'text/event-stream' })
      const text = await response.text()
      return {
        events: (text.match(/^id: \d+$/gm) ?? []).length,
        complete: (text.match(/^event: complete$/gm) ?? []).length,
      }
    },
  }
}
