import { GatewayError, type EventPageResult, type Store } from '@opencode-gateway/contracts'
import type { Doorbell } from './waiting/doorbell.ts'
import type { FollowPage, ReadOptions } from './types.ts'

type Page = Extract<EventPageResult, { status: 'ok' }>

/** One page of the log, or the error a client gets instead. */
export async function readPage(store: Store, sessionId: string, options: ReadOptions): Promise<Page> {
  const page = await store.readEvents({
    sessionId,
    after: options.after,
    limit: options.limit,
    ...(options.maxBytes === undefined ? {} : { maxBytes: options.maxBytes }),
  })
  switch (page.status) {
    case 'ok':
      return page
    case 'not_found':
      throw sessionNotFound(sessionId)
    case 'expired':
      throw new GatewayError(
        'CURSOR_EXPIRED',
        `Events after ${options.after} are no longer kept; the oldest is ${page.firstSeq}. Read from there, or from the session's state.`,
      )
    case 'ahead':
      throw new GatewayError(
        'CURSOR_AHEAD',
        `Cursor ${options.after} is beyond the end of the log, which is ${page.lastSeq}. Use an id that this session has sent.`,
      )
  }
}

/** The log, page by page at the consumer's pace; between pages it waits for the doorbell, not for a time. */
export async function* followLog(
  deps: { store: Store; doorbell: Doorbell },
  sessionId: string,
  options: ReadOptions & { signal: AbortSignal },
): AsyncIterable<FollowPage> {
  using bell = deps.doorbell.listen(sessionId)
  let after = options.after
  let toldEnded = false
  while (!options.signal.aborted) {
    const page = await readPage(deps.store, sessionId, { ...options, after })
    after = page.events.at(-1)?.seq ?? after
    const last = page.events.at(-1)
    const mayHaveEnded = after >= page.lastSeq && (last === undefined || last.type === 'complete')
    const ended = mayHaveEnded && (await hasEnded(deps.store, sessionId, after))
    if (page.events.length > 0 || (ended && !toldEnded)) yield { events: page.events, ended }
    toldEnded = ended
    if (after >= page.lastSeq) await bell.heard(options.signal)
  }
}

/** True when the session has had a run, has none open, and its log still ends at `lastSeq`. */
async function hasEnded(store: Store, sessionId: string, lastSeq: number): Promise<boolean> {
  const session = await store.getSession(sessionId)
  return session === undefined || (session.openRuns === 0 && session.lastSeq === lastSeq && lastSeq > 0)
}

export function sessionNotFound(sessionId: string): GatewayError {
  return new GatewayError('SESSION_NOT_FOUND', `There is no session "${sessionId}".`)
}
