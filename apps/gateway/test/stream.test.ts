import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { idsOf, ofType, readEvents } from './event-source.ts'
import { eventually, startGateway, temporaryDirectory, type Gateway } from './gateway.ts'

const begin = async ({ call }: Gateway, prompt: string): Promise<string> => {
  const made = await call('POST', '/sessions', { prompt })
  assert.equal(made.status, 201, made.text)
  return String(made.json().session_id)
}
const isComplete = ({ event }: { event: string }) => event === 'complete'
const isOutput = ({ event }: { event: string }) => event === 'output'
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1)

test('B3: a stream begins with a snapshot without id and has the whole run, in order, with dense ids', async (t) => {
  const gateway = await startGateway(t)
  const id = await begin(gateway, 'say: one\nrun: echo two\nsay: three')
  await using reader = await readEvents(`${gateway.url}/sessions/${id}/stream`, t.signal)
  const [snapshot, ...frames] = await reader.rest()
  assert.equal(snapshot?.event, 'status')
  assert.equal(snapshot.id, undefined)
  assert.equal(snapshot.data.snapshot, true)
  assert.deepEqual(idsOf(frames), upTo(frames.length))
  const kinds = frames.map(({ event }) => event).filter((event) => event !== 'usage' && event !== 'status')
  assert.deepEqual(kinds, ['output', 'tool_call', 'tool_result', 'output', 'complete'])
  for (const { data } of frames) {
    assert.equal(typeof data.run_id, 'string')
    assert.ok(!Number.isNaN(Date.parse(String(data.timestamp))))
  }
  assert.deepEqual(reader.retries, [2000])
})

test('a stream says how it is to be handled on its way', async (t) => {
  const gateway = await startGateway(t, { env: { EVENT_RETENTION: '1h' } })
  const id = await begin(gateway, 'say: hi')
  await using reader = await readEvents(`${gateway.url}/sessions/${id}/stream`, t.signal)
  assert.equal(reader.headers.get('cache-control'), 'no-store, no-transform')
  assert.equal(reader.headers.get('x-accel-buffering'), 'no')
  assert.equal(reader.headers.get('x-event-retention-seconds'), '3600')
  assert.equal(typeof reader.headers.get('x-request-id'), 'string')
  await reader.rest()
})

test('events are seen while the run works', async (t) => {
  const gateway = await startGateway(t)
  const id = await begin(gateway, 'say: before\nrun: true\ngate: held\nsay: after')
  await using reader = await readEvents(`${gateway.url}/sessions/${id}/stream`, t.signal)
  await reader.until(isOutput)
  await gateway.executor.waitForGate('held', t.signal)
  gateway.executor.release('held')
  const rest = await reader.rest()
  assert.equal(rest.at(-1)?.event, 'complete')
})

test('B3: heartbeats are events without id', async (t) => {
  const gateway = await startGateway(t, { env: { HEARTBEAT_INTERVAL: '100ms' } })
  const id = await begin(gateway, 'gate: held\nsay: hi')
  await using reader = await readEvents(`${gateway.url}/sessions/${id}/stream`, t.signal)
  const frames = await reader.until(({ event }) => event === 'heartbeat')
  assert.deepEqual(frames.at(-1), { id: undefined, event: 'heartbeat', data: {} })
  gateway.executor.release('held')
})

test('B3: a reader that comes back gets exactly what it has not seen, whatever it has seen', async (t) => {
  const gateway = await startGateway(t)
  const id = await begin(gateway, 'say: a\nrun: echo b\nsay: c')
  const url = `${gateway.url}/sessions/${id}/stream`
  await using whole = await readEvents(url, t.signal)
  const ids = idsOf(await whole.rest())
  for (const seen of ids.slice(0, -1)) {
    await using resumed = await readEvents(url, t.signal, { headers: { 'last-event-id': String(seen) } })
    assert.deepEqual(idsOf(await resumed.rest()), ids.slice(seen))
    await using asked = await readEvents(`${url}?after=${seen}`, t.signal)
    assert.deepEqual(idsOf(await asked.rest()), ids.slice(seen))
  }
})

test('Last-Event-ID wins over ?after=', async (t) => {
  const gateway = await startGateway(t)
  const id = await begin(gateway, 'say: a')
  await gateway.call('POST', `/sessions/${id}/shell`, { command: 'true' }, { prefer: 'wait=30' })
  await using reader = await readEvents(`${gateway.url}/sessions/${id}/stream?after=0`, t.signal, {
    headers: { 'last-event-id': '3' },
  })
  assert.equal(idsOf(await reader.rest())[0], 4)
})

