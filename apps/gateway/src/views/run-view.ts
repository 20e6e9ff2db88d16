import type { PendingReason, RunAccepted, RunRow, RunState, RunView, WireStatus } from '@opencode-gateway/contracts'

export const isoTime = (at: number): string => new Date(at).toISOString()

/** `pending` stands for the two states before a run works. */
function wireStatus(state: RunState): WireStatus {
  return state === 'queued' || state === 'starting' ? 'pending' : state
}

/** `reason`: why it has not begun. */
export function runView(run: RunRow, reason: PendingReason | undefined): RunView {
  const { input, complete } = run
  return {
    run_id: run.runId,
    kind: input.kind,
    state: run.state,
    status: wireStatus(run.state),
    ...(reason === undefined ? {} : { reason }),
    ...(input.kind === 'prompt' ? { prompt: input.prompt } : { command: input.command }),
    created_at: isoTime(run.createdAt),
    ...(run.claimedAt === undefined ? {} : { started_at: isoTime(run.claimedAt) }),
    ...(run.endedAt === undefined ? {} : { ended_at: isoTime(run.endedAt) }),
    ...(complete?.exit_code === undefined ? {} : { exit_code: complete.exit_code }),
    ...(complete?.error === undefined ? {} : { error: complete.error }),
    ...(complete === undefined ? {} : { usage: complete.usage }),
  }
}

export const streamUrl = (sessionId: string): string => `/sessions/${sessionId}/stream`
export const statusUrl = (sessionId: string): string => `/sessions/${sessionId}/status`

export function runAccepted(run: RunRow): RunAccepted {
  return {
    session_id: run.sessionId,
    run_id: run.runId,
    status: wireStatus(run.state),
    created_at: isoTime(run.createdAt),
    stream_url: streamUrl(run.sessionId),
    status_url: statusUrl(run.sessionId),
  }
}
