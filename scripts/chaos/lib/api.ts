import { setTimeout as sleep } from 'node:timers/promises'
import type { CancelResponse, EventFrame, EventPage, RunAccepted, SessionView } from '@opencode-gateway/contracts'
import { request } from 'undici'

export interface Api {
  /** Sends it until it is answered, whichever gateway answers; the idempotency key is the same each time. */
  post<Answer>(path: string, body: object, idempotencyKey: string): Promise<Answer>
  session(sessionId: string): Promise<SessionView>
  cancel(sessionId: string): Promise<CancelResponse>
  log(sessionId: string): Promise<readonly EventFrame[]>
  remove(sessionId: string): Promise<CancelResponse>
}

export type Accepted = Pick<RunAccepted, 'session_id' | 'run_id'>

export class UnexpectedAnswer extends Error {
  override name = 'UnexpectedAnswer'
}

const pauseMs = 50
const answerTimeoutMs = 30_000
/** Answers that ask to come again: too many requests, not yet or no longer there. */
const comeAgain = new Set([429, 503])

/** A client that does not mind when the gateway dies: it asks again, at the address of the next one. */
export function createApi(url: () => string, signal: AbortSignal): Api {
  async function call(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object, key?: string): Promise<unknown> {
    for (;;) {
      signal.throwIfAborted()
      const answer = await attempt(method, path, body, key)
      if (answer && answer.status >= 200 && answer.status < 300) return JSON.parse(answer.text)
      if (answer && !comeAgain.has(answer.status)) {
        throw new UnexpectedAnswer(`${method} ${path} was answered with ${answer.status}: ${answer.text}`)
      }
      await sleep(pauseMs, undefined, { signal })
    }
  }

  async function attempt(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    body: object | undefined,
    key: string | undefined,
  ): Promise<{ status: number; text: string } | undefined> {
    try {
      const answer = await request(`${url()}${path}`, {
        method,
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(key === undefined ? {} : { 'idempotency-key': key, prefer: 'respond-async' }),
        },
        body: body === undefined ? null : JSON.stringify(body),
        signal: AbortSignal.any([signal, AbortSignal.timeout(answerTimeoutMs)]),
      })
      return { status: answer.statusCode, text: await answer.body.text() }
    } catch {
      // Dead, or dying: whether it took the request, the next one will know by the key.
      return undefined
    }
  }

  return {
    post: async <Answer>(path: string, body: object, key: string) => (await call('POST', path, body, key)) as Answer,
    session: async (sessionId) => (await call('GET', `/sessions/${sessionId}`)) as SessionView,
    cancel: async (sessionId) => (await call('POST', `/sessions/${sessionId}/cancel`)) as CancelResponse,
    remove: async (sessionId) => (await call('DELETE', `/sessions/${sessionId}`)) as CancelResponse,
    async log(sessionId) {
      const events: EventFrame[] = []
      for (let after = 0; ;) {
        const page = (await call('GET', `/sessions/${sessionId}/events?limit=1000&after=${after}`)) as EventPage
        events.push(...page.events)
        if (page.events.length === 0 || page.next_after >= page.last_event_id) return events
        after = page.next_after
      }
    },
  }
}
