import assert from 'node:assert/strict'
import {
  CancelReceipt,
  Detached,
  type AgentEvent,
  type AgentSession,
  type RunInput,
  type RunOutcome,
  type RunProgress,
} from '@opencode-gateway/contracts'
import { shapeProblem } from '@opencode-gateway/contracts/shape'
import { readEvents } from '../event-source.ts'
import { agentEventOf, outcomeOf } from './fold.ts'
import { fields, type RestApi } from './rest-api.ts'

/** A session of the gateway as an agent session: every call is a request, and a run is read from its event stream. */
export function createRestSession(api: RestApi, sessionId: string): AgentSession {
  const path = `/sessions/${sessionId}`
  /** The request that starts a run, so that a cancellation right after it is not there before it. */
  let starting: Promise<unknown> = Promise.resolve()

  async function cancel(): Promise<CancelReceipt> {
    await starting.catch(() => undefined)
    const { body } = await api.request('POST', `${path}/cancel`)
    return receiptOf(body['receipt'])
  }

  async function start(input: RunInput): Promise<Place> {
    const { body: status } = await api.request('GET', `${path}/status`)
    const { body } = await api.request('POST', `${path}/${input.kind === 'prompt' ? 'messages' : 'shell'}`, {
      body: { ...bodyOf(input), on_busy: 'reject' },
    })
    return { runId: String(body['run_id']), after: Number(status['last_event_id']) }
  }

  /** Reads the run from its place in the log to its end; an abort cancels it, and the end is read all the same. */
  async function* watch({ runId, after }: Place, signal: AbortSignal): AsyncGenerator<AgentEvent, void, undefined> {
    const leaving = new AbortController()
    let cancelled: Promise<unknown> | undefined
    let ended = false
    const aborted = (): void => {
      if (isDetached(signal)) leaving.abort(signal.reason)
      else (cancelled ??= cancel()).catch(() => undefined)
    }
    signal.addEventListener('abort', aborted)
    if (signal.aborted) aborted()
    try {
      const lastId = { 'last-event-id': String(after) }
      await using reader = await readEvents(`${api.url}${path}/stream`, leaving.signal, { headers: lastId })
      for (;;) {
        const frame = await reader.next()
        assert.ok(frame, 'the stream ended before the run')
        if (frame.data['run_id'] !== runId) continue
        if (frame.event === 'complete') {
          ended = true
          await cancelled
          return yield { type: 'outcome', outcome: outcomeOf(frame) }
        }
        const event = agentEventOf(frame)
        if (event) yield event
      }
    } catch (error) {
      if (!isDetached(signal)) throw error
    } finally {
      signal.removeEventListener('abort', aborted)
      if (!ended && !isDetached(signal)) await (cancelled ?? cancel())
    }
  }

  /** The run that was begun last, and its place after as many of its events as were seen; undefined without a run. */
  async function placeAfter({ events }: RunProgress): Promise<Place | undefined> {
    const { body: session } = await api.request('GET', path)
    const { run_id: runId } = session
    if (typeof runId !== 'string') return undefined
    const place = { runId, after: 0 }
    for (let seen = 0; seen < events.length;) {
      const { body: page } = await api.request('GET', `${path}/events?after=${place.after}&limit=1000`)
      const frames = [page['events']].flat().map(fields)
      assert.notEqual(frames.length, 0, `${events.length} events were seen, the log has ${seen}`)
      for (const { id, event, data } of frames) {
        const body = agentEventOf({ id: Number(id), event: String(event), data: fields(data) })
        if (body && fields(data)['run_id'] === runId) {
          assert.deepEqual(body, events[seen], 'what was seen is not what the log has')
          seen += 1
        }
        place.after = Number(id)
        if (seen === events.length) break
      }
    }
    return place
  }

  async function* play(
    place: () => Promise<Place | undefined>,
    signal: AbortSignal,
  ): AsyncGenerator<AgentEvent, void, undefined> {
    if (signal.aborted) {
      if (!isDetached(signal)) yield { type: 'outcome', outcome: notBegun('RUN_CANCELLED') }
      return
    }
    const placed = place()
    starting = placed
    const found = await placed
    if (found === undefined) yield { type: 'outcome', outcome: notBegun('RUN_INTERRUPTED') }
    else yield* watch(found, signal)
  }

  return {
    ref: { executor: 'gateway', session_id: sessionId },
    // A client has no directory; where to find the work is the address.
    workspacePath: `${api.url}${path}`,
    run: (input, { signal }) => play(() => start(input), signal),
    resume: (progress, { signal }) =>
      underWay(
        play(() => placeAfter(progress), signal),
        cancel,
      ),
    async answer(askId, answer) {
      await api.request('POST', `${path}/asks/${encodeURIComponent(askId)}`, { body: { ...answer } })
    },
    steer: () => Promise.reject(new Error('a client does not steer: the gateway does, when a run is to wrap up')),
    cancel,
    async release() {
      await api.request('DELETE', path)
    },
  }
}

/** A generator that has not begun ends without a word: the run that it would have told of is cancelled then. */
function underWay(events: AsyncGenerator<AgentEvent, void>, cancel: () => Promise<unknown>): AsyncIterable<AgentEvent> {
  let begun = false
  return {
    [Symbol.asyncIterator]: () => ({
      next() {
        begun = true
        return events.next()
      },
      async return() {
        if (!begun) await cancel()
        return await events.return()
      },
    }),
  }
}

/** Where the events of a run begin in the log of its session. */
interface Place {
  runId: string
  after: number
}

function bodyOf(input: RunInput): Record<string, unknown> {
  if (input.kind === 'shell') return { command: input.command }
  const { prompt, model, agent, systemPrompt, outputSchema, permissions, interactive } = input
  // What is undefined is left out of JSON.
  return { prompt, model, agent, system_prompt: systemPrompt, output_schema: outputSchema, permissions, interactive }
}

const isDetached = (signal: AbortSignal): boolean => signal.aborted && signal.reason instanceof Detached

function receiptOf(value: unknown): CancelReceipt {
  const isReceipt = (receipt: unknown): receipt is CancelReceipt => shapeProblem(CancelReceipt, receipt) === undefined
  assert.ok(isReceipt(value), `no receipt: ${JSON.stringify(value)}`)
  return value
}

function notBegun(code: 'RUN_CANCELLED' | 'RUN_INTERRUPTED'): RunOutcome {
  return {
    status: code === 'RUN_CANCELLED' ? 'cancelled' : 'interrupted',
    finalMessage: '',
    error: { code, message: 'the gateway has not been sent it', retryable: code === 'RUN_INTERRUPTED' },
    usage: {
      tokens: { input: 0, output: 0, reasoning: 0, cache_read: 0, cache_write: 0 },
      cost_usd: null,
      model_calls: 0,
    },
    evidence: { checks: [], checked_at: new Date().toISOString() },
  }
}
