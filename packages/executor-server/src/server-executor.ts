import type { AgentSession, Executor, ExecutorHealth, Log, SweepReport } from '@opencode-gateway/contracts'
import { agentOptions, ExecutorError, modelOptions, repositoryOptions } from '@opencode-gateway/contracts'
import { stopLimits, unattended } from '@opencode-gateway/opencode'
import type { EngineLease, SessionPlace } from '@opencode-gateway/opencode'
import { createDirectories, createWorkspaces } from '@opencode-gateway/workspaces'
import { createEmbeddedEngine } from './embedded-engine.ts'
import type { EngineSource } from './engine-source.ts'
import { createHealthCheck } from './health-check.ts'
import type { ServerExecutorOptions } from './options.ts'
import { createRemoteEngine } from './remote-engine.ts'
import { createServerSession, type ServerSessionOptions } from './server-session.ts'
import { createSessionProcesses } from './session-processes.ts'
import { shellPlace } from './shell-place.ts'

const RELEASE_TIMEOUT_MS = 15_000

/** One OpenCode server for all sessions: its own, started and supervised here, or one that runs elsewhere. */
export function createServerExecutor(options: ServerExecutorOptions): Executor {
  const { log, workspaceRoot } = options
  const directories = createDirectories(workspaceRoot)
  const workspaces = createWorkspaces({ directories, ...options.workspaces })
  const source = createSource(options)
  const models = options.remote ? undefined : options.embedded?.models
  const common = {
    source,
    directories,
    log,
    releaseTimeoutMs: RELEASE_TIMEOUT_MS,
    onReleased: (engineSessionId: string) => models?.release(engineSessionId),
  }
  const health = createHealthCheck({ source, directory: workspaceRoot })

  const placeOf = (sessionId: string, directory: string): SessionPlace => {
    const shell = shellPlace(directories, sessionId)
    const { mark: engineMark } = source
    if (engineMark === undefined) return { directory, shell }
    return { directory, shell, processes: createSessionProcesses({ engineMark, sessionMark: shell.mark, directory }) }
  }

  const hold = (held: Omit<ServerSessionOptions, keyof typeof common> & { log: Log }): AgentSession => {
    models?.assign(held.session.engineSessionId, held.sessionId)
    return createServerSession({ ...common, ...held })
  }

  return {
    name: 'server',
    capabilities: {
      isolation: 'none',
      shell: true,
      followUps: true,
      survivesRestart: source.mode === 'remote',
      options: [
        ...agentOptions,
        ...(options.workspaces?.git ? repositoryOptions : []),
        ...(models ? modelOptions : []),
      ],
    },
    async start(signal) {
      await directories.prepare()
      await workspaces.clearLeftovers(log)
      await source.start(signal)
    },
    check: (signal): Promise<ExecutorHealth> => health(signal),
    workspaces,
    async open({ sessionId, title, fill = {}, onGit = () => {} }, ctx) {
      const { signal, log } = ctx
      signal.throwIfAborted()
      const { path, made } = await workspaces.open(sessionId, fill, ctx, onGit)
      const place = placeOf(sessionId, path)
      let lease: EngineLease | undefined
      try {
        lease = await source.acquire(signal, place.directory)
        const { client } = lease
        const session = await client.openSession({ ...place, title }, signal)
        return hold({ log, sessionId, place, client, session })
      } catch (error) {
        if (made) await directories.remove(sessionId)
        throw error
      } finally {
        lease?.release()
      }
    },
    async fork({ sessionId: from, ref }, { sessionId, title }, { signal, log }) {
      const directory = await workspaces.copy(from, sessionId, signal)
      let lease: EngineLease | undefined
      try {
        const place = placeOf(sessionId, directory)
        lease = await source.acquire(signal, directory)
        const { client } = lease
        const engineSessionId = ref?.['engine_session_id']
        const session =
          engineSessionId === undefined
            ? await client.openSession({ ...place, title }, signal)
            : await client.forkSession({ ...place, title, engineSessionId }, signal)
        if (session) return hold({ log, sessionId, place, client, session })
        throw new ExecutorError('ENGINE_LOST', `the engine no longer has session "${from}"`, { retryable: false })
      } catch (error) {
        await directories.remove(sessionId)
        throw error
      } finally {
        lease?.release()
      }
    },
    async attach(ref, { signal }) {
      const { session_id: sessionId, engine_session_id: engineSessionId } = ref
      if (ref.executor !== 'server' || sessionId === undefined || engineSessionId === undefined) return undefined
      const directory = await directories.find(sessionId)
      if (directory === undefined) return undefined
      const { client, release } = await source.acquire(signal, directory)
      try {
        const place = placeOf(sessionId, directory)
        const session = await client.attachSession({ ...place, engineSessionId }, signal)
        return session && hold({ log, sessionId, place, client, session })
      } finally {
        release()
      }
    },
    async sweep(live) {
      const removed: string[] = []
      const failed: { what: string; why: string }[] = []
      for (const sessionId of await directories.list()) {
        if (live.has(sessionId)) continue
        const what = directories.pathOf(sessionId)
        try {
          await directories.remove(sessionId)
          removed.push(what)
        } catch (error) {
          failed.push({ what, why: error instanceof Error ? error.message : String(error) })
        }
      }
      return { removed, failed } satisfies SweepReport
    },
    close: (hurry) => source.close(hurry),
  }
}

function createSource(options: ServerExecutorOptions): EngineSource {
  const { log, embedded, remote, healthIntervalMs = 5_000, maxRetries = 3, retryDelayMs = 1_000 } = options
  const { permissions = unattended, cancelGraceMs = 10_000 } = options
  const { killTimeoutMs, ...stopping } = stopLimits(cancelGraceMs)
  const common = { log, permissions, limits: { ...stopping, ...options.limits } }
  if (remote) return createRemoteEngine({ ...remote, ...common, healthIntervalMs, maxRetries, retryDelayMs })
  if (embedded) return createEmbeddedEngine({ killTimeoutMs, ...embedded, ...common })
  throw new ExecutorError('EXECUTOR_UNAVAILABLE', 'neither an embedded nor a remote engine is configured')
}
