import type { RunRow } from '@opencode-gateway/contracts'
import type { Sessions } from '@opencode-gateway/sessions'

const PAGE = { limit: 1000, maxBytes: 1_048_576 }

/** What a command that has ended wrote to its standard error, out of the events after `after`. */
export async function readStderr(sessions: Pick<Sessions, 'read'>, run: RunRow, after: number): Promise<string> {
  let text = ''
  for (let cursor = after; ;) {
    const { events } = await sessions.read(run.tenant, run.sessionId, { ...PAGE, after: cursor })
    for (const event of events) {
      if (event.runId !== run.runId) continue
      if (event.type === 'output' && event.data.type === 'stderr') text += event.data.text
      if (event.type === 'complete') return text
    }
    const last = events.at(-1)
    if (last === undefined) return text
    cursor = last.seq
  }
}
