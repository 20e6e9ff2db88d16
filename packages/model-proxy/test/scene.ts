import { setTimeout as sleep } from 'node:timers/promises'
import type { TestContext } from 'node:test'
import { noTotals } from '@opencode-gateway/contracts'
import type {
  Log,
  ModelBudget,
  ModelMeter,
  ModelStop,
  ModelUsage,
  ProviderAccess,
  RaisedLimit,
  ReachedLimit,
  UsageLog,
} from '@opencode-gateway/contracts'
import { createModelProxy, type ModelProxy, type ModelProxyOptions } from '../src/index.ts'
import { addTotals } from '../src/totals.ts'
import { createUpstream } from '../src/upstream.ts'

export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
}

export const KEY = 'key-of-the-provider'

export interface Scene {
  proxy: ModelProxy
  access: ProviderAccess
  refused: string[]
  /** What was stored. */
  stored: ModelUsage[]
  /** Of that, what is of calls. */
  answered(): ModelUsage[]
  /** Begins a run of the session; its reasons to stop are collected. */
  begin(run?: {
    runId?: string
    sessionId?: string
    budget?: ModelBudget
    resumed?: true
    keyId?: string
    /** It asks at a limit of its own, up to this. */
    asks?: ModelBudget
  }): Promise<ModelMeter & { stops: ModelStop[]; reached: ReachedLimit[]; freed(): number }>
  /** Calls the provider through the proxy, as an engine would. */
  call(
    path: string,
    options?: { token?: string; body?: string | Buffer; headers?: Record<string, string>; signal?: AbortSignal },
  ): Promise<Response>
}

export const SESSION = 'session'
export const ENGINE_SESSION = 'ses_root'
/** Sub-agents of that session: a child and its child. */
const parents: Readonly<Record<string, string>> = { ses_child: ENGINE_SESSION, ses_grandchild: 'ses_child' }

/** Keeps usage in memory. */
function createMemoryLog(stored: ModelUsage[], raised: readonly RaisedLimit[]): UsageLog {
  return {
    async addUsage(usage) {
      stored.push(usage)
    },
    async sumUsage(of) {
      const rows = stored.filter((row) => Object.entries(of).every(([name, value]) => Object(row)[name] === value))
      return rows.reduce(addTotals, noTotals)
    },
    listRaised: async ({ owner, id }) => raised.filter((row) => row.owner === owner && row.id === id),
    reportUsage: async () => [],
    dropUsage: async () => 0,
  }
}

/** A proxy in front of one provider, and an engine that was let in and works for a run. */
export async function startScene(
  t: TestContext,
  address: string,
  options: Partial<ModelProxyOptions> & { raised?: readonly RaisedLimit[] } = {},
): Promise<Scene> {
  const refused: string[] = []
  const stored: ModelUsage[] = []
  const proxy = createModelProxy({
    upstreams: new Map([['acme', createUpstream(address, { key: KEY, headers: { 'X-Config': 'of the operator' } })]]),
    log: silentLog,
    usageLog: createMemoryLog(stored, options.raised ?? []),
    onRefused: (why) => refused.push(why),
    ...options,
  })
  t.after(() => proxy.close())
  await proxy.listen({ host: '127.0.0.1', port: 0 })
  const { providers } = proxy.engines.admit({ parentOf: async (id) => parents[id] })
  const access = providers['acme']
  if (!access) throw new Error('the provider is not there')
  proxy.engines.assign(ENGINE_SESSION, SESSION)
  return {
    proxy,
    stored,
    answered: () => stored.filter(({ calls }) => calls > 0),
    async begin({ runId = 'run', sessionId = SESSION, budget = {}, asks, ...rest } = {}) {
      const more = asks === undefined ? rest : { ...rest, raisableTo: asks }
      const reached: ReachedLimit[] = []
      const stops: ModelStop[] = []
      let freed = 0
      const meter = await proxy.runs.begin(
        { runId, sessionId, tenant: 'tenant', budget, ...more },
        (why) => stops.push(why),
        (limit) => {
          if (limit) reached.push(limit)
          else freed += 1
        },
      )
      return { ...meter, stops, reached, freed: () => freed }
    },
    access,
    refused,
    call: (path, { token = access.apiKey, body = '{"model":"m"}', headers = {}, signal = t.signal } = {}) =>
      fetch(access.baseURL + path, {
        method: 'POST',
        signal,
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          'x-session-id': ENGINE_SESSION,
          ...headers,
        },
        body: typeof body === 'string' ? body : new Uint8Array(body),
      }),
  }
}

/** Settles once the condition holds; the test's own time limit is its deadline. */
export async function eventually(t: TestContext, holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(5, undefined, { signal: t.signal })
}
