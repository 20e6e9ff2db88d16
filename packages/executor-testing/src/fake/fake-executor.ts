import {
  ExecutorError,
  type CallContext,
  type Executor,
  type ExecutorCapabilities,
  type ExecutorHealth,
  type ExecutorRef,
  type RunInput,
  type SessionSpec,
} from '@opencode-gateway/contracts'
import { createFakeEngine, type FakeEngine, type FakeEngineSession, type Steer } from './engine.ts'
import { createFakeSession } from './session.ts'

/** What happens to one call: it waits at a gate, then fails, if so told. */
export interface CallScript {
  readonly gate?: string
  readonly error?: Error
}

export interface FakeExecutorOptions {
  /** Default `fake`. */
  readonly name?: string
  /** Given to several executors, they see the same sessions, as after a restart of the gateway. */
  readonly engine?: FakeEngine
  readonly capabilities?: Partial<ExecutorCapabilities>
  /** It can fork a session; true unless given. */
  readonly fork?: boolean
  /** "provider/model" it knows; absent: any. */
  readonly models?: readonly string[]
  /** No timers: `slow` lines and retries do not wait. Gates, hangs and `retry-after` still do. */
  readonly instant?: boolean
  /** A run that calls the model more often fails with MODEL_LOOP. Default 50. */
  readonly maxModelCalls?: number
  /** Bound of a command's standard output and of its standard error. Default 1 MiB each. */
  readonly maxOutputBytes?: number
  /** Asked at every `open`. */
  opening?(spec: SessionSpec): CallScript | undefined
  /** Asked at every `cancel`. */
  cancelling?(sessionId: string): CallScript | undefined
  /** What `check` answers while the executor is started; default: well. */
  health?(): ExecutorHealth
}

export interface FakeExecutor extends Executor {
  readonly engine: FakeEngine
  /** Opens a gate for good. */
  release(gate: string): void
  /** Resolves once a call is held at the gate. */
  waitForGate(gate: string, signal: AbortSignal): Promise<void>
  /** The engine dies: runs end with ENGINE_LOST, sessions are gone, files stay. */
  crash(): Promise<void>
  /** Every prompt and command that began, oldest first. */
  inputs(): readonly RunInput[]
  /** What agents were told by `steer` while they worked, oldest first. */
  steered(): readonly Steer[]
  /** What is still there: open sessions, runs, calls, processes, directories that nobody keeps. */
  leftovers(): string[]
}

/**
 * An executor without an engine: carries out the scripted model's language in memory.
 * `close` lets go of running runs when the executor says that they survive a restart, else stops them;
 * `start` after `close` opens it again.
 */
export function createFakeExecutor(options: FakeExecutorOptions = {}): FakeExecutor {
  const { name = 'fake', engine = createFakeEngine(), maxModelCalls = 50, maxOutputBytes = 1024 * 1024 } = options
  const capabilities: ExecutorCapabilities = {
    isolation: 'container',
    shell: true,
    followUps: true,
    survivesRestart: true,
    options: ['model', 'agent', 'system_prompt', 'output_schema', 'permissions', 'interactive', 'wrap_up'],
    ...options.capabilities,
  }
  let closing = new AbortController()
  let opening = 0

  async function obey(script: CallScript | undefined, signal: AbortSignal): Promise<void> {
    if (script?.gate !== undefined) await engine.gates.pass(script.gate, signal)
    if (script?.error) throw script.error
  }

  function handle(session: FakeEngineSession): ReturnType<typeof createFakeSession> {
    const { sessionId } = session
    const ref: ExecutorRef = { executor: name, sessionId }
    return createFakeSession({
      engine,
      session,
      ref,
      models: options.models,
      instant: options.instant ?? false,
      maxModelCalls,
      maxOutputBytes,
      cancelling: (signal) => obey(options.cancelling?.(sessionId), signal),
    })
  }

  async function open(spec: SessionSpec, { signal }: CallContext): Promise<ReturnType<typeof createFakeSession>> {
    closing.signal.throwIfAborted()
    signal.throwIfAborted()
    const script = options.opening?.(spec)
    if (script) {
      opening += 1
      try {
        await obey(script, AbortSignal.any([signal, closing.signal]))
      } finally {
        opening -= 1
      }
    }
    return handle(engine.open(spec.sessionId))
  }

  const fork: NonNullable<Executor['fork']> = async ({ sessionId: from, ref }, { sessionId }, { signal }) => {
    closing.signal.throwIfAborted()
    signal.throwIfAborted()
    const files = [...engine.directories.values()].find((directory) => directory.sessionId === from)?.files
    if (!files || (ref && !engine.sessions.has(from)))
      throw new ExecutorError('ENGINE_LOST', `The fake engine has no session "${from}".`)
    if (engine.sessions.has(sessionId))
      throw new ExecutorError('WORKSPACE_ERROR', `Session "${sessionId}" has a workspace already.`)
    const session = engine.open(sessionId)
    for (const [path, text] of files) session.directory.files.set(path, text)
    return handle(session)
  }

  return {
    name,
    capabilities,
    engine,
    release: engine.gates.release,
    waitForGate: engine.waitForGate,
    crash: engine.crash,
    inputs: () => engine.inputs,
    steered: () => engine.steers,
    async start(signal) {
      signal.throwIfAborted()
      if (closing.signal.aborted) closing = new AbortController()
    },
    async check() {
      if (closing.signal.aborted) return { ok: false, reason: 'the fake is closed' }
      return options.health?.() ?? { ok: true, engine: { version: 'fake', mode: 'other' } }
    },
    open,
    ...(options.fork === false ? {} : { fork }),
    async attach(ref, { signal }) {
      closing.signal.throwIfAborted()
      signal.throwIfAborted()
      const session = ref.executor === name ? engine.sessions.get(ref['sessionId'] ?? '') : undefined
      return session && handle(session)
    },
    async sweep(live) {
      const removed: string[] = []
      for (const { path, sessionId } of engine.directories.values()) {
        if (live.has(sessionId)) continue
        await engine.remove(sessionId, false)
        engine.directories.delete(path)
        removed.push(path)
      }
      return { removed, failed: [] }
    },
    async close() {
      closing.abort(new ExecutorError('EXECUTOR_UNAVAILABLE', `The executor "${name}" is closed.`))
      if (capabilities.survivesRestart) return
      for (const sessionId of engine.sessions.keys()) await engine.remove(sessionId, true)
    },
    leftovers() {
      const sessions = [...engine.sessions.values()]
      return [
        ...sessions.map(({ sessionId }) => `session "${sessionId}" is open`),
        ...sessions.flatMap(({ run }) => (run && !run.outcome() ? [`run "${run.runId}" goes on`] : [])),
        ...sessions.flatMap(({ sessionId, processes }) =>
          processes.count > 0 ? [`session "${sessionId}" has ${processes.count} processes`] : [],
        ),
        ...[...engine.directories.values()]
          .filter(({ sessionId, kept }) => !kept && !engine.sessions.has(sessionId))
          .map(({ path }) => `directory "${path}" belongs to no session`),
        ...(opening > 0 ? [`${opening} calls of open wait`] : []),
      ]
    },
  }
}
