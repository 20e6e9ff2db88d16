import { agentOptions, type Executor, type RunOption } from '@opencode-gateway/contracts'

/**
 * What an executor, reached this way, can do beyond the basics. Cases that need more are left out.
 * `shell`, `followUps`, `survivesRestart` and the options mirror `executor.capabilities`; `processes`: a command is a
 * real process with a pid; `asks`: the agent can ask and be answered, as the option `interactive` says; `sweep`: `sweep` can be asked for; `close`: `close` ends the executor for good;
 * `fork`: it has a `fork` that takes the session's id from the caller.
 */
export type Ability =
  | 'shell'
  | 'followUps'
  | 'survivesRestart'
  | 'processes'
  | 'asks'
  | 'sweep'
  | 'close'
  | 'fork'
  | `option:${RunOption}`

/** What every executor can do that has real engines, however it keeps them. */
export const engineAbilities: readonly Ability[] = [
  'shell',
  'followUps',
  'processes',
  'sweep',
  'asks',
  ...agentOptions.map((option) => `option:${option}` as const),
]

/** How the suite reaches an executor whose agent is driven by the scripted model's language. */
export interface ExecutorHarness {
  readonly name: string
  readonly abilities: readonly Ability[]
  /** An executor for one case; called once per case. It may share an engine with the others. */
  make(): Promise<ExecutorFixture>
}

export interface ExecutorFixture {
  /** Not started yet. */
  readonly executor: Executor
  /** The gates of the script: a `ScriptedModel` and a `FakeExecutor` are such. */
  readonly gates: GateControl
  /** "provider/model" that the engine does not know. */
  readonly unknownModel: string
  /** Bound of a command's standard output, in bytes. */
  readonly maxOutputBytes: number
  /** What is still there, one text each; called when every session of the case has been released, mostly before `close`. */
  leftovers(): Promise<readonly string[]>
  close(): Promise<void>
}

export interface GateControl {
  /** Resolves once a model call is held at the gate. */
  waitForGate(gate: string, signal: AbortSignal): Promise<void>
  release(gate: string): void
}
