import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '@opencode-gateway/contracts'
import { createParser } from 'eventsource-parser'
import { fieldsOf, textOf } from './read.ts'

export interface EventStreamOptions {
  /** Opens the stream; rejects when the engine does not answer. */
  open(signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>
  /** A frame arrived; `size` in characters. */
  onFrame(frame: unknown, size: number): void
  /** The stream stands, for the first time or again: whatever happened before is not in it. */
  onConnected(): void
  /** The first event since has come: from here on the stream has every one. */
  onFlowing(): void
  onDisconnected(error: unknown): void
  log: Log
  /** Longest frame, in characters; a longer one breaks the connection, and the state is read afterwards. */
  maxFrame: number
  /** The engine sends a heartbeat every 10 s; a stream that is silent longer than this is dead. */
  silenceTimeoutMs: number
  connectTimeoutMs: number
  maxBackoffMs: number
}

const FIRST_BACKOFF_MS = 50

/** Reads the engine's event stream, and opens it again whenever it breaks, until the signal aborts. */
export async function followEvents(options: EventStreamOptions, signal: AbortSignal): Promise<void> {
  let failures = 0
  while (!signal.aborted) {
    const connected = (): void => {
      failures = 0
      options.onConnected()
    }
    const error = await readOnce(options, connected, signal).catch((error: unknown) => error)
    if (signal.aborted) return
    options.onDisconnected(error ?? new Error('the engine closed the event stream'))
    const backoffMs = Math.min(options.maxBackoffMs, FIRST_BACKOFF_MS * 2 ** Math.min(failures, 16))
    failures += 1
    options.log.debug({ err: error, backoffMs }, 'the event stream of the engine broke; it is opened again')
    await sleep(backoffMs, undefined, { signal }).catch(() => undefined)
  }
}

async function readOnce(options: EventStreamOptions, connected: () => void, signal: AbortSignal): Promise<void> {
  const attempt = new AbortController()
  const timer = setTimeout(() => attempt.abort(new Error('the event stream went silent')), options.connectTimeoutMs)
  const expectMore = (): void => {
    clearTimeout(timer)
    watchdog.refresh()
  }
  const watchdog = setTimeout(
    () => attempt.abort(new Error(`the event stream was silent for ${options.silenceTimeoutMs} ms`)),
    options.silenceTimeoutMs,
  )
  let failure: Error | undefined
  let first = true
  let flowing = false
  const parser = createParser({
    maxBufferSize: options.maxFrame,
    onError: (error) => {
      failure = error
    },
    onEvent: ({ data }) => {
      const frame: unknown = parse(data, options.log)
      if (first && typeOf(frame) === 'server.connected') {
        first = false
        connected()
      } else if (frame !== undefined) {
        if (!flowing && !isOfStreamItself(frame)) {
          flowing = true
          options.onFlowing()
        }
        options.onFrame(frame, data.length)
      }
    },
  })
  try {
    const decoder = new TextDecoder()
    for await (const chunk of await options.open(AbortSignal.any([signal, attempt.signal]))) {
      expectMore()
      parser.feed(decoder.decode(chunk, { stream: true }))
      if (failure) throw failure
    }
  } finally {
    clearTimeout(timer)
    clearTimeout(watchdog)
    attempt.abort()
  }
}

function typeOf(frame: unknown): string | undefined {
  return textOf(fieldsOf(fieldsOf(frame)?.['payload'])?.['type'])
}

/** Heartbeats come whether or not events do. */
function isOfStreamItself(frame: unknown): boolean {
  return typeOf(frame)?.startsWith('server.') ?? true
}

function parse(text: string, log: Log): unknown {
  try {
    return JSON.parse(text)
  } catch (err) {
    log.warn({ err, size: text.length }, 'the engine sent a frame that is not JSON')
    return undefined
  }
}
