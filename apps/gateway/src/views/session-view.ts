import type {
  CancelResponse,
  RunRow,
  SessionCreated,
  SessionRow,
  SessionStatus,
  SessionSummary,
  SessionView,
} from '@opencode-gateway/contracts'
import type { CancelResult, SessionDetail } from '@opencode-gateway/sessions'
import { asksOf, waitingSince } from './ask-view.ts'
import { isoTime, runView, statusUrl, streamUrl } from './run-view.ts'

export function sessionSummary(session: SessionRow): SessionSummary {
  return {
    session_id: session.sessionId,
    status: session.status,
    executor: session.executor,
    labels: { ...session.labels },
    created_at: isoTime(session.createdAt),
    last_activity: isoTime(session.updatedAt),
    ...(session.currentRunId === undefined ? {} : { run_id: session.currentRunId }),
    last_event_id: session.lastSeq,
    closed: session.closedAt !== undefined,
  }
}

export function sessionView({ session, runs, reasons }: SessionDetail): SessionView {
  const { remoteId, workspace } = fromRef(session)
  return {
    ...sessionSummary(session),
    ...(remoteId === undefined ? {} : { remote_session_id: remoteId }),
    ...(workspace === undefined ? {} : { workspace }),
    runs: runs.map((run) => runView(run, reasons.get(run.runId))),
    asks: asksOf(runs),
    stream_url: streamUrl(session.sessionId),
    status_url: statusUrl(session.sessionId),
  }
}

export function sessionCreated(session: SessionRow, run: RunRow | undefined): SessionCreated {
  return {
    session_id: session.sessionId,
    remote_session_id: fromRef(session).remoteId ?? null,
    status: session.status,
    created_at: isoTime(session.createdAt),
    run_id: run?.runId ?? null,
    stream_url: streamUrl(session.sessionId),
    status_url: statusUrl(session.sessionId),
  }
}

export function sessionStatus({ session, runs, current, queuePosition, reasons }: SessionDetail): SessionStatus {
  const reason = current && reasons.get(current.runId)
  const asks = asksOf(runs)
  const since = runs.map(waitingSince).find((time) => time !== undefined)
  return {
    session_id: session.sessionId,
    status: session.status,
    progress: current?.progress ?? 0,
    ...(current?.currentTool === undefined ? {} : { current_tool: current.currentTool }),
    ...(queuePosition === undefined ? {} : { queue_position: queuePosition }),
    ...(reason === undefined ? {} : { reason }),
    ...(asks.length === 0 ? {} : { pending_asks: asks.length }),
    ...(since === undefined ? {} : { waiting_since: isoTime(since) }),
    created_at: isoTime(session.createdAt),
    last_activity: isoTime(session.updatedAt),
    run_id: current?.runId ?? null,
    last_event_id: session.lastSeq,
    ...(current?.complete?.error === undefined ? {} : { error: current.complete.error }),
  }
}

export function cancelResponse({ session, cancelledRuns, receipt }: CancelResult): CancelResponse {
  return { session_id: session.sessionId, status: session.status, cancelled_runs: [...cancelledRuns], receipt }
}

/** The two members of a ref that executors give clients to see, by the names they share. */
function fromRef({ ref }: SessionRow): { remoteId: string | undefined; workspace: string | undefined } {
  return { remoteId: ref?.['engine_session_id'], workspace: ref?.['directory'] }
}
