import type { PermissionRules } from '@opencode-gateway/contracts'
import type { Gates } from '@opencode-gateway/scripted-model/parts'
import type { Asks } from './asks.ts'
import type { Processes } from './processes.ts'
import type { RunOutput } from './run-output.ts'
import type { Crew } from './run.ts'

/** All that a run of the fake engine touches. */
export interface Stage {
  readonly output: RunOutput
  /** Aborts when the run is told to stop. */
  readonly signal: AbortSignal
  /** Path relative to the workspace → text. */
  readonly files: Map<string, string>
  readonly workspacePath: string
  readonly processes: Processes
  readonly gates: Gates
  /** No timers: every delay is over at once. */
  readonly instant: boolean
  readonly rules: PermissionRules | undefined
  /** Somebody is there to answer. */
  readonly interactive: boolean
  readonly asks: Asks
  /** What the agent was told while it works and has not heard yet; a sub-agent hears nothing. */
  readonly steers: string[]
  readonly crew: Crew
}

/** Never resolves; rejects when the signal aborts. */
export function hang(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

/** A path as the workspace's file map has it: `./a`, `/workspace/a` and `a` are one file. */
export function relativePath(path: string, workspacePath: string): string {
  const inside = path.startsWith(`${workspacePath}/`) ? path.slice(workspacePath.length + 1) : path
  return inside.replace(/^(\.\/)+/, '')
}

export function writeFile(stage: Stage, path: string, content: string): void {
  const { files, output, workspacePath } = stage
  const name = relativePath(path, workspacePath)
  const change = files.has(name) ? 'modified' : 'created'
  files.set(name, content)
  output.push({ type: 'file', data: { path: name, change } })
}
