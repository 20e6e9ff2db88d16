import type { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { readSse, type SseEvent } from './sse.ts'

export interface TranscriptOptions {
  url: string
  /** After how many bytes the next connection is broken off; undefined reads to the end. */
  nextCut?(): number | undefined
  agent?: Agent
  signal: AbortSignal
}

export interface Transcript {
  /** The events of the log as they came, `id`, type and data. */
  lines: string[]
  connections: number
  /** Bytes of the last connection. */
  bytes: number
}

/** Reads a session's stream to the end of its run as an EventSource does, coming back with the last id it has. */
export async function readTranscript({ url, nextCut, agent, signal }: TranscriptOptions): Promise<Transcript> {
  const lines: string[] = []
  let lastEventId: string | undefined
  let complete = false
  const onEvent = ({ id, event, data }: SseEvent): void => {
    // Without an id it is no event of the log.
    if (id === undefined) return
    lastEventId = id
    complete = event === 'complete'
    lines.push(`${id} ${event} ${data}`)
  }
  for (let connections = 1; ; connections += 1) {
    const cutAfterBytes = nextCut?.()
    const end = await readSse({ url, lastEventId, cutAfterBytes, onEvent, ...(agent ? { agent } : {}) })
    // 204: the reader has everything and no run is open.
    const over = end.status === 204 || (end.how === 'ended' && complete)
    if (over) return { lines, connections, bytes: end.bytes }
    if (end.status >= 400) throw new Error(`the stream answered ${end.status} after event ${lastEventId}`)
    if (end.how === 'broken') await sleep(100, undefined, { signal })
    signal.throwIfAborted()
  }
}

/** Where two transcripts first differ, for people; undefined when they are the same. */
export function difference(got: readonly string[], wanted: readonly string[]): string | undefined {
  const length = Math.max(got.length, wanted.length)
  for (let index = 0; index < length; index += 1) {
    if (got[index] !== wanted[index]) return `event ${index + 1}: "${got[index]}" instead of "${wanted[index]}"`
  }
  return undefined
}
