import type { IncomingMessage } from 'node:http'
import type { EngineModels, Log, ModelBudget, RunModels, UsageLog } from '@opencode-gateway/contracts'
import { createAccounts } from './accounts.ts'
import { createAdmissions } from './admissions.ts'
import { answerCall, type Caller } from './answer-call.ts'
import { checkProvider, type CheckedProvider, type CheckResult } from './check-provider.ts'
import { createConnections } from './connections.ts'
import { presentedToken } from './headers.ts'
import { defaultProxyLimits, type ProxyLimits } from './limits.ts'
import { listen, type Listener, type Place } from './listener.ts'
import { createHoldRoom } from './hold-room.ts'
import { createMeters } from './meters.ts'
import type { KeyBudgets } from './meters-options.ts'
import { readPrices, type ModelPrice } from './price.ts'
import type { Refusal } from './refusal.ts'
import { slotUpstreams } from './slots.ts'
import type { Upstream } from './upstream.ts'

export interface ModelProxyOptions {
  /** By the name the engine has for the provider. */
  upstreams: ReadonlyMap<string, Upstream>
  usageLog: UsageLog
  /** By "provider/model"; they come before those of an engine's catalogue. */
  prices?: ReadonlyMap<string, ModelPrice>
  /** What every session may use. */
  sessionBudget?: ModelBudget
  /** What every tenant may use on a day (UTC). */
  dayBudget?: ModelBudget
  /** What an API key may use besides; nothing is limited unless given. */
  budgetsOfKey?(keyId: string): KeyBudgets
  /** Whether anybody may raise what the tenant's keys may use, and what it may use on a day; nobody unless given. */
  isRaisable?(tenant: string): boolean
  /** Engines have the providers of `slotProviders` in their configuration. */
  slots?: boolean
  limits?: Partial<ProxyLimits>
  log: Log
  /** For metrics. */
  onRefused?(why: Refusal): void
}

/** Stands between engines and model providers. */
export interface ModelProxy {
  /** Where engines call that share a machine with the gateway; a token tells which one calls. */
  listen(place: { host: string; port: number }): Promise<void>
  /** Names of the providers it leads to. */
  readonly providers: readonly string[]
  /** For the engines that call there. Needs `listen` before the first one is let in. */
  readonly engines: EngineModels
  /** Runs that may call models: no other call is passed on. */
  readonly runs: RunModels
  /** A way in for the engine of one session: whoever connects there is that session. */
  openSocket(sessionId: string, path: string): Promise<{ close(): Promise<void> }>
  /** Calls a provider once, as a run would, to see whether it can be used; see `checkProvider`. */
  check(provider: CheckedProvider, signal: AbortSignal): Promise<CheckResult>
  /** Breaks off the calls under way; idempotent. */
  close(): Promise<void>
}

export function createModelProxy({ upstreams, log, ...options }: ModelProxyOptions): ModelProxy {
  const limits = { ...defaultProxyLimits, ...options.limits }
  const connections = createConnections(limits)
  const admissions = createAdmissions()
  const listeners = new Set<Listener>()
  const { onRefused = () => {} } = options
  const accounts = createAccounts()
  const prices = new Map(options.prices)
  const meters = createMeters({
    usageLog: options.usageLog,
    prices,
    sessionBudget: options.sessionBudget ?? {},
    dayBudget: options.dayBudget ?? {},
    budgetsOfKey: options.budgetsOfKey ?? (() => ({})),
    isRaisable: options.isRaisable ?? (() => false),
    holdRoom: createHoldRoom(limits.maxHeldBytes),
    patienceMs: limits.unreachedPatienceMs,
    log,
    now: Date.now,
  })
  const reachable = options.slots ? new Map([...upstreams, ...slotUpstreams]) : upstreams
  const providers = [...reachable.keys()]
  const answering = { upstreams: reachable, accounts, meters, connections, limits, log, onRefused }
  let origin: string | undefined

  const open = async (place: Place, identify: (request: IncomingMessage) => Caller | undefined): Promise<Listener> => {
    const listener = await listen(place, (request, response) => {
      answerCall(request, response, identify, answering).catch((err: unknown) => {
        log.error({ err }, 'a call of a model could not be answered')
        response.destroy()
      })
    })
    listeners.add(listener)
    return listener
  }

  return {
    providers,
    async listen(place) {
      const { port } = await open(place, ({ headers }) => {
        const engine = admissions.find(presentedToken(headers))
        return engine && { engine }
      })
      origin = `http://${place.host}:${port}`
    },
    engines: {
      admit(engine) {
        if (origin === undefined) throw new Error('the model proxy does not listen yet')
        const { token: apiKey, end } = admissions.add(engine)
        return {
          providers: Object.fromEntries(providers.map((name) => [name, { baseURL: `${origin}/${name}`, apiKey }])),
          end,
        }
      },
      assign: accounts.assign,
      release: accounts.release,
      know(catalogue) {
        for (const [model, price] of readPrices({ provider: catalogue })) {
          if (!prices.has(model)) prices.set(model, price)
        }
      },
    },
    runs: meters,
    async openSocket(sessionId, path) {
      const listener = await open({ path }, () => ({ sessionId }))
      return {
        async close() {
          listeners.delete(listener)
          await listener.close()
        },
      }
    },
    check(provider, signal) {
      const { checkTimeoutMs: timeoutMs, maxCheckBytes: maxAnswerBytes } = limits
      return checkProvider(provider, { upstreams, connections, timeoutMs, maxAnswerBytes }, signal)
    },
    async close() {
      await Promise.all([...listeners].map((listener) => listener.close()))
      connections.close()
    },
  }
}
