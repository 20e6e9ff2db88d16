import type { EventBody, LogEvent, Store } from '@opencode-gateway/contracts'
import { knownSession } from '../memory/disk.ts'
import { broken, others } from './broken-store.ts'

const ahead = (store: Store, by: number): Pick<Store, 'readEvents'> => ({
  readEvents: (query) => store.readEvents({ ...query, after: Math.max(0, query.after + by) }),
})

/** Shows events otherwise than they are. */
function showing(store: Store, change: (event: LogEvent) => LogEvent): Pick<Store, 'readEvents'> {
  return {
    async readEvents(query) {
      const result = await store.readEvents(query)
      return result.status === 'ok' ? { ...result, events: result.events.map(change) } : result
    },
  }
}

/** Writes events otherwise than they are. */
function writing(store: Store, change: (event: EventBody) => EventBody): Pick<Store, 'append'> {
  return { append: (fence, events, at, patch) => store.append(fence, events.map(change), at, patch) }
}

export const brokenLog = [
  broken('leaves a gap', 'numbers the events of a batch in its order, after those that are there', (store, disk) => ({
    append(fence, ...rest) {
      knownSession(disk, fence.sessionId).lastSeq += 1
      return store.append(fence, ...rest)
    },
  })),
  broken('turns a batch round', 'numbers the events of a batch in its order, after those that are there', (store) => ({
    append: (fence, events, at, patch) =>
      store.append(fence, patch?.complete ? events : events.toReversed(), at, patch),
  })),
  broken('does not know whose an event is', 'gives every event its run and its time', (store) =>
    showing(store, (event) => ({ ...event, runId: undefined })),
  ),
  broken('loses an event now and then', 'has no gap and no duplicate after a hundred parallel batches', (store) => {
    let calls = 0
    return {
      append(fence, events, at, patch) {
        calls += 1
        return store.append(fence, calls === 50 ? [] : events, at, patch)
      },
    }
  }),
  broken('writes an event twice', 'has no gap and no duplicate after a hundred parallel batches', (store) => ({
    append(fence, events, at, patch) {
      const [first] = events
      return store.append(fence, first?.type === 'output' ? [first, ...events] : events, at, patch)
    },
  })),
  broken('mixes batches', 'has no gap and no duplicate after a hundred parallel batches', (store) => ({
    async append(fence, events, at, patch) {
      const [first, ...others] = events
      if (!first || patch) return store.append(fence, events, at, patch)
      const { firstSeq, lastSeq } = await store.append(fence, [first], at)
      let last = lastSeq
      for (const event of others) last = (await store.append(fence, [event], at)).lastSeq
      return { firstSeq, lastSeq: last }
    },
  })),
  broken('counts for all sessions at once', 'keeps the numbers of each session apart', (store, disk) => ({
    append(fence, ...rest) {
      const newest = Math.max(...[...disk.sessions.values()].map(({ lastSeq }) => lastSeq))
      knownSession(disk, fence.sessionId).lastSeq = newest
      return store.append(fence, ...rest)
    },
  })),
  broken('drops a patch without events', 'applies a patch without events', (store) => ({
    append: (fence, events, at, patch) => store.append(fence, events, at, events.length > 0 ? patch : undefined),
  })),
  broken('keeps the time of creation', 'moves the time of the last change on', (store) => ({
    async getSession(sessionId) {
      const session = await store.getSession(sessionId)
      return session && { ...session, updatedAt: session.createdAt }
    },
  })),
  broken('knows no letters but those of Europe', 'gives back any text and any JSON as it came', (store) =>
    writing(store, (event) => JSON.parse(Buffer.from(JSON.stringify(event), 'latin1').toString('latin1')) as EventBody),
  ),
  broken('cuts long texts', 'takes an event of several megabytes', (store) =>
    writing(store, (event) =>
      event.type === 'output' ? { ...event, data: { ...event.data, text: event.data.text.slice(0, 1e6) } } : event,
    ),
  ),

  broken(
    'begins a page with the last event seen',
    'stands before the next event, so that pages join without a seam',
    (store) => ahead(store, -1),
  ),
  broken(
    'skips an event between pages',
    'stands before the next event, so that pages join without a seam',
    (store) => ({
      readEvents: (query) => store.readEvents({ ...query, after: query.after === 0 ? 0 : query.after + 1 }),
    }),
  ),
  broken('waits beyond the end', 'at the end gives an empty page, beyond it the answer is ahead', (store) => ({
    async readEvents(query) {
      const result = await store.readEvents(query)
      return result.status === 'ahead' ? { ...result, status: 'ok', events: [], firstSeq: 1 } : result
    },
  })),
  broken('takes an empty log for an expired one', 'of an empty log is 0', (store) => ({
    async readEvents(query) {
      const result = await store.readEvents(query)
      return result.status === 'ok' && result.lastSeq === 0 ? { status: 'expired', firstSeq: 1, lastSeq: 0 } : result
    },
  })),
  broken('has an empty log for anybody', 'of a session that nobody knows is not found', (store) => ({
    async readEvents(query) {
      const result = await store.readEvents(query)
      return result.status === 'not_found' ? { status: 'ok', events: [], firstSeq: 1, lastSeq: 0 } : result
    },
  })),
  broken('counts characters', 'gives no more bytes than asked for, but always an event', (store) => ({
    readEvents: ({ maxBytes, ...query }) =>
      store.readEvents({ ...query, ...(maxBytes !== undefined && { maxBytes: maxBytes * 2 }) }),
  })),
  broken(
    'gives nothing when an event is too large',
    'gives no more bytes than asked for, but always an event',
    (store) => ({
      async readEvents(query) {
        const result = await store.readEvents(query)
        return result.status === 'ok' && query.maxBytes === 1 ? { ...result, events: [] } : result
      },
    }),
  ),
  broken('takes any limit', 'and every other list take no limit that is none', (store) => ({
    readEvents: (query) => store.readEvents({ ...query, limit: query.limit > 0 ? Math.min(query.limit, 1e6) : 1e6 }),
  })),

  broken('is one event behind', 'shows what has been acknowledged', (store) => ({
    async readEvents(query) {
      const result = await store.readEvents(query)
      return result.status === 'ok' ? { ...result, events: result.events.slice(0, -1) } : result
    },
  })),
  broken('notes its checks in the log', 'is proven by a check, which changes nothing', (store, disk) => ({
    async check() {
      for (const session of disk.sessions.values()) session.updatedAt += 1
      await store.check()
    },
  })),
  broken('answers after its close', 'says so when it is closed', (store) => ({
    getSession: (sessionId) => store.getSession(sessionId).catch(() => undefined),
  })),
  broken('begins anew when it is opened again', 'opens and closes as often as it is told', (store, disk) => {
    let opened = false
    return {
      async open() {
        if (opened) disk.runs.clear()
        opened = true
        await store.open()
      },
    }
  }),
  broken('closes in the middle of writes', 'lets writes under way finish before it closes', (store) => ({
    async append(...args) {
      await others()
      return store.append(...args)
    },
  })),
]
