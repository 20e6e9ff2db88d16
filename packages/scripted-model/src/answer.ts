import { createHash, randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { createBoundedMap } from './bounded-map.ts'
import { readChatRequest } from './chat-request.ts'
import type { ChatRequest } from './chat-request.ts'
import { readConversation } from './conversation.ts'
import { decideTurn } from './decide.ts'
import { echoRequest } from './echo.ts'
import { createFaultCounter } from './faults.ts'
import type { Gates } from './gates.ts'
import type { Place } from './place.ts'
import { play } from './play.ts'
import type { Recorder } from './recorder.ts'
import { createJsonSink, createStreamSink } from './sinks.ts'

export interface AnswererOptions {
  readonly recorder: Recorder
  readonly gates: Gates
  readonly setupHint: string
  /** Aborts when the server closes. */
  readonly closing: AbortSignal
}

export interface Answerer {
  /** Reads a body; throws on one that is no chat completion request. */
  read(body: unknown): ChatRequest
  /** Answers a request to the end; rejects when the answer breaks for another reason than its client or a closing. */
  answer(call: {
    request: ChatRequest
    body: unknown
    headers: IncomingHttpHeaders
    response: ServerResponse
  }): Promise<void>
}

const MAX_PLACES = 1000

export function createAnswerer({ recorder, gates, setupHint, closing }: AnswererOptions): Answerer {
  const faults = createFaultCounter()
  const places = createBoundedMap<Place>(MAX_PLACES)
  return {
    read: readChatRequest,
    async answer({ request, body, headers, response }) {
      const conversation = readConversation(request)
      const { kind, prompt, turn: number } = conversation
      const { recorded, settle } = recorder.add({ headers, body, request, conversation })
      const session = recorded.sessionId ?? ''
      const turn = decideTurn(conversation, { place: places.get(session), setupHint })
      if (kind === 'turn') places.set(session, { prompt, turn: number })

      const left = new AbortController()
      response.once('close', () => left.abort(new Error('the client left')))
      const signal = AbortSignal.any([left.signal, closing])
      const createSink = request.stream ? createStreamSink : createJsonSink
      const { model, includeUsage } = request
      const sink = createSink({ response, id: `chatcmpl-${randomUUID()}`, model, includeUsage, signal })
      const key = createHash('sha256').update(`${session}\n${number}\n${prompt}`).digest('hex')
      try {
        const fault = kind === 'turn' ? faults.next(key, turn) : undefined
        const passGate = (name: string): Promise<void> => gates.pass(name, signal)
        const echo = (fields: readonly string[]): string => echoRequest(fields, recorded)
        const state = await play({ turn, fault, sink, signal, passGate, echo })
        if (kind === 'turn' && state === 'answered') places.set(session, { prompt, turn: number + 1 })
        settle(state)
      } catch (error) {
        settle(signal.aborted ? 'aborted' : 'failed')
        response.destroy()
        if (!signal.aborted) throw error
      }
    },
  }
}