test('B3: a log of more than 10 000 events is replayed without a gap, also after a restart', async (t) => {
  const dataDir = await temporaryDirectory(t)
  const first = await startGateway(t, {
    dataDir,
    executor: { instant: true },
    env: { MAX_MODEL_CALLS: '5000', MAX_QUEUED_RUNS_PER_SESSION: '100' },
  })
  const lines = Array.from({ length: 60 }, (_, index) => `+ run: echo ${index}`).join('\n')
  const id = await begin(first, `say: begin\n${lines}`)
  await using live = await readEvents(`${first.url}/sessions/${id}/stream`, t.signal)
  const frames = await live.rest()
  const { sessionId, runs } = { sessionId: id, runs: 85 }
  for (let run = 0; run < runs; run += 1) {
    const sent = await first.call('POST', `/sessions/${sessionId}/messages`, { prompt: lines })
    assert.equal(sent.status, 202, sent.text)
  }
  await using all = await readEvents(`${first.url}/sessions/${id}/stream`, t.signal)
  const ids = idsOf(await all.rest())
  assert.ok(ids.length > 10_000, `${ids.length}`)
  assert.deepEqual(ids, upTo(ids.length))
  assert.deepEqual(ids.slice(0, idsOf(frames).length), idsOf(frames))
  await first.close()

  const second = await startGateway(t, { dataDir })
  await using replay = await readEvents(`${second.url}/sessions/${id}/stream`, t.signal, {
    headers: { 'last-event-id': '10000' },
  })
  assert.deepEqual(idsOf(await replay.rest()), ids.slice(10_000))
})

test('several readers of one run all see the same', async (t) => {
  const gateway = await startGateway(t)
  const id = await begin(gateway, 'gate: held\nsay: a\nrun: echo b')
  const url = `${gateway.url}/sessions/${id}/stream`
  const readers = await Promise.all([1, 2, 3].map(() => readEvents(url, t.signal)))
  gateway.executor.release('held')
  const [one, ...others] = await Promise.all(readers.map(async (reader) => (await reader.rest()).slice(1)))
  for (const other of others) assert.deepEqual(other.slice(-3), one?.slice(-3))
  assert.deepEqual(others.map(idsOf), [idsOf(one ?? []), idsOf(one ?? [])])
})

test('at the end of a session without an open run a reader that has everything is sent away with 204', async (t) => {
  const gateway = await startGateway(t)
  const id = await begin(gateway, 'say: a')
  const url = `/sessions/${id}/stream`
  await using reader = await readEvents(`${gateway.url}${url}`, t.signal)
  const last = String(idsOf(await reader.rest()).at(-1))
  for (const answer of [
    await gateway.call('GET', url, undefined, { 'last-event-id': last }),
    await gateway.call('GET', `${url}?after=${last}`),
    await gateway.call('GET', `${url}?after=tail`),
  ]) {
    assert.equal(answer.status, 204)
    assert.equal(answer.text, '')
  }
})

test('with follow=true a reader stays for later runs', async (t) => {
  const gateway = await startGateway(t)
  const id = await begin(gateway, 'say: first')
  await using reader = await readEvents(`${gateway.url}/sessions/${id}/stream?follow=true`, t.signal)
  await reader.until(isComplete)
  assert.equal((await gateway.call('POST', `/sessions/${id}/messages`, { prompt: 'say: second' })).status, 202)
  const second = await reader.until(isComplete)
  assert.deepEqual(
    ofType(second, 'output').map(({ data }) => data.text),
    ['second'],
  )
})

test('with after=tail a reader sees only what is new', async (t) => {
  const gateway = await startGateway(t)
  const id = await begin(gateway, 'say: first')
  await using whole = await readEvents(`${gateway.url}/sessions/${id}/stream`, t.signal)
  const seen = idsOf(await whole.rest()).length
  await using reader = await readEvents(`${gateway.url}/sessions/${id}/stream?after=tail&follow=true`, t.signal)
  await gateway.call('POST', `/sessions/${id}/messages`, { prompt: 'say: second' })
  const frames = await reader.until(isComplete)
  assert.equal(idsOf(frames)[0], seen + 1)
})

test('a reader of a session without a run waits for the first one', async (t) => {
  const gateway = await startGateway(t)
  const made = await gateway.call('POST', '/sessions', {})
  assert.equal(made.json().status, 'idle')
  const id = String(made.json().session_id)
  await using reader = await readEvents(`${gateway.url}/sessions/${id}/stream`, t.signal)
  assert.equal((await reader.next())?.data.status, 'idle')
  await gateway.call('POST', `/sessions/${id}/messages`, { prompt: 'say: hi' })
  assert.equal((await reader.rest()).at(-1)?.event, 'complete')
})

