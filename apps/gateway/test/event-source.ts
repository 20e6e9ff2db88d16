import assert from 'node:assert/strict'
import { createParser, type EventSourceMessage } from 'eventsource-parser'

export interface Frame {
  id: number | undefined
  event: string
  data: Record<string, unknown>
}

/** Somebody reading an event stream, as a browser's EventSource does. */
export interface Reader extends AsyncDisposable {
  headers: Headers
  /** The next frame; undefined at the end of the stream. */
  next(): Promise<Frame | undefined>
  /** Frames up to and including the first that fits. */
  until(fits: (frame: Frame) => boolean): Promise<Frame[]>
  /** All that is left. */
  rest(): Promise<Frame[]>
  /** Values of `retry:` so far. */
  retries: number[]
  close(): void
}

export async function readEvents(url: string, signal: AbortSignal, init: RequestInit = {}): Promise<Reader> {
  const leave = new AbortController()
  const response = await fetch(url, { ...init, signal: AbortSignal.any([signal, leave.signal]) })
  assert.equal(response.status, 200)
  assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/)
  assert.ok(response.body)
  const queue: Frame[] = []
  const retries: number[] = []
  const parser = createParser({
    onEvent: (message) => void queue.push(frameOf(message)),
    onRetry: (retryMs) => void retries.push(retryMs),
  })
  const chunks = response.body.pipeThrough(new TextDecoderStream()).getReader()

  async function next(): Promise<Frame | undefined> {
    while (queue.length === 0) {
      const { done, value } = await chunks.read()
      if (done) return undefined
      parser.feed(value)
    }
    return queue.shift()
  }

  async function until(fits: (frame: Frame) => boolean): Promise<Frame[]> {
    const frames: Frame[] = []
    for (;;) {
      const frame = await next()
      if (frame === undefined) assert.fail(`the stream ended after ${JSON.stringify(frames)}`)
      frames.push(frame)
      if (fits(frame)) return frames
    }
  }

  return {
    headers: response.headers,
    retries,
    next,
    until,
    async rest() {
      const frames: Frame[] = []
      for (let frame = await next(); frame !== undefined; frame = await next()) frames.push(frame)
      return frames
    },
    close: () => leave.abort(),
    [Symbol.asyncDispose]: async () => {
      leave.abort()
      // What had come to its end unread would never be closed by the abort.
      await chunks.cancel().catch(() => {})
    },
  }
}

export const ofType = (frames: readonly Frame[], event: string): Frame[] =>
  frames.filter((frame) => frame.event === event)

/** Ids of the frames that have one. */
export const idsOf = (frames: readonly Frame[]): number[] => frames.flatMap(({ id }) => (id === undefined ? [] : [id]))

/** An event as the parser gives it, its data as JSON. */
export function frameOf({ id, event, data }: EventSourceMessage): Frame {
  const parsed: unknown = JSON.parse(data)
  assert.ok(typeof parsed === 'object' && parsed !== null)
  if (id !== undefined) assert.match(id, /^\d+$/)
  return { id: id === undefined ? undefined : Number(id), event: event ?? 'message', data: { ...parsed } }
}
