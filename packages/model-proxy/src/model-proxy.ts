import type { EngineModels, Log } from '@opencode-gateway/contracts'
import { Agent } from 'undici'
import { createAdmissions } from './admissions.ts'
import { answerCall, type Admit } from './answer-call.ts'
import { presentedToken } from './headers.ts'
import { defaultProxyLimits, type ProxyLimits } from './limits.ts'
import { listen, type Listener } from './listener.ts'
import type { Refusal } from './refusal.ts'
import type { Upstream } from './upstream.ts'

export interface ModelProxyOptions {
  /** By the name the engine has for the provider. */
  upstreams: ReadonlyMap<string, Upstream>
  limits?: Partial<ProxyLimits>
  log: Log
  /** For metrics. */
  onRefused?(why: Refusal): void
}

/** Stands between engines and model providers. */
export interface ModelProxy {
  /** Where engines call that share a machine with the gateway; a token tells which one calls. */
  listen(place: { host: string; port: number }): Promise<void>
  /** For the engines that call there. Needs `listen` before the first one is let in. */
  readonly engines: EngineModels
  /** A way in for the engine of one session: whoever connects there is that session. */
  openSocket(sessionId: string, path: string): Promise<{ close(): Promise<void> }>
  /** Breaks off the calls under way; idempotent. */
  close(): Promise<void>
}

export function createModelProxy({ upstreams, log, ...options }: ModelProxyOptions): ModelProxy {
  const limits = { ...defaultProxyLimits, ...options.limits }
  const dispatcher = new Agent({
    connect: { timeout: limits.connectTimeoutMs },
    connections: limits.maxConnections,
    headersTimeout: limits.silenceTimeoutMs,
    bodyTimeout: limits.silenceTimeoutMs,
  })
  const admissions = createAdmissions()
  const listeners = new Set<Listener>()
  const { onRefused = () => {} } = options
  const answering = { upstreams, dispatcher, limits, log, onRefused }
  let origin: string | undefined

  const open = async (place: Parameters<typeof listen>[0], admit: Admit): Promise<Listener> => {
    const listener = await listen(place, (request, response) => void answerCall(request, response, admit, answering))
    listeners.add(listener)
    return listener
  }

  return {
    async listen(place) {
      const { port } = await open(place, ({ headers }) => admissions.find(presentedToken(headers)) !== undefined)
      origin = `http://${place.host}:${port}`
    },
    engines: {
      admit(engine) {
        if (origin === undefined) throw new Error('the model proxy does not listen yet')
        const { token: apiKey, end } = admissions.add(engine)
        const names = [...upstreams.keys()]
        return {
          providers: Object.fromEntries(names.map((name) => [name, { baseURL: `${origin}/${name}`, apiKey }])),
          end,
        }
      },
      assign() {},
      release() {},
    },
    async openSocket(_sessionId, path) {
      const listener = await open({ path }, () => true)
      return {
        async close() {
          listeners.delete(listener)
          await listener.close()
        },
      }
    },
    async close() {
      await Promise.all([...listeners].map((listener) => listener.close()))
      await dispatcher.destroy()
    },
  }
}
