import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Executor, ProviderStore, Store, UsageLog, Workspaces } from '@opencode-gateway/contracts'
import { createFakeExecutor, type FakeExecutor, type FakeExecutorOptions } from '@opencode-gateway/executor-testing'
import { createSessions, type Sessions } from '@opencode-gateway/sessions'
import { createSqliteStore } from '@opencode-gateway/store-sqlite'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { buildApp, type AppOptions } from '../src/app.ts'
import { readEnv, type Config } from '../src/config.ts'
import type { Environment } from '../src/config/reader.ts'
import { createMetrics } from '../src/metrics/metrics.ts'
import { modelParts, type ModelParts, type ModelPartsOptions } from '../src/providers/model-parts.ts'
import { createProviderConfigs } from '../src/providers/provider-configs.ts'
import { sessionsLimits } from '../src/settings/sessions-limits.ts'
import type { Lifetime } from './scope.ts'

export interface Gateway {
  url: string
  app: FastifyInstance
  config: Config
  executor: FakeExecutor
  sessions: Sessions
  store: Store & ProviderStore & UsageLog
  /** As at the end of the process; done by itself after the test. */
  close(): Promise<void>
  /** Lines of the log so far. */
  logged(): string
  /** A request; the default headers say JSON when there is a body. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
}

export interface Answer {
  status: number
  headers: Headers
  text: string
  /** The body as JSON; fails the test when it is none. */
  json(): Record<string, unknown>
}

export interface GatewayOptions {
  env?: Environment
  executor?: FakeExecutorOptions
  app?: Partial<AppOptions>
  /** Puts something between the sessions and the executor. */
  wrap?(executor: FakeExecutor): Executor
  /** Where the files of sessions are; the fake executor has none. */
  workspaces?: Workspaces
  /** A proxy to call models through; none unless given. */
  access?: ModelPartsOptions['access']
  /** Directory with the data of a gateway before; else a new one. */
  dataDir?: string
}

/** The real app over real HTTP, on the real store and the fake executor; closed after the test. */
export async function startGateway(t: Lifetime, options: GatewayOptions = {}): Promise<Gateway> {
  const dataDir = options.dataDir ?? (await temporaryDirectory(t))
  const { config, secrets } = configOf({ DATA_DIR: dataDir, LOG_LEVEL: 'debug', ...options.env })
  const lines: string[] = []
  const log = pino({ level: config.logLevel }, { write: (line: string) => void lines.push(line) })
  const store = createSqliteStore({ file: join(dataDir, 'gateway.db'), log })
  const metrics = createMetrics({ process: false })
  const executor = {
    ...createFakeExecutor({ name: 'fake', ...options.executor }),
    ...(options.workspaces === undefined ? {} : { workspaces: options.workspaces }),
  }
  const sealing = options.app?.sealing ?? secrets.sealing
  const { ofSessions, ofApp } = partsOf(options, { config, sealing, store })
  const sessions = createSessions({
    store,
    executors: new Map([[executor.name, options.wrap?.(executor) ?? executor]]),
    log,
    owner: 'test',
    limits: sessionsLimits(config),
    observe: metrics.runs.observe,
    ...ofSessions,
  })
  const given = { config, keys: secrets.keys, sealing, sessions, executor, store, log, metrics, ...ofApp }
  const app = await buildApp({ ...given, ...options.app })
  const close = async () => {
    await app.close()
    await sessions.close()
    await executor.close()
    await store.close()
  }
  t.after(close)
  await store.open()
  await executor.start(t.signal)
  await sessions.start(t.signal)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  return {
    url,
    app,
    config,
    executor,
    sessions,
    store,
    close,
    logged: () => lines.join(''),
    call: callOf(t, url),
  }
}

function partsOf({ access }: GatewayOptions, given: Omit<ModelPartsOptions, 'access'>): ModelParts {
  if (access) return modelParts({ ...given, access })
  const { endpointHosts, providerLimits: limits } = given.config.model
  return { ofSessions: {}, ofApp: { providers: createProviderConfigs({ ...given, endpointHosts, limits }) } }
}

export function configOf(env: Environment) {
  const result = readEnv(env, {
    cwd: '/',
    home: '/',
    exists: () => false,
    readText: () => '',
    obstacle: () => undefined,
  })
  if (result.status === 'invalid') assert.fail(JSON.stringify(result.problems))
  return result
}

export async function temporaryDirectory(t: Lifetime): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'gateway-test-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/** Requests to a gateway, wherever it runs. */
export function callOf(t: Lifetime, url: string): Gateway['call'] {
  return (method, path, body, headers) => call(t, `${url}${path}`, method, body, headers)
}

async function call(
  t: Lifetime,
  url: string,
  method: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const plain = typeof body === 'string' || body instanceof Uint8Array
  const response = await fetch(url, {
    method,
    signal: t.signal,
    headers: { ...(body === undefined || plain ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: plain ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    text,
    json() {
      const value: unknown = JSON.parse(text)
      assert.ok(typeof value === 'object' && value !== null)
      return { ...value }
    },
  }
}

/** Settles once the condition holds; the test's own time limit is its deadline. */
export async function eventually(t: Lifetime, holds: () => boolean | Promise<boolean>): Promise<void> {
  // What takes seconds need not be asked about two hundred times in each: that keeps a processor from getting there.
  for (let delayMs = 5; !(await holds()); delayMs = Math.min(delayMs * 1.2, 50))
    await sleep(delayMs, undefined, { signal: t.signal })
}
