import Fastify from 'fastify'
import type { FastifyBaseLogger, FastifyError } from 'fastify'
import { createAnswerer } from './answer.ts'
import { createGates } from './gates.ts'
import { DEFAULT_SETUP_HINT } from './notice.ts'
import { createRecorder } from './recorder.ts'
import type { RecordedRequest } from './recorder.ts'
import { createWatch } from './watch.ts'

export interface ScriptedModelOptions {
  /** Ids for `GET /v1/models`, `scripted` unless given; a call for any model is answered. */
  readonly models?: readonly string[]
  /** How many requests to remember, 200 unless given. */
  readonly maxRecorded?: number
  /** The sentence that tells a first-time user how to get a real model. */
  readonly setupHint?: string
  readonly logger?: FastifyBaseLogger
}

export interface ScriptedModel {
  /** Starts to serve, on 127.0.0.1 and a free port unless given; resolves with the base URL, which ends in `/v1`. */
  listen(options?: { host?: string; port?: number }): Promise<string>
  /** The last requests, oldest first; a request's `state` changes while it is answered. */
  readonly requests: readonly RecordedRequest[]
  /** Resolves with the first remembered request, past or to come, that the predicate accepts, in whatever state. */
  waitForRequest(predicate: (request: RecordedRequest) => boolean, signal: AbortSignal): Promise<RecordedRequest>
  /** Resolves once a call is held at the gate. */
  waitForGate(name: string, signal: AbortSignal): Promise<void>
  /** Opens a gate for good: the calls it holds go on, later ones pass. */
  release(name: string): void
  /** Calls in flight. */
  open(): number
  /** Breaks off open answers, rejects waiters and stops serving; idempotent. */
  close(): Promise<void>
}

const BODY_LIMIT_BYTES = 64 * 1024 * 1024

export function createScriptedModel(options: ScriptedModelOptions = {}): ScriptedModel {
  const { models = ['scripted'], maxRecorded = 200, setupHint = DEFAULT_SETUP_HINT } = options
  const watch = createWatch()
  const gates = createGates(watch)
  const recorder = createRecorder({ maxRecorded, changed: watch.changed })
  const closing = new AbortController()
  const answerer = createAnswerer({ recorder, gates, setupHint, closing: closing.signal })
  const app = Fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    forceCloseConnections: true,
    // No route has a schema; what compiles them is larger than all of this.
    schemaController: { compilersFactory: { buildSerializer: () => () => JSON.stringify } },
    ...(options.logger ? { loggerInstance: options.logger } : {}),
  })

  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const { message, statusCode = 400 } = error
    request.log.warn({ err: error }, 'a request could not be read')
    return reply.code(statusCode).send({ error: { message, type: 'invalid_request_error', code: null } })
  })

  app.get('/v1/models', () => ({
    object: 'list',
    data: models.map((id) => ({ id, object: 'model', created: 0, owned_by: 'scripted-model' })),
  }))

  app.post<{ Params: { name: string } }>('/v1/gates/:name/release', (request, reply) => {
    gates.release(request.params.name)
    return reply.code(204).send()
  })

  app.post('/v1/chat/completions', async ({ body, headers, log }, reply) => {
    const request = answerer.read(body)
    reply.hijack()
    try {
      await answerer.answer({ request, body, headers, response: reply.raw })
    } catch (err) {
      log.error({ err }, 'a scripted answer broke')
    }
  })

  return {
    requests: recorder.requests,
    open: recorder.open,
    release: gates.release,
    async listen({ host = '127.0.0.1', port = 0 } = {}) {
      return `${await app.listen({ host, port })}/v1`
    },
    waitForRequest: (predicate, signal) => watch.until(() => recorder.requests.find(predicate), signal),
    async waitForGate(name, signal) {
      await watch.until(() => (gates.held(name) > 0 ? true : undefined), signal)
    },
    async close() {
      closing.abort(new Error('the scripted model is closed'))
      watch.close()
      await app.close()
    },
  }
}