test('a cursor that is no place in the log is refused while there still is a status for it', async (t) => {
  const gateway = await startGateway(t)
  const id = await begin(gateway, 'say: a')
  await using reader = await readEvents(`${gateway.url}/sessions/${id}/stream`, t.signal)
  await reader.rest()
  const cases: [string, Record<string, string>, number, string][] = [
    ['?after=abc', {}, 400, 'INVALID_CURSOR'],
    ['?after=-1', {}, 400, 'INVALID_CURSOR'],
    ['?after=1.5', {}, 400, 'INVALID_CURSOR'],
    ['', { 'last-event-id': 'tail' }, 400, 'INVALID_CURSOR'],
    ['?after=99999', {}, 400, 'CURSOR_AHEAD'],
    ['', { 'last-event-id': '99999' }, 400, 'CURSOR_AHEAD'],
    ['', { accept: 'application/json' }, 406, 'NOT_ACCEPTABLE'],
    ['?follow=perhaps', {}, 400, 'INVALID_REQUEST'],
  ]
  for (const [query, headers, status, code] of cases) {
    const answer = await gateway.call('GET', `/sessions/${id}/stream${query}`, undefined, headers)
    assert.equal(answer.status, status, `${query} ${JSON.stringify(headers)}: ${answer.text}`)
    assert.equal(answer.json().code, code)
  }
})

test('a cursor older than what is kept is answered with 410', async (t) => {
  const gateway = await startGateway(t)
  const id = await begin(gateway, 'say: a')
  await using reader = await readEvents(`${gateway.url}/sessions/${id}/stream`, t.signal)
  await reader.rest()
  await gateway.store.expire(Date.now() + 1000, Date.now(), 1000)
  for (const path of ['stream?after=1', 'events?after=1']) {
    const answer = await gateway.call('GET', `/sessions/${id}/${path}`)
    assert.equal(answer.status, 410, answer.text)
    assert.equal(answer.json().code, 'CURSOR_EXPIRED')
  }
})

test('a key has a limit of open streams, which is given back when one ends', async (t) => {
  const gateway = await startGateway(t, { env: { MAX_STREAMS_PER_KEY: '2' } })
  const id = await begin(gateway, 'gate: held\nsay: a')
  const url = `${gateway.url}/sessions/${id}/stream`
  await using first = await readEvents(url, t.signal)
  await using second = await readEvents(url, t.signal)
  for (const [method, path, headers] of [
    ['GET', `/sessions/${id}/stream`, {}],
    ['POST', '/run', { accept: 'text/event-stream' }],
  ] as const) {
    const refused = await gateway.call(method, path, method === 'POST' ? { prompt: 'say: x' } : undefined, headers)
    assert.equal(refused.status, 429)
    assert.equal(refused.json().code, 'TOO_MANY_STREAMS')
    assert.ok(Number(refused.headers.get('retry-after')) > 0)
  }
  assert.equal(gateway.executor.inputs().length, 1)
  gateway.executor.release('held')
  await Promise.all([first.rest(), second.rest()])
  await eventually(t, () => gateway.app.eventStreams.open() === 0)
  await using third = await readEvents(url, t.signal)
  await third.rest()
})

test('a reader that takes nothing is dropped, and holds no more than a page of the log', async (t) => {
  const gateway = await startGateway(t, { env: { STREAM_STALL_TIMEOUT: '300ms' } })
  const id = await begin(gateway, 'long: 8000000')
  await using reader = await readEvents(`${gateway.url}/sessions/${id}/stream`, t.signal)
  await reader.until(isComplete)
  const { port } = new URL(gateway.url)
  const socket = connect(Number(port), '127.0.0.1')
  socket.pause()
  socket.write(`GET /sessions/${id}/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`)
  socket.on('error', () => {})
  const [connection] = await once(gateway.app.server, 'connection', { signal: t.signal })
  await once(connection, 'close', { signal: t.signal })
  await eventually(t, () => gateway.app.eventStreams.open() === 0)
  socket.destroy()
})

test('a reader that leaves frees its stream', async (t) => {
  const gateway = await startGateway(t)
  const id = await begin(gateway, 'gate: held\nsay: a')
  const connected = once(gateway.app.server, 'connection', { signal: t.signal })
  const reader = await readEvents(`${gateway.url}/sessions/${id}/stream`, t.signal)
  const [connection] = await connected
  assert.equal(gateway.app.eventStreams.open(), 1)
  reader.close()
  await once(connection, 'close', { signal: t.signal })
  await eventually(t, () => gateway.app.eventStreams.open() === 0)
  gateway.executor.release('held')
})

test('when the gateway stops, streams are told when to come back and end', async (t) => {
  const gateway = await startGateway(t)
  const id = await begin(gateway, 'gate: held\nsay: a')
  await using reader = await readEvents(`${gateway.url}/sessions/${id}/stream`, t.signal)
  await reader.next()
  const closing = gateway.app.close()
  const rest = await reader.rest()
  await closing
  assert.equal(rest.some(isComplete), false)
  assert.deepEqual(reader.retries, [2000, 3000])
})

test('HEAD tells what the stream is without opening one', async (t) => {
  const gateway = await startGateway(t)
  const id = await begin(gateway, 'say: a')
  const answer = await gateway.call('HEAD', `/sessions/${id}/stream`)
  assert.equal(answer.status, 200)
  assert.match(answer.headers.get('content-type') ?? '', /^text\/event-stream/)
  assert.equal(gateway.app.eventStreams.open(), 0)
})
