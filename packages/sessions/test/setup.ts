import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Log, LogEvent, RunModels, Store, UsageLog } from '@opencode-gateway/contracts'
import { createFakeExecutor, type FakeExecutor, type FakeExecutorOptions } from '@opencode-gateway/executor-testing'
import { createSqliteStore } from '@opencode-gateway/store-sqlite'
import { createSessions, type RunOrder, type Sessions, type SessionsLimits } from '../src/index.ts'

export const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }

export const tenant = 'tenant'

export const testLimits: SessionsLimits = {
  maxConcurrentRuns: 5,
  maxQueuedRuns: 100,
  maxQueuedRunsOfSession: 100,
  startTimeoutMs: 30_000,
  forkTimeoutMs: 30_000,
  idleTimeoutMs: 60_000,
  askTimeoutMs: 60_000,
  maxModelCalls: 20,
  cancelGraceMs: 5_000,
  eventRetentionMs: 3_600_000,
  workspaceRetentionMs: 3_600_000,
  sessionRetentionMs: 3_600_000,
  usageRetentionMs: 86_400_000,
  sweepIntervalMs: 60_000,
  mergeWindowMs: 40,
  mergeBytes: 4_096,
  maxOutputBytes: 1_000_000,
}

export interface Setup {
  store: Store & UsageLog
  executor: FakeExecutor
  sessions: Sessions
  limits: SessionsLimits
}

export interface SetupOptions {
  executor?: FakeExecutorOptions
  limits?: Partial<SessionsLimits>
  /** A database to go on with; else a new one. */
  file?: string
  models?: RunModels
  /** Do not start to dispatch. */
  paused?: boolean
}

/** A path for a database that is removed after the test. */
export async function databaseFile(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sessions-test-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  return join(directory, 'gateway.db')
}

/** The real store and the fake executor below the sessions; closed after the test. */
export async function setup(t: TestContext, options: SetupOptions = {}): Promise<Setup> {
  const file = options.file ?? (await databaseFile(t))
  const store = createSqliteStore({ file })
  const executor = createFakeExecutor(options.executor)
  const limits = { ...testLimits, ...options.limits }
  const executors = new Map([[executor.name, executor]])
  const sessions = createSessions({
    store,
    executors,
    log: silent,
    owner: `test-${process.pid}`,
    limits,
    models: options.models,
  })
  t.after(() => stop({ store, executor, sessions, limits }))
  await store.open()
  await executor.start(t.signal)
  if (options.paused !== true) await sessions.start(t.signal)
  return { store, executor, sessions, limits }
}

/** As a shutdown of the gateway does it. */
export async function stop({ sessions, executor, store }: Setup): Promise<void> {
  await sessions.close()
  await executor.close()
  await store.close()
}

export function prompt(text: string, more: Partial<Extract<RunOrder, { kind: 'prompt' }>> = {}): RunOrder {
  return { kind: 'prompt', prompt: text, timeoutMs: 60_000, ...more }
}

export async function begin(sessions: Sessions, text: string, more?: Parameters<typeof prompt>[1]) {
  const { session, run } = await sessions.create({ tenant, requestId: 'request', run: prompt(text, more) })
  if (!run) throw new Error('no run')
  return { session, run, sessionId: session.sessionId, runId: run.runId }
}

/** Follows the log from `after` until the session's runs have ended. */
export async function eventsUntilEnd(
  sessions: Sessions,
  sessionId: string,
  signal: AbortSignal,
  after = 0,
  limit = 100,
) {
  const events: LogEvent[] = []
  for await (const page of sessions.follow(tenant, sessionId, { after, limit, signal })) {
    events.push(...page.events)
    if (page.ended) break
  }
  return events
}

/** Follows the log until an event is there. */
export async function untilEvent(
  sessions: Sessions,
  sessionId: string,
  signal: AbortSignal,
  wanted: (event: LogEvent) => boolean,
): Promise<LogEvent> {
  for await (const page of sessions.follow(tenant, sessionId, { after: 0, limit: 100, signal })) {
    const found = page.events.find(wanted)
    if (found) return found
  }
  throw new Error('the log ended without the event')
}

export function textOf(events: readonly LogEvent[]): string {
  return events.map((event) => (event.type === 'output' && event.data.type === 'text' ? event.data.text : '')).join('')
}
