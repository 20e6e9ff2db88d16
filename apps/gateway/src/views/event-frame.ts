import type { EventFrame, LogEvent, SessionRow } from '@opencode-gateway/contracts'
import type { SessionDetail } from '@opencode-gateway/sessions'
import { asksOf } from './ask-view.ts'
import { isoTime } from './run-view.ts'

/** An event as clients see it: its data with the run it belongs to and its time. */
export function eventFrame({ seq, type, data, runId, at }: LogEvent): EventFrame {
  return {
    id: seq,
    event: type,
    data: { ...data, ...(runId === undefined ? {} : { run_id: runId }), timestamp: isoTime(at) },
  }
}

/**
 * Events as server-sent frames, in one text. Ids are our own numbers and data is JSON, which has no line breaks: nothing
 * in it can begin a field of its own.
 */
export function sseFrames(events: readonly LogEvent[]): string {
  let frames = ''
  for (const event of events) {
    const { id, event: type, data } = eventFrame(event)
    frames += `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`
  }
  return frames
}

/** Where the session is at the time of connecting. Without an id: it is no event, and no place to resume from. */
export function sseSnapshot(
  { session, runs, current, queuePosition, reasons }: SessionDetail,
  retryMs: number,
  at: number,
): string {
  const asks = asksOf(runs)
  const reason = current && reasons.get(current.runId)
  const data = {
    ...snapshotOf(session, current),
    ...(queuePosition ? { queue_position: queuePosition } : {}),
    ...(reason === undefined ? {} : { reason }),
    ...(asks.length === 0 ? {} : { asks }),
  }
  const text = JSON.stringify({ ...data, snapshot: true, timestamp: isoTime(at) })
  return `retry: ${retryMs}\nevent: status\ndata: ${text}\n\n`
}

export const SSE_HEARTBEAT = 'event: heartbeat\ndata: {}\n\n'

function snapshotOf({ status }: SessionRow, run: SessionDetail['current']) {
  return {
    status,
    ...(run === undefined ? {} : { progress: run.progress }),
    ...(run?.currentTool === undefined ? {} : { current_tool: run.currentTool }),
    ...(run === undefined ? {} : { run_id: run.runId }),
  }
}
