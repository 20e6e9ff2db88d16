import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Executor, Store, UsageLog } from '@opencode-gateway/contracts'
import { createScriptedModel } from '@opencode-gateway/scripted-model'
import { createSessions, type CrashPoint, type Sessions } from '@opencode-gateway/sessions'
import { createSqliteStore } from '@opencode-gateway/store-sqlite'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { buildApp } from './app.ts'
import type { Config, Secrets } from './config.ts'
import { keepStreamTokenKey } from './start/stream-token-key.ts'
import { startExecutor, type ExecutorStartup } from './start/executor-startup.ts'
import { engineHealth } from './start/engine-health.ts'
import { executors } from './executors.ts'
import { noSecrets } from './settings/engine-settings.ts'
import { createEgress } from './settings/egress.ts'
import { keyBudgets } from './settings/key-budgets.ts'
import { createModelAccess, refuseStraight, type ModelAccess } from './settings/model-access.ts'
import { modelParts } from './providers/model-parts.ts'
import { resealProviderKeys } from './providers/reseal.ts'
import { workspaceSettings } from './settings/workspace-settings.ts'
import { freeAll, type Free } from './start/free-all.ts'
import { makeDirectory } from './start/make-directory.ts'
import { buildMetricsServer } from './metrics/metrics-server.ts'
import { createMetrics } from './metrics/metrics.ts'
import { sessionsLimits } from './settings/sessions-limits.ts'
import { shutdownPlan } from './start/shutdown-plan.ts'

export interface GatewayOptions {
  config: Config
  secrets: Secrets
  log: FastifyBaseLogger
}

/** The whole gateway, from its configuration. */
export interface Gateway {
  /** Opens the store and listens; settles with the address. The executor goes on starting behind it. */
  start(): Promise<string>
  /** Rejects with what makes it useless to go on: an executor that can never start. */
  readonly fatal: Promise<never>
  /**
   * Takes no new work, waits for runs as long as the grace time allows, ends streams, lets go of what still runs, and
   * frees everything, within the grace time as a whole. Idempotent.
   */
  stop(): Promise<void>
}

interface Parts {
  store: Store
  executor: Executor
  sessions: Sessions
  app: FastifyInstance
  /** Serves the metrics, where they have a port of their own. */
  metricsServer: FastifyInstance | undefined
}

