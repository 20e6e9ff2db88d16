import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { Detached, ExecutorError } from '@opencode-gateway/contracts'
import type { AgentEvent, AgentSession, CallContext, ContainerResources, Log } from '@opencode-gateway/contracts'
import { createAgentSession, endingWith } from '@opencode-gateway/opencode'
import type { EngineClient, EngineSession, SessionPlace } from '@opencode-gateway/opencode'
import type { Daemon } from './daemon/daemon.ts'
import { leftoversOf } from './container/leftovers.ts'
import { writtenLimits } from './container/own-limits.ts'
import type { SessionEngine } from './engine/session-engine.ts'
import { tellingFullDisk } from './full-disk.ts'

export interface DockerSessionOptions {
  daemon: Daemon
  engine: SessionEngine
  log: Log
  sessionId: string
  /** As the engine sees it. */
  place: SessionPlace
  /** As this machine does. */
  workspacePath: string
  /** Directories that its engine writes in. */
  written: readonly string[]
  engineSessionId: string
  ownLimits: ContainerResources
  attached?: { client: EngineClient; session: EngineSession }
  /** Ends the container for good and removes what `keep` does not name. */
  free(keep: 'nothing' | 'workspace'): Promise<void>
}

interface Running {
  /** Ends what the run left; settles with how much that was. */
  cleaned?: Promise<number>
}

const LOOK_AGAIN_MS = 50
/** What was told to end may take so long. */
const PATIENCE_MS = 1_000

/** A session with a container of its own. */
export function createDockerSession(options: DockerSessionOptions): AgentSession {
  const { daemon, engine, log, sessionId, engineSessionId, workspacePath } = options
  const { remove: _, ...backed } = createAgentSession({ ...options, source: engine })
  const runs = new Set<Running>()
  let releasing: Promise<void> | undefined

  /** A container with processes in it that a stopped run left is ended, and they with it. */
  const clean = async (): Promise<number> => {
    const container = engine.current()
    if (!container) return 0
    const startedAt = performance.now()
    for (;;) {
      const left = leftoversOf(await daemon.processes(container.containerId, AbortSignal.timeout(PATIENCE_MS * 5)))
      if (left.length === 0 || engine.current() !== container) return 0
      if (performance.now() - startedAt > PATIENCE_MS) {
        log.warn({ sessionId, left: left.length }, 'a stopped run has left processes; its container is ended')
        await engine.end(new ExecutorError('ENGINE_LOST', 'the container was ended with what a stopped run had left'))
        return left.length
      }
      await sleep(LOOK_AGAIN_MS)
    }
  }

  const cleanUp = (run: Running): Promise<number> =>
    (run.cleaned ??= clean().catch((err: unknown) => {
      log.error({ sessionId, err }, 'whether a stopped run has left processes is not known')
      return 0
    }))

  const through = (events: AsyncIterable<AgentEvent>, { signal }: CallContext): AsyncIterable<AgentEvent> => ({
    [Symbol.asyncIterator]() {
      const run: Running = {}
      runs.add(run)
      engine.current()?.keep(false)
      return endingWith(tellingFullDisk(events, options.written), async (outcome) => {
        runs.delete(run)
        if (signal.reason instanceof Detached) engine.current()?.keep(true)
        else if (outcome?.status !== 'completed') await cleanUp(run)
      })
    },
  })

  return {
    ...backed,
    ref: {
      executor: 'docker',
      session_id: sessionId,
      engine_session_id: engineSessionId,
      ...writtenLimits(options.ownLimits),
    },
    workspacePath,
    boot: () => engine.current()?.boot,
    run: (input, ctx) => through(backed.run(input, ctx), ctx),
    resume: (progress, ctx) => through(backed.resume(progress, ctx), ctx),
    async cancel(ctx) {
      const [run] = runs
      // Without a container nothing works, and none is started to hear so.
      if (!run && !engine.current()) return { aborted_sessions: 0, killed: 0, quiet_after_ms: 0, escalated: false }
      const receipt = await backed.cancel(ctx)
      const left = run ? await cleanUp(run) : 0
      return { ...receipt, killed: receipt.killed + left, escalated: receipt.escalated || left > 0 }
    },
    release: (keep) =>
      (releasing ??= options.free(keep).catch((error: unknown) => {
        // What is left of it is for the next attempt.
        releasing = undefined
        throw error
      })),
  }
}
