import type { AgentEventBody, EngineBoot, RunPatch, RunRow, Timings } from '@opencode-gateway/contracts'

/** What the events of a run tell about it on the way: times, files, the tool at work. */
export interface RunWatch {
  /** Returns how long opening took, milliseconds. */
  opened(): number
  prompted(): void
  /** The engine the run works in; one that had come up before is no part of its time. */
  booted(boot: EngineBoot | undefined): void
  /** Returns what the event changes on the run's row, if anything. */
  saw(event: AgentEventBody): RunPatch | undefined
  timings(endedAt: number): Timings
  filesModified(): readonly string[]
}

/** Paths kept for `files_modified`; the events themselves are not bounded by it. */
const maxFiles = 10_000

export function createRunWatch(run: RunRow): RunWatch {
  const claimedAt = run.claimedAt ?? run.createdAt
  const files = new Set<string>()
  let openMs: number | undefined
  let cloneMs: number | undefined
  let boot: EngineBoot | undefined
  let promptedAt = run.promptedAt
  let firstEventMs: number | undefined
  let firstTokenMs: number | undefined

  return {
    opened() {
      openMs = Math.max(0, Date.now() - claimedAt)
      return openMs
    },
    prompted() {
      promptedAt ??= Date.now()
    },
    booted(found) {
      if (found && found.beganAt >= claimedAt) boot = found
    },
    saw(event) {
      const sinceMs = Date.now() - (promptedAt ?? claimedAt)
      // Git works before the prompt and after the answer.
      if (event.type !== 'git') firstEventMs ??= sinceMs
      switch (event.type) {
        case 'git':
          if (event.data.action === 'clone' && event.data.state === 'done') cloneMs = event.data.duration_ms
          return undefined
        case 'output':
          firstTokenMs ??= sinceMs
          return undefined
        case 'file':
          if (event.data.change === 'deleted') files.delete(event.data.path)
          else if (files.size < maxFiles) files.add(event.data.path)
          return undefined
        case 'tool_call':
          return { currentTool: event.data.tool }
        case 'tool_result':
          return { currentTool: null }
        default:
          return undefined
      }
    },
    timings: (endedAt) => ({
      queued_ms: Math.max(0, claimedAt - run.createdAt),
      ...(openMs === undefined ? {} : { open_ms: openMs }),
      ...(boot?.waitMs === undefined ? {} : { wait_ms: boot.waitMs }),
      ...(boot?.pullMs === undefined ? {} : { pull_ms: boot.pullMs }),
      ...(boot?.createMs === undefined ? {} : { create_ms: boot.createMs }),
      ...(boot?.startMs === undefined ? {} : { start_ms: boot.startMs }),
      ...(boot?.engineReadyMs === undefined ? {} : { engine_ready_ms: boot.engineReadyMs }),
      ...(cloneMs === undefined ? {} : { clone_ms: cloneMs }),
      ...(firstEventMs === undefined ? {} : { first_event_ms: Math.max(0, firstEventMs) }),
      ...(firstTokenMs === undefined ? {} : { first_token_ms: Math.max(0, firstTokenMs) }),
      total_ms: Math.max(0, endedAt - run.createdAt),
    }),
    filesModified: () => [...files].sort(),
  }
}