export function createGateway({ config, secrets, log }: GatewayOptions): Gateway {
  const fatal = Promise.withResolvers<never>()
  const stopping = new AbortController()
  const steps: Free[] = []
  const plan = shutdownPlan(config.shutdownGraceMs)
  const metrics = createMetrics({ process: true })
  let startup: ExecutorStartup = { status: 'starting' }
  let parts: Parts | undefined
  let background: Promise<void> = Promise.resolve()
  let stopped: Promise<void> | undefined
  // Whoever does not listen for it is not to be ended by it.
  fatal.promise.catch(() => {})

  async function make(): Promise<Parts> {
    await makeDirectory(config.dataDir)
    await makeDirectory(config.workspaceRoot)
    const store = createSqliteStore({ file: join(config.dataDir, 'gateway.db'), log })
    await store.open()
    steps.push(() => store.close())
    if (secrets.sealing) await resealProviderKeys(store, secrets.sealing, log)
    const access = await openModelAccess(store)
    const egress = createEgress(config, { log, observe: metrics.egress.passed })
    if (egress) steps.push(() => egress.close())
    const executor = await executors[config.executor]({
      dataDir: config.dataDir,
      workspaceRoot: config.workspaceRoot,
      workspaces: workspaceSettings({ ...config, credentials: secrets.gitCredentials, sealing: secrets.sealing }),
      path: config.path,
      server: config.server,
      permissions: config.permissions,
      cancelGraceMs: config.limits.cancelGraceMs,
      recycle: config.recycle,
      engine: { ...access.forExecutor, openEgress: egress?.openSocket },
      docker: config.docker,
      secrets,
      log,
    })
    steps.push((hurry) => executor.close(hurry))
    const limits = sessionsLimits(config)
    const { keys, sealing } = secrets
    const { ofSessions, ofApp } = modelParts({ config, sealing, store, access })
    const sessions = createSessions({
      store,
      executors: new Map([[executor.name, executor]]),
      log,
      owner: randomUUID(),
      limits,
      ...ofSessions,
      observe: metrics.runs.observe,
      crashPoint: crashAt(config.crashAt),
    })
    steps.push(() => sessions.close())
    const state = { startup: () => startup, draining: () => stopping.signal.aborted }
    const directProviders = access.straight.map(({ provider }) => provider)
    const streamTokenKey = await keepStreamTokenKey(config.dataDir)
    const given = {
      config,
      keys,
      sealing,
      streamTokenKey,
      sessions,
      executor,
      store,
      log,
      metrics,
      directProviders,
      ...ofApp,
    }
    const app = await buildApp({ ...given, ...state })
    steps.push(() => app.close())
    return { store, executor, sessions, app, metricsServer: await makeMetricsServer(executor, sessions) }
  }

  async function makeMetricsServer(executor: Executor, sessions: Sessions): Promise<FastifyInstance | undefined> {
    if (config.metricsPort === undefined) return undefined
    const health = () => engineHealth({ executor, startup: () => startup })
    const server = await buildMetricsServer({ metrics, health, load: sessions.load, log })
    steps.push(() => server.close())
    return server
  }

  async function openModelAccess(usageLog: UsageLog): Promise<ModelAccess> {
    const scriptedModelUrl = config.model.scripted ? await listenScripted() : undefined
    // An engine that somebody else runs has its own providers.
    const own = config.server.url === undefined ? secrets : noSecrets
    const { sessionBudget, dayBudget } = config.limits
    const access = createModelAccess({
      secrets: own,
      model: config.model.default,
      scriptedModelUrl,
      usageLog,
      sessionBudget,
      dayBudget,
      ...keyBudgets(secrets.keys),
      endpointHosts: config.model.endpointHosts,
      log,
      onRefused: metrics.models.refused,
    })
    steps.push(() => access.proxy.close())
    if (config.executor === 'docker') refuseStraight(access.straight)
    await access.proxy.listen({ host: '127.0.0.1', port: config.modelProxyPort })
    return access
  }

  async function listenScripted(): Promise<string> {
    // Nobody here looks at what it was asked; remembered, that would be whole conversations in memory.
    const model = createScriptedModel({ maxRecorded: 0 })
    steps.push(() => model.close())
    return model.listen()
  }

  async function startWork({ executor, sessions }: Parts): Promise<void> {
    const { signal } = stopping
    const onChange = (change: ExecutorStartup) => {
      startup = change
    }
    try {
      await startExecutor({ executor, log, signal, onChange })
      await sessions.start(signal)
      log.info({ executor: executor.name }, 'ready')
    } catch (err) {
      if (!signal.aborted) fatal.reject(err)
    }
  }

  async function drain(signal: AbortSignal): Promise<void> {
    try {
      await background
      await parts?.sessions.drain(signal)
    } catch (err) {
      const why = signal.aborted ? { drainMs: plan.drainMs } : { err }
      log.warn(why, 'runs still work after their share of the grace time and are left to the next start')
    }
  }

  async function shutDown(): Promise<void> {
    stopping.abort(new Error('the gateway stops'))
    const deadline = AbortSignal.timeout(plan.drainMs)
    // What is starting ends with the first signal; should it not, closing must not wait for it.
    await Promise.race([drain(deadline), once(deadline, 'abort')])
    await freeAll(steps.toReversed(), AbortSignal.timeout(plan.hurryMs), log)
  }

  return {
    fatal: fatal.promise,
    async start() {
      parts = await make()
      const { host, port, metricsPort } = config
      const metricsAddress = await parts.metricsServer?.listen({ host, port: metricsPort ?? 0 })
      if (metricsAddress !== undefined) log.info({ metricsAddress }, 'metrics are served')
      const address = await parts.app.listen({ host, port })
      background = startWork(parts)
      return address
    },
    stop: () => (stopped ??= shutDown()),
  }
}

/** A test kills the process at a named place, as a crash would: nothing is flushed, nothing is freed. */
function crashAt(place: Config['crashAt']): (name: CrashPoint) => void {
  return (name) => {
    if (name === place) process.kill(process.pid, 'SIGKILL')
  }
}
