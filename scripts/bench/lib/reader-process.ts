// Reads event streams in a process of its own, so that what is measured shares no event loop with what measures.
import { Agent } from 'node:http'
import type { FromReader, StreamReport, ToReader } from './reader.ts'
import { readSse, type SseEvent } from './sse.ts'
import { summarize } from './stats.ts'

const agent = new Agent({ keepAlive: false, maxSockets: Number.POSITIVE_INFINITY })
const latenciesMs: number[] = []
const report: StreamReport = { open: 0, finished: 0, failed: 0, events: 0, gaps: 0, duplicates: 0 }

async function read(url: string): Promise<void> {
  let last = 0
  let openedAt = Number.POSITIVE_INFINITY
  let complete = false
  const onEvent = ({ id, event, data }: SseEvent): void => {
    const now = performance.timeOrigin + performance.now()
    // The snapshot and heartbeats are no events of the log.
    if (id === undefined) return
    const seq = Number(id)
    if (seq <= last) report.duplicates += 1
    else if (seq > last + 1) report.gaps += 1
    last = Math.max(last, seq)
    report.events += 1
    complete ||= event === 'complete'
    const sentAt = stampOf(JSON.parse(data) as Stamped)
    // What is older than the connection was replayed: it says nothing about how fast live events are.
    if (sentAt > openedAt) latenciesMs.push(now - sentAt)
  }
  const onOpen = (): void => {
    openedAt = performance.timeOrigin + performance.now()
    report.open += 1
  }
  const end = await readSse({ url, agent, onEvent, onOpen })
  report.open -= 1
  if (end.how === 'ended' && complete) report.finished += 1
  else report.failed += 1
}

interface Stamped {
  timestamp: string
  todos?: readonly { content: string }[]
}

/** When the event came into being, as exactly as it says. */
function stampOf({ todos, timestamp }: Stamped): number {
  return todos?.[0] ? Number(todos[0].content) : Date.parse(timestamp)
}

process.on('message', (message: ToReader) => {
  if (message.kind === 'read') for (const url of message.urls) void read(url)
  else {
    const tell: FromReader = { ...report, latency: summarize(latenciesMs) }
    process.send?.(tell)
  }
})
