import assert from 'node:assert/strict'
import { test } from 'node:test'
import { followEvents } from '../src/event-stream.ts'
import type { EventStreamOptions } from '../src/event-stream.ts'

const silentLog = { debug() {}, info() {}, warn() {}, error() {}, child: () => silentLog }
const connected = 'data: {"payload":{"type":"server.connected","properties":{}}}\n\n'
const frame = (text: string): string => `data: ${JSON.stringify({ text })}\n\n`

/** Plays one connection after the other, then stops. A connection is its chunks; the last may be an error. */
async function follow(
  connections: readonly (readonly (string | Uint8Array | Error)[])[],
  options: Partial<EventStreamOptions> = {},
): Promise<readonly string[]> {
  const happened: string[] = []
  const stopping = new AbortController()
  let opened = 0
  await followEvents(
    {
      async open() {
        const chunks = connections[opened]
        opened += 1
        if (chunks === undefined) {
          stopping.abort()
          throw new Error('no more connections')
        }
        return play(chunks)
      },
      onFrame: (value) => happened.push((value as { text: string }).text),
      onConnected: () => happened.push('connected'),
      onFlowing() {},
      onDisconnected: () => happened.push('disconnected'),
      log: silentLog,
      maxFrame: 1000,
      silenceTimeoutMs: 60_000,
      connectTimeoutMs: 60_000,
      maxBackoffMs: 0,
      ...options,
    },
    stopping.signal,
  )
  return happened
}

async function* play(chunks: readonly (string | Uint8Array | Error)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    if (chunk instanceof Error) throw chunk
    yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
  }
}

test('frames are told in order, however they are cut into chunks', async () => {
  const bytes = Buffer.from(connected + frame('eins ü') + frame('zwei 😀'))
  const singles = Array.from(bytes, (_, index) => bytes.subarray(index, index + 1))
  assert.deepEqual(await follow([singles]), ['connected', 'eins ü', 'zwei 😀', 'disconnected'])
})

test('a stream that breaks is opened again, and says so', async () => {
  const happened = await follow([
    [connected, frame('a'), new Error('reset')],
    [connected, frame('b')],
  ])
  assert.deepEqual(happened, ['connected', 'a', 'disconnected', 'connected', 'b', 'disconnected'])
})

test('a refused connection is tried again', async () => {
  const happened = await follow([[new Error('refused')], [connected, frame('b')]])
  assert.deepEqual(happened, ['disconnected', 'connected', 'b', 'disconnected'])
})

test('a frame beyond the bound breaks the connection instead of filling the memory', async () => {
  const endless = Array.from({ length: 100 }, () => 'x'.repeat(100))
  const happened = await follow([
    [connected, 'data: ', ...endless, '\n\n', frame('after')],
    [connected, frame('b')],
  ])
  assert.deepEqual(happened, ['connected', 'disconnected', 'connected', 'b', 'disconnected'])
})

test('events flow from the first one on, which neither the greeting nor a heartbeat is', async () => {
  const typed = (type: string): string => `data: ${JSON.stringify({ text: type, payload: { type } })}\n\n`
  const happened: string[] = []
  await follow([[connected, typed('server.heartbeat'), typed('session.updated'), typed('session.idle')]], {
    onFlowing: () => happened.push('flowing'),
    onFrame: (value) => happened.push((value as { text: string }).text),
  })
  assert.deepEqual(happened, ['server.heartbeat', 'flowing', 'session.updated', 'session.idle'])
})

test('a frame that is not JSON is skipped', async () => {
  assert.deepEqual(await follow([[connected, 'data: {oops\n\n', frame('b')]]), ['connected', 'b', 'disconnected'])
})
