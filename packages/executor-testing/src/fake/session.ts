import {
  GatewayError,
  type AgentEvent,
  type AgentSession,
  type CancelReceipt,
  type ExecutorRef,
  type RunInput,
  type RunOutcome,
} from '@opencode-gateway/contracts'
import type { FakeEngine, FakeEngineSession } from './engine.ts'
import { completed, failed, interrupted } from './outcomes.ts'
import { playPrompt, type PromptLimits } from './play-prompt.ts'
import { readRun } from './read-run.ts'
import { startRun, type FakeRun, type RunParts } from './run.ts'
import { runShell } from './shell.ts'
import type { Stage } from './stage.ts'

export interface FakeSessionOptions extends PromptLimits {
  readonly engine: FakeEngine
  readonly session: FakeEngineSession
  readonly ref: ExecutorRef
  readonly instant: boolean
  readonly maxOutputBytes: number
  /** Called when a cancellation begins; the cancellation waits for it. */
  cancelling(signal: AbortSignal): Promise<void>
}

/** A handle on a session of the fake engine; several handles on one session are alike. */
export function createFakeSession(options: FakeSessionOptions): AgentSession {
  const { engine, session, ref, maxOutputBytes } = options
  const { sessionId, directory, processes, approved } = session

  const atWork = (): FakeRun | undefined => (session.run?.outcome() ? undefined : session.run)

  function begin(input: RunInput, stopped: boolean): FakeRun {
    const busy = atWork()
    if (busy) throw new GatewayError('SESSION_BUSY', `The session "${sessionId}" works on run "${busy.runId}".`)
    const isOpen = engine.sessions.get(sessionId) === session
    if (isOpen && !stopped) engine.recordInput(input)
    const play = async (parts: RunParts): Promise<RunOutcome> => {
      if (!isOpen) return failed(parts.output, 'ENGINE_LOST', `The fake engine has no session "${sessionId}".`)
      return await carryOut(input, stageOf(input, parts), options)
    }
    session.run = startRun({ input, maxOutputBytes, stopped, approved, play, clear: () => processes.stopAll() })
    return session.run
  }

  function stageOf(input: RunInput, parts: RunParts): Stage {
    const prompt = input.kind === 'prompt' ? input : undefined
    return {
      ...parts,
      files: directory.files,
      workspacePath: directory.path,
      processes,
      gates: engine.gates,
      instant: options.instant,
      rules: prompt?.permissions,
      interactive: prompt?.interactive ?? false,
    }
  }

  function find(input: RunInput): FakeRun {
    if (session.run?.runId === input.runId) return session.run
    const play = async ({ output }: RunParts): Promise<RunOutcome> =>
      interrupted(output, `The fake engine knows no run "${input.runId}".`)
    return startRun({ input, maxOutputBytes, stopped: false, approved, play, clear: () => 0 })
  }

  return {
    ref,
    workspacePath: directory.path,
    run: (input, { signal }) => readRun((stopped) => begin(input, stopped), signal),
    resume({ input, events }, { signal }): AsyncIterable<AgentEvent> {
      return readRun(
        (stopped) => {
          const run = find(input)
          if (stopped) void run.stop()
          return run
        },
        signal,
        { logged: events, isUnderWay: true },
      )
    },
    async answer(askId, answer, { signal }) {
      signal.throwIfAborted()
      const run = atWork()
      if (!run) throw new GatewayError('ASK_NOT_FOUND', `The session "${sessionId}" waits for no answer.`)
      run.asks.answer(askId, answer)
    },
    async steer(text, { signal }) {
      signal.throwIfAborted()
      const run = atWork()
      if (!run) return
      engine.recordSteer(sessionId, text)
      run.steers.push(text)
    },
    async cancel({ signal }): Promise<CancelReceipt> {
      const startedAt = performance.now()
      const run = atWork()
      await options.cancelling(signal)
      const aborted = run && !run.outcome() ? 1 + run.crew.subagents : 0
      const killed = ((await run?.stop()) ?? 0) + processes.stopAll()
      const quietAfterMs = Math.round(performance.now() - startedAt)
      return { aborted_sessions: aborted, killed, quiet_after_ms: quietAfterMs, escalated: killed > 0 }
    },
    release: (keep) =>
      engine.sessions.get(sessionId) === session ? engine.remove(sessionId, keep === 'workspace') : settled,
  }
}

const settled = Promise.resolve()

async function carryOut(input: RunInput, stage: Stage, limits: PromptLimits): Promise<RunOutcome> {
  if (input.kind === 'prompt') return await playPrompt(input, stage, limits)
  const { output } = stage
  const ending = await runShell(input.command, stage, (stream, text) => output.write(stream, text))
  if (ending.kind === 'killed') return failed(output, 'RUN_FAILED', 'The command was killed.')
  return completed(output, { exitCode: ending.code })
}
