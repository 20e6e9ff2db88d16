import type { Sessions, SessionDetail } from '@opencode-gateway/sessions'
import type { EventStream } from './sse.ts'
import { sseFrames, sseSnapshot } from '../views/event-frame.ts'

/** What one reader holds of the log at a time. */
const PAGE = { limit: 1000, maxBytes: 262_144 }
/** How long a client waits before it connects again, milliseconds. */
const RETRY_MS = 2000

export interface FollowOptions {
  sessions: Pick<Sessions, 'follow'>
  detail: SessionDetail
  /** The id of the last event the reader has. */
  after: number
  /** Stay when no run is open. */
  stay: boolean
}

/**
 * Writes the log of a session to a stream, from the store page by page at the reader's pace: replay and live events come
 * the same way, and a slow reader costs one page. Settles with whether the last run had ended.
 */
export async function followSession(
  stream: EventStream,
  { sessions, detail, after, stay }: FollowOptions,
): Promise<boolean> {
  const beganAt = Date.now()
  await stream.write(sseSnapshot(detail, RETRY_MS, beganAt))
  const { tenant, sessionId } = detail.session
  for await (const { events, ended } of sessions.follow(tenant, sessionId, { ...PAGE, after, signal: stream.signal })) {
    const first = events.find(({ at }) => at >= beganAt)
    if (events.length > 0) await stream.write(sseFrames(events), first?.at)
    if (stream.signal.aborted) break
    if (ended && !stay) return true
  }
  return false
}
