import type { RunInput } from '@opencode-gateway/contracts'
import { createGates, createWatch, type Gates } from '@opencode-gateway/scripted-model/parts'
import { createProcesses, type Processes } from './processes.ts'
import type { FakeRun } from './run.ts'

/** A directory of the fake engine. */
export interface FakeDirectory {
  readonly path: string
  readonly sessionId: string
  /** Path relative to the directory → text. */
  readonly files: Map<string, string>
  /** Its session is gone and the files are to stay. */
  kept: boolean
}

export interface FakeEngineSession {
  readonly sessionId: string
  readonly directory: FakeDirectory
  readonly processes: Processes
  /** What was allowed for good. */
  readonly approved: Set<string>
  /** The latest run, going on or ended. */
  run: FakeRun | undefined
}

/** Something an agent was told while it worked. */
export interface Steer {
  readonly sessionId: string
  readonly text: string
}

/** What outlives a gateway: the engine's sessions and the disk. Several executors may stand before one engine. */
export interface FakeEngine {
  readonly gates: Gates
  readonly sessions: Map<string, FakeEngineSession>
  readonly directories: Map<string, FakeDirectory>
  /** Every prompt and command that began, oldest first; at most a thousand. */
  readonly inputs: readonly RunInput[]
  recordInput(input: RunInput): void
  /** What agents were told while they worked, oldest first; at most a thousand. */
  readonly steers: readonly Steer[]
  recordSteer(sessionId: string, text: string): void
  /** Makes the session, or finds the one with this id; a kept directory is used again. */
  open(sessionId: string): FakeEngineSession
  /** Stops what runs in the session and forgets it. */
  remove(sessionId: string, keepFiles: boolean): Promise<void>
  /** Dies: runs end with ENGINE_LOST, sessions are gone, files stay. */
  crash(): Promise<void>
  /** Waits until a run or an opening is held at the gate. */
  waitForGate(name: string, signal: AbortSignal): Promise<void>
}

const MAX_RECORDED = 1000

export function createFakeEngine(): FakeEngine {
  const watch = createWatch()
  const gates = createGates(watch)
  const sessions = new Map<string, FakeEngineSession>()
  const directories = new Map<string, FakeDirectory>()
  const inputs: RunInput[] = []
  const steers: Steer[] = []

  async function remove(sessionId: string, keepFiles: boolean): Promise<void> {
    const session = sessions.get(sessionId)
    if (!session) return
    await session.run?.stop()
    session.processes.stopAll()
    session.directory.kept = keepFiles
    if (!keepFiles) directories.delete(session.directory.path)
    sessions.delete(sessionId)
  }

  return {
    gates,
    sessions,
    directories,
    inputs,
    steers,
    remove,
    recordInput(input) {
      inputs.push(input)
      if (inputs.length > MAX_RECORDED) inputs.shift()
    },
    recordSteer(sessionId, text) {
      steers.push({ sessionId, text })
      if (steers.length > MAX_RECORDED) steers.shift()
    },
    open(sessionId) {
      const known = sessions.get(sessionId)
      if (known) return known
      const path = `/fake/workspaces/${sessionId}`
      const directory = directories.get(path) ?? { path, sessionId, files: new Map<string, string>(), kept: false }
      directory.kept = false
      directories.set(path, directory)
      const approved = new Set<string>()
      const session = { sessionId, directory, processes: createProcesses(), approved, run: undefined }
      sessions.set(sessionId, session)
      return session
    },
    async crash() {
      for (const session of sessions.values()) await session.run?.lose()
      for (const sessionId of sessions.keys()) await remove(sessionId, true)
    },
    async waitForGate(name, signal) {
      await watch.until(() => (gates.held(name) > 0 ? true : undefined), signal)
    },
  }
}
