import type { RunInput, RunOutcome } from '@opencode-gateway/contracts'
import { createAsks, type Asks } from './asks.ts'
import { cancelled, failed } from './outcomes.ts'
import { createRunOutput, type RunOutput } from './run-output.ts'

/** Who works on a run besides its agent. */
export interface Crew {
  subagents: number
}

/** What a run is played with. */
export interface RunParts {
  readonly output: RunOutput
  /** Aborts when the run is told to stop. */
  readonly signal: AbortSignal
  readonly asks: Asks
  readonly steers: string[]
  readonly crew: Crew
}

/** A run of the fake engine; it goes on whether or not anybody reads it. */
export interface FakeRun {
  readonly runId: string
  readonly output: RunOutput
  readonly asks: Asks
  /** What the agent was told while it works and has not heard yet. */
  readonly steers: string[]
  readonly crew: Crew
  outcome(): RunOutcome | undefined
  /** Calls back after every event and at the end; returns what ends that. */
  watch(changed: () => void): () => void
  /** Tells it to stop and settles when it has ended, with the number of processes that had to be killed. */
  stop(): Promise<number>
  /** The engine dies under it. */
  lose(): Promise<void>
}

export interface FakeRunOptions {
  readonly input: RunInput
  readonly maxOutputBytes: number
  /** It was told to stop before it began. */
  readonly stopped: boolean
  /** What was allowed for good in this session. */
  readonly approved: Set<string>
  /** Carries the run out; rejects soon after the signal aborts. */
  play(parts: RunParts): Promise<RunOutcome>
  /** Ends what a stopped run left at work; returns what had to be killed. */
  clear(): number
}

export function startRun({ input, maxOutputBytes, stopped, approved, play, clear }: FakeRunOptions): FakeRun {
  const { runId } = input
  const watchers = new Set<() => void>()
  const stopping = new AbortController()
  const { signal } = stopping
  if (stopped) stopping.abort(new Error('the run was stopped before it began'))
  const changed = (): void => {
    for (const look of watchers) look()
  }
  const model = input.kind === 'prompt' ? input.model : undefined
  const output = createRunOutput({ runId, model, maxOutputBytes, changed })
  const asks = createAsks({ runId, output, signal, approved })
  const steers: string[] = []
  const crew: Crew = { subagents: 0 }
  let lost = false
  let outcome: RunOutcome | undefined

  /** Settles with what had to be killed. */
  async function carryOut(): Promise<number> {
    const played = await attempt()
    const killed = signal.aborted ? clear() : 0
    outcome = signal.aborted ? ended() : played
    changed()
    return killed
  }

  async function attempt(): Promise<RunOutcome> {
    try {
      signal.throwIfAborted()
      return await play({ output, signal, asks, steers, crew })
    } catch (error) {
      return failed(output, 'RUN_FAILED', `the fake broke: ${String(error)}`)
    }
  }

  function ended(): RunOutcome {
    return lost ? failed(output, 'ENGINE_LOST', 'The fake engine died during the run.') : cancelled(output)
  }

  const settled = carryOut()
  return {
    runId,
    output,
    asks,
    steers,
    crew,
    outcome: () => outcome,
    watch(look) {
      watchers.add(look)
      return () => watchers.delete(look)
    },
    stop() {
      stopping.abort(new Error('the run is told to stop'))
      return settled
    },
    async lose() {
      lost = !signal.aborted
      stopping.abort(new Error('the fake engine died'))
      await settled
    },
  }
}
