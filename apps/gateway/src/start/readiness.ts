import { randomUUID } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Executor, Log, Readiness, Store } from '@opencode-gateway/contracts'
import type { Sessions } from '@opencode-gateway/sessions'
import type { ExecutorStartup } from './executor-startup.ts'

type Checks = Readiness['checks']

export interface ReadinessChecks {
  /** The result of every check, at most a second old. Never throws. */
  check(): Promise<Checks>
}

export interface ReadinessOptions {
  store: Pick<Store, 'check'>
  executor: Pick<Executor, 'check'>
  sessions: Pick<Sessions, 'accepting'>
  startup: () => ExecutorStartup
  workspaceRoot: string
  /** Whether the gateway has begun to shut down. */
  draining: () => boolean
  log: Log
  /** Longest time a check may take, milliseconds. */
  deadlineMs?: number
}

/** Everybody may ask, and the answer costs a write and an engine session: those who ask together share one. */
const FRESH_MS = 1000

export function createReadiness(options: ReadinessOptions): ReadinessChecks {
  const { store, executor, sessions, startup, workspaceRoot, draining, log, deadlineMs = 10_000 } = options
  let latest: { at: number; checks: Promise<Checks> } | undefined
  const told = new Map<string, string>()

  /** Who waits for the gateway asks every second: the log has what changed, not every answer. */
  function note(name: string, { ok, reason = '' }: Checks['store']): void {
    if (ok && told.delete(name)) log.info({ check: name }, 'a readiness check passes again')
    if (ok || told.get(name) === reason) return
    told.set(name, reason)
    log.warn({ check: name, reason }, 'a readiness check failed')
  }

  async function executorCheck(signal: AbortSignal): Promise<void> {
    const state = startup()
    if (state.status === 'starting') throw new Error('the executor is starting')
    if (state.status === 'failed') throw new Error(`the executor did not start: ${state.reason}`)
    const health = await executor.check(signal)
    if (!health.ok) throw new Error(health.reason ?? 'the executor is not well')
  }

  async function accepting(): Promise<void> {
    if (draining() || !sessions.accepting()) throw new Error('the gateway is shutting down')
  }

  async function run(): Promise<Checks> {
    const measure = async (name: string, check: (signal: AbortSignal) => Promise<void>) => {
      const result = await timed(check, deadlineMs)
      note(name, result)
      return result
    }
    const [storeResult, workspace, executorResult, acceptingResult] = await Promise.all([
      measure('store', () => store.check()),
      measure('workspace', () => writeProbe(workspaceRoot)),
      measure('executor', executorCheck),
      measure('accepting', accepting),
    ])
    return { store: storeResult, workspace, executor: executorResult, accepting: acceptingResult }
  }

  return {
    check() {
      const at = performance.now()
      if (latest === undefined || at - latest.at > FRESH_MS || draining()) latest = { at, checks: run() }
      return latest.checks
    },
  }
}

async function timed(check: (signal: AbortSignal) => Promise<void>, deadlineMs: number): Promise<Checks['store']> {
  const begin = performance.now()
  const { promise: late, reject } = Promise.withResolvers<never>()
  const deadline = new AbortController()
  const timer = setTimeout(() => {
    const err = new Error(`no answer within ${deadlineMs} ms`)
    deadline.abort(err)
    reject(err)
  }, deadlineMs)
  const took = () => Math.round(performance.now() - begin)
  try {
    await Promise.race([check(deadline.signal), late])
    return { ok: true, duration_ms: took() }
  } catch (err) {
    return { ok: false, reason: err instanceof Error ? err.message : String(err), duration_ms: took() }
  } finally {
    clearTimeout(timer)
  }
}

/** A workspace root that cannot be written is worse than none: the check writes. */
async function writeProbe(directory: string): Promise<void> {
  const probe = join(directory, `.ready-${randomUUID()}`)
  await mkdir(directory, { recursive: true })
  await writeFile(probe, '')
  await rm(probe)
}
