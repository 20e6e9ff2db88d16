import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { connect } from 'node:net'
import { test, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { pino } from 'pino'
import { buildMetricsServer } from '../src/metrics/metrics-server.ts'
import { createMetrics } from '../src/metrics/metrics.ts'
import { readEvents } from './event-source.ts'
import { eventually, startGateway, type Gateway, type GatewayOptions } from './gateway.ts'
import { readSamples } from './prometheus.ts'

const PREFIX = 'opencode_gateway_'

async function scrape({ call }: Gateway) {
  const answer = await call('GET', '/metrics')
  assert.equal(answer.status, 200, answer.text)
  assert.match(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  const samples = readSamples(answer.text)
  return { text: answer.text, of: (name: string) => samples.get(PREFIX + name) }
}

async function eventuallySampled(t: TestContext, gateway: Gateway, name: string, value: number): Promise<void> {
  await eventually(t, async () => (await scrape(gateway)).of(name) === value)
}

test('B10: requests are counted by the pattern of their route, their method and the class of the status', async (t) => {
  const gateway = await startGateway(t)
  const made = await gateway.call('POST', '/sessions', {})
  await gateway.call('GET', `/sessions/${String(made.json()['session_id'])}`)
  await gateway.call('GET', '/sessions/6e0c1f64-0000-4000-8000-000000000000')
  await gateway.call('GET', '/no/such/route')
  const of = (route: string, method: string, status: string) =>
    `http_request_duration_seconds_count{method="${method}",route="${route}",status="${status}"}`
  await eventuallySampled(t, gateway, of('/sessions', 'POST', '2xx'), 1)
  await eventuallySampled(t, gateway, of('/sessions/:id', 'GET', '2xx'), 1)
  await eventuallySampled(t, gateway, of('/sessions/:id', 'GET', '4xx'), 1)
  await eventuallySampled(t, gateway, of('none', 'GET', '4xx'), 1)
})

test('runs are told that work and that wait', async (t) => {
  const gateway = await startGateway(t, { env: { MAX_CONCURRENT_SESSIONS: '1' } })
  for (const name of ['a', 'b', 'c']) await gateway.call('POST', '/sessions', { prompt: `gate: ${name}\nsay: done` })
  await gateway.executor.waitForGate('a', t.signal)
  const { of } = await scrape(gateway)
  assert.deepEqual([of('runs_working'), of('runs_queued')], [1, 2])
  for (const name of ['a', 'b', 'c']) gateway.executor.release(name)
  // In this order: between two runs nothing works while others still wait.
  await eventuallySampled(t, gateway, 'runs_queued', 0)
  await eventuallySampled(t, gateway, 'runs_working', 0)
})

test('no label has a value that clients choose', async (t) => {
  const gateway = await startGateway(t)
  const id = '0d2c7b52-1111-4111-8111-000000000000'
  await gateway.call('POST', '/run', { prompt: 'canary-prompt', labels: { 'canary-label': 'canary-value' } })
  await gateway.call('POST', '/sessions', { session_id: id, prompt: 'error: 401 canary-error' })
  await gateway.call('GET', `/sessions/${id}/events?after=0&wait=30`)
  await gateway.call('GET', `/canary-path/${id}`)
  await gateway.call('PURGE', '/sessions')
  const { text } = await scrape(gateway)
  for (const canary of ['canary', id, 'PURGE']) assert.equal(text.includes(canary), false, canary)
})

test('a request whose client left before the answer is counted as one that was left', async (t) => {
  const gateway = await startGateway(t)
  const leave = new AbortController()
  const left = fetch(`${gateway.url}/run`, { method: 'POST', body: 'gate: held\nsay: x', signal: leave.signal })
  await gateway.executor.waitForGate('held', t.signal)
  leave.abort()
  await assert.rejects(left, { name: 'AbortError' })
  const count = 'http_request_duration_seconds_count{method="POST",route="/run",status="left"}'
  await eventuallySampled(t, gateway, count, 1)
})

test('B10: runs are counted by outcome and code, with where their time went', async (t) => {
  const gateway = await startGateway(t)
  await gateway.call('POST', '/run', { prompt: 'say: one' })
  await gateway.call('POST', '/run', { prompt: 'say: two' })
  await gateway.call('POST', '/run', { prompt: 'error: 401 no' })
  const { of } = await scrape(gateway)
  assert.equal(of('runs_ended_total{code="none",outcome="completed"}'), 2)
  assert.equal(of('runs_ended_total{code="MODEL_AUTH",outcome="failed"}'), 1)
  assert.equal(of('runs_started_total{attempt="first"}'), 3)
  assert.equal(of('run_duration_seconds_count{outcome="completed"}'), 2)
  assert.equal(of('run_queue_seconds_count'), 3)
  assert.equal(of('run_open_seconds_count'), 3)
  assert.equal(of('run_first_event_seconds_count'), 2)
  assert.equal(of('run_first_token_seconds_count'), 2)
})

test('events and the time until they are visible are counted', async (t) => {
  const gateway = await startGateway(t)
  const { session_id: id } = (await gateway.call('POST', '/run', { prompt: 'say: one\nrun: echo two' })).json()
  const page = (await gateway.call('GET', `/sessions/${String(id)}/events?limit=1000`)).json()
  assert.ok(Array.isArray(page['events']))
  // What the store writes by itself when a run is taken in or claimed has no delay to measure.
  const written = page['events'].filter(({ event, data }) => event !== 'status' || data.status === 'running').length
  const { of } = await scrape(gateway)
  assert.equal(of('events_appended_total'), written)
  assert.ok((of('event_append_lag_seconds_count') ?? 0) > 0)
})

test('streams are counted: how many are open, were opened, and were resumed', async (t) => {
  const gateway = await startGateway(t)
  const made = await gateway.call('POST', '/sessions', { prompt: 'gate: held\nsay: x' })
  const url = `${gateway.url}/sessions/${String(made.json()['session_id'])}/stream`
  await gateway.executor.waitForGate('held', t.signal)
  await using first = await readEvents(url, t.signal)
  await using second = await readEvents(url, t.signal, { headers: { 'last-event-id': '1' } })
  const during = await scrape(gateway)
  assert.equal(during.of('event_streams_open'), 2)
  assert.equal(during.of('event_streams_opened_total{begin="fresh"}'), 1)
  assert.equal(during.of('event_streams_opened_total{begin="resumed"}'), 1)
  assert.equal(during.of('event_visibility_lag_seconds_count'), 0, 'a replay is not late')
  gateway.executor.release('held')
  await Promise.all([first.rest(), second.rest()])
  await eventuallySampled(t, gateway, 'event_streams_open', 0)
  const { of } = await scrape(gateway)
  assert.equal(of('event_streams_dropped_total'), 0)
  assert.ok((of('event_visibility_lag_seconds_count') ?? 0) >= 2, 'what both readers were told live')
})

test('a reader that is dropped because it takes nothing is counted', async (t) => {
  const gateway = await startGateway(t, { env: { STREAM_STALL_TIMEOUT: '200ms' } })
  const { session_id: id } = (await gateway.call('POST', '/run', { prompt: 'long: 8000000' })).json()
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1')
  t.after(() => socket.destroy())
  socket.on('error', () => {})
  socket.pause()
  socket.write(`GET /sessions/${String(id)}/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`)
  await eventuallySampled(t, gateway, 'event_streams_dropped_total', 1)
})

const engineCases: [string, GatewayOptions, Record<string, number | undefined>][] = [
  [
    'tells of its restarts and its memory',
    {
      executor: {
        health: () => ({ ok: true, engine: { version: '1', mode: 'embedded' }, restarts: 2, rssBytes: 4096 }),
      },
    },
    {
      'engine_up{mode="embedded"}': 1,
      'engine_restarts{mode="embedded"}': 2,
      'engine_resident_memory_bytes{mode="embedded"}': 4096,
    },
  ],
  [
    'does not tell of them',
    { executor: { health: () => ({ ok: true, engine: { version: '1', mode: 'remote' } }) } },
    { 'engine_up{mode="remote"}': 1, 'engine_restarts{mode="remote"}': undefined },
  ],
  [
    'has warm containers',
    {
      executor: {
        health: () => ({
          ok: true,
          engine: { version: '1', mode: 'container' },
          warm: { ready: 2, starting: 1, claimed: 5, missed: 3 },
        }),
      },
    },
    {
      'warm_containers{state="ready"}': 2,
      'warm_containers{state="starting"}': 1,
      'warm_claims{result="claimed"}': 5,
      'warm_claims{result="missed"}': 3,
    },
  ],
  ['is not well', { executor: { health: () => ({ ok: false, reason: 'gone' }) } }, { 'engine_up{mode="other"}': 0 }],
  ['is starting', { app: { startup: () => ({ status: 'starting' }) } }, { 'engine_up{mode="other"}': undefined }],
  ['did not start', { app: { startup: () => ({ status: 'failed', reason: 'no' }) } }, { 'engine_up{mode="other"}': 0 }],
]
for (const [what, options, expected] of engineCases) {
  test(`an engine that ${what} is shown as it is`, async (t) => {
    const { of } = await scrape(await startGateway(t, options))
    for (const [name, value] of Object.entries(expected)) assert.equal(of(name), value, name)
  })
}

test('with keys the metrics on the main port need one', async (t) => {
  const gateway = await startGateway(t, { env: { API_KEY: 'a-good-key' } })
  assert.equal((await gateway.call('GET', '/metrics')).status, 401)
  assert.equal((await gateway.call('GET', '/metrics', undefined, { 'x-api-key': 'a-good-key' })).status, 200)
})

test('with a port of their own the metrics are not on the main one', async (t) => {
  const gateway = await startGateway(t, { env: { METRICS_PORT: '9464' } })
  assert.equal((await gateway.call('GET', '/metrics')).status, 404)
})

test('the listener for metrics alone serves them without a key, and nothing else', async (t) => {
  const metrics = createMetrics({ process: false })
  metrics.streams.dropped()
  const server = await buildMetricsServer({
    metrics,
    health: async () => undefined,
    load: () => Promise.reject(new Error('the store is gone')),
    log: pino({ level: 'silent' }),
  })
  t.after(() => server.close())
  const url = await server.listen({ host: '127.0.0.1', port: 0 })
  const scraped = await fetch(`${url}/metrics`, { signal: t.signal })
  const samples = readSamples(await scraped.text())
  assert.equal(samples.get(`${PREFIX}event_streams_dropped_total`), 1)
  assert.equal(samples.get(`${PREFIX}runs_queued`), Number.NaN, 'what is not known is not told as 0')
  const other = await fetch(`${url}/sessions`, { signal: t.signal })
  assert.equal(other.status, 404)
  assert.equal(Object(await other.json()).code, 'NOT_FOUND')
})

test('the metrics of the process are there and do not keep it from ending', async (t) => {
  const module = new URL('../src/metrics/metrics.ts', import.meta.url).href
  const script = `const { createMetrics } = await import(${JSON.stringify(module)})
    process.stdout.write(await createMetrics({ process: true }).render())`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    signal: t.signal,
  })
  const samples = readSamples(stdout)
  assert.ok((samples.get('process_resident_memory_bytes') ?? 0) > 0)
  assert.ok(samples.has('nodejs_eventloop_lag_p99_seconds'))
})
