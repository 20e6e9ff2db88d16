import type { LogEvent, ModelUsageTotals, QueuedRun, RunRow, SessionRow } from '@opencode-gateway/contracts'
import type { EventRecord, QueuedRecord, RunRecord, SessionRecord } from './records.ts'
import type { UsageSums } from './sql/usage.ts'

/** What the database holds was checked when it came in, so its JSON and its words are taken as they are. */
export function toSession(record: SessionRecord): SessionRow {
  return {
    sessionId: record.session_id,
    tenant: record.tenant,
    executor: record.executor,
    title: record.title,
    labels: JSON.parse(record.labels) as SessionRow['labels'],
    createdAt: record.created_at,
    updatedAt: record.updated_at,
    ref: parsed(record.ref) as SessionRow['ref'],
    oneShot: record.one_shot === 1,
    keepWorkspace: record.keep_workspace === 1,
    retentionMs: record.retention_ms ?? undefined,
    closedAt: record.closed_at ?? undefined,
    releasedAt: record.released_at ?? undefined,
    lastSeq: record.last_seq,
    firstSeq: record.first_seq,
    currentRunId: record.current_run_id ?? undefined,
    openRuns: record.open_runs,
    status: record.status as SessionRow['status'],
  }
}

export function toRun(record: RunRecord): RunRow {
  return {
    runId: record.run_id,
    sessionId: record.session_id,
    tenant: record.tenant,
    input: JSON.parse(record.input) as RunRow['input'],
    state: record.state as RunRow['state'],
    epoch: record.epoch,
    owner: record.owner ?? undefined,
    leaseUntil: record.lease_until ?? undefined,
    attempts: record.attempts,
    limits: JSON.parse(record.limits) as RunRow['limits'],
    requestId: record.request_id,
    createdAt: record.created_at,
    claimedAt: record.claimed_at ?? undefined,
    promptedAt: record.prompted_at ?? undefined,
    endedAt: record.ended_at ?? undefined,
    cancelRequestedAt: record.cancel_requested_at ?? undefined,
    progress: record.progress,
    currentTool: record.current_tool ?? undefined,
    asks: JSON.parse(record.asks) as RunRow['asks'],
    complete: parsed(record.complete) as RunRow['complete'],
  }
}

export function toEvent(record: EventRecord): LogEvent {
  const { seq, run_id: runId, type, at, json } = record
  return { type, data: JSON.parse(json) as unknown, seq, runId: runId ?? undefined, at } as LogEvent
}

export function toQueued(record: QueuedRecord): QueuedRun {
  return {
    runId: record.run_id,
    sessionId: record.session_id,
    tenant: record.tenant,
    createdAt: record.created_at,
  }
}

function parsed(json: string | null): unknown {
  return json === null ? undefined : JSON.parse(json)
}

export function toTotals(sums: UsageSums | undefined): ModelUsageTotals {
  const { calls = 0, cost_usd: costUsd = 0, wall_ms: wallMs = 0, ...rest }: Partial<UsageSums> = sums ?? {}
  const { unpriced = 0, uncounted = 0, estimated = 0 } = rest
  const { input = 0, output = 0, reasoning = 0, cache_read = 0, cache_write = 0 } = rest
  const tokens = { input, output, reasoning, cache_read, cache_write }
  return { calls, tokens, costUsd, unpriced, uncounted, estimated, wallMs }
}
