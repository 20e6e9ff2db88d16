import { once } from 'node:events'
import { get, type Agent, type IncomingMessage } from 'node:http'
import { createParser } from 'eventsource-parser'

export interface SseEvent {
  id: string | undefined
  event: string | undefined
  data: string
}

export interface SseOptions {
  url: string
  lastEventId?: string | undefined
  /** The connection is broken off after so many bytes of the body. */
  cutAfterBytes?: number | undefined
  agent?: Agent
  onOpen?(): void
  onEvent(event: SseEvent): void
}

export interface SseEnd {
  status: number
  bytes: number
  /** `cut`: by us, as asked. `ended`: the server finished the stream. `broken`: neither. */
  how: 'cut' | 'ended' | 'broken'
}

/** Reads one event stream to its end as an EventSource does: a frame that is not whole does not count. */
export async function readSse(options: SseOptions): Promise<SseEnd> {
  const { url, lastEventId, cutAfterBytes = Number.POSITIVE_INFINITY, agent, onOpen, onEvent } = options
  const request = get(url, {
    agent: agent ?? false,
    headers: { accept: 'text/event-stream', ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }) },
  })
  let response: IncomingMessage
  try {
    ;[response] = (await once(request, 'response')) as [IncomingMessage]
  } catch {
    return { status: 0, bytes: 0, how: 'broken' }
  }
  const status = response.statusCode ?? 0
  onOpen?.()
  const parser = createParser({ onEvent: ({ id, event, data }) => onEvent({ id, event, data }) })
  const decoder = new TextDecoder()
  let bytes = 0
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      const taken = chunk.subarray(0, cutAfterBytes - bytes)
      bytes += taken.length
      parser.feed(decoder.decode(taken, { stream: true }))
      if (bytes >= cutAfterBytes) return { status, bytes, how: 'cut' }
    }
    return { status, bytes, how: 'ended' }
  } catch {
    return { status, bytes, how: 'broken' }
  } finally {
    request.destroy()
  }
}
