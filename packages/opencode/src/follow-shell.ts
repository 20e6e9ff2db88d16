import type { AgentEvent, RunOutcome } from '@opencode-gateway/contracts'
import { ExecutorError } from '@opencode-gateway/contracts'
import { EngineCallError } from './engine-error.ts'
import type { Subscription } from './event-hub.ts'
import type { EngineLimits } from './limits.ts'
import { noUsage } from './run-view.ts'
import { brokenOutcome, lostOutcome } from './run-items.ts'
import type { CommandEnd, ShellSpool } from './shell-spool.ts'
import { createTail } from './tail-file.ts'
import type { FileTail } from './tail-file.ts'

export interface FollowedCommand {
  runId: string
  spool: ShellSpool
  subscription: Subscription
  limits: EngineLimits
  /** Characters of each stream that were told before. */
  told: { stdout: number; stderr: number }
  isCancelled(): boolean
  /** What became of the engine's own call: it is only a hint, since the exit file is what counts. */
  engineCall(): { state: 'going on' } | { state: 'returned'; error?: unknown }
}

const POLL_MS = 25
/** How long the exit file may take to appear after the engine's call has returned. */
const GRACE_POLLS = 20
/** Where the engine did not answer it may be gone, and whoever knows why says so a little later. */
const UNANSWERED_POLLS = 200

/** Tells the output of a command as it comes, until its exit code is there or it can no longer come. */
export async function* followShell(
  command: FollowedCommand,
  signal: AbortSignal,
): AsyncGenerator<AgentEvent, void, undefined> {
  const { spool, limits, told, runId } = command
  const maxBytes = limits.maxShellOutputBytes
  const stdout = createTail(await spool.open('stdout'), { maxBytes, skip: told.stdout })
  let stderr: FileTail | undefined
  try {
    stderr = createTail(await spool.open('stderr'), { maxBytes, skip: told.stderr })
    for (let polls = 0; ;) {
      // Read before the output: what was written before the end is in the files then.
      const end = await spool.end()
      yield* news('stdout', stdout, runId)
      yield* news('stderr', stderr, runId)
      if (end && !command.isCancelled()) {
        yield { type: 'outcome', outcome: endedOutcome(end, stdout.text()) }
        return
      }
      const call = command.engineCall()
      if (call.state === 'returned') polls += 1
      const grace = call.state === 'returned' && isUnanswered(call.error) ? UNANSWERED_POLLS : GRACE_POLLS
      const gone = command.subscription.gone()
      if (end || (call.state === 'returned' && !gone && (polls >= grace || command.isCancelled()))) {
        yield unendedOutcome(command, call.state === 'returned' ? call.error : undefined, stdout.text())
        return
      }
      if (gone) {
        yield lostOutcome(gone, { cancelled: command.isCancelled(), finalMessage: stdout.text() })
        return
      }
      await command.subscription.next(POLL_MS, signal)
    }
  } finally {
    await stdout.close()
    await stderr?.close()
  }
}

function isUnanswered(error: unknown): boolean {
  return error instanceof EngineCallError && error.status === undefined
}

async function* news(type: 'stdout' | 'stderr', tail: FileTail, runId: string): AsyncGenerator<AgentEvent> {
  const fresh = await tail.read()
  if (!fresh) return
  const truncated = fresh.truncated ? { truncated: true } : {}
  yield { type: 'output', data: { type, text: fresh.text, part_id: shellPartId(runId, type), ...truncated } }
}

export function shellPartId(runId: string, type: 'stdout' | 'stderr'): string {
  return `${runId}-${type}`
}

function endedOutcome(end: CommandEnd, finalMessage: string): RunOutcome {
  const evidence = { checks: ['command_exited'], checked_at: new Date().toISOString() }
  const common = { finalMessage, usage: noUsage(), evidence }
  if (end.kind === 'exited') return { ...common, status: 'completed', exitCode: end.code }
  const error = { code: 'RUN_FAILED', message: 'the command was killed by a signal', retryable: true } as const
  return { ...common, status: 'failed', error }
}

/** The engine has let go of the command, and it has not said how it ended. */
function unendedOutcome(command: FollowedCommand, cause: unknown, finalMessage: string): AgentEvent {
  if (command.isCancelled()) {
    return brokenOutcome('cancelled', new ExecutorError('RUN_CANCELLED', 'the command was cancelled'), { finalMessage })
  }
  if (cause instanceof EngineCallError && cause.status !== undefined) {
    return brokenOutcome('failed', cause, { finalMessage })
  }
  const message = 'the engine let go of the command before it ended'
  return brokenOutcome('interrupted', new ExecutorError('ENGINE_LOST', message, { cause }), { finalMessage })
}
