import { randomUUID } from 'node:crypto'
import type { AgentSession, CallContext, Executor, PromptInput, SessionSpec } from '@opencode-gateway/contracts'
import { silentLog } from '../silent-log.ts'
import type { CommonSession } from './common-session.ts'
import type { Deadline } from './deadline.ts'
import type { ExecutorFixture, GateControl } from './harness.ts'
import { record, type Recording } from './recording.ts'

/** What one case works with. Sessions opened through it are released when the case ends. */
export interface Scene {
  readonly executor: Executor
  readonly abilities: ReadonlySet<string>
  readonly unknownModel: string
  readonly maxOutputBytes: number
  readonly deadline: Deadline
  ctx(signal?: AbortSignal): CallContext
  /** Without a spec it is one that others may have worked in, when the case can be played so. */
  open(spec?: SessionSpec): Promise<AgentSession>
  /** Opened elsewhere, to be released when the case ends. */
  adopt(session: AgentSession): AgentSession
  newSpec(): SessionSpec
  /** Reads a run of the prompt in the background. */
  prompt(session: AgentSession, lines: readonly string[], options?: PromptOptions): Recording
  /** Reads a run of the command in the background. */
  command(session: AgentSession, command: string, signal?: AbortSignal): Recording
  /** A name that no other case uses: a released gate stays open. */
  newGate(): string
  waitForGate(gate: string): Promise<void>
  release(gate: string): void
  /** The executor's promise, bounded by the deadline. */
  settles<T>(what: string, promise: Promise<T>): Promise<T>
}

export type PromptOptions = Partial<Omit<PromptInput, 'kind' | 'prompt'>> & { readonly signal?: AbortSignal }

export interface OwnedScene {
  readonly scene: Scene
  /** What the case opened. */
  readonly sessions: ReadonlySet<AgentSession>
}

export function createScene(
  fixture: ExecutorFixture,
  abilities: readonly string[],
  deadline: Deadline,
  common?: CommonSession,
): OwnedScene {
  const { executor, unknownModel, maxOutputBytes } = fixture
  const gates: GateControl = fixture.gates
  const sessions = new Set<AgentSession>()
  let hasCommon = false

  function adopt(session: AgentSession): AgentSession {
    sessions.add(session)
    return session
  }

  const ctx = (signal: AbortSignal = deadline.signal): CallContext => ({ signal, log: silentLog })
  const newSpec = (): SessionSpec => ({ sessionId: randomUUID(), title: 'Conformance' })

  const scene: Scene = {
    executor,
    abilities: new Set(abilities),
    unknownModel,
    maxOutputBytes,
    deadline,
    ctx,
    adopt,
    newSpec,
    async open(spec) {
      const open = (): Promise<AgentSession> => executor.open(spec ?? newSpec(), ctx())
      if (!common || spec) return adopt(await deadline.within('a session to open', open()))
      if (hasCommon) throw new Error('the case needs sessions of its own, since it opens more than one')
      hasCommon = true
      return await deadline.within('the common session to open', common.get(open))
    },
    prompt(session, lines, { signal, ...options } = {}) {
      const input: PromptInput = { kind: 'prompt', runId: randomUUID(), prompt: lines.join('\n'), ...options }
      return record(() => session.run(input, ctx(signal)), deadline)
    },
    command: (session, command, signal) =>
      record(() => session.run({ kind: 'shell', runId: randomUUID(), command }, ctx(signal)), deadline),
    newGate: () => `gate-${randomUUID()}`,
    waitForGate: (gate) => deadline.within('a model call at the gate', gates.waitForGate(gate, deadline.signal)),
    release: (gate) => gates.release(gate),
    settles: (what, promise) => deadline.within(what, promise),
  }
  return { scene, sessions }
}
