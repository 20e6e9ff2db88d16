import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { UsageLog } from '@opencode-gateway/contracts'
import { createModelProxy } from '@opencode-gateway/model-proxy'
import { pino } from 'pino'
import { eventually, temporaryDirectory, type Gateway } from './gateway.ts'
import { anthropic, CANARY, HOST, LIMIT, ONE, OTHER, planted, start, TWO } from './provider-scene.ts'

const usageLog: UsageLog = {
  addUsage: async () => {},
  sumUsage: () => assert.fail('nothing has a budget'),
  listRaised: async () => [],
  reportUsage: async () => [],
  dropUsage: async () => 0,
}
const choices = { providers: new Map([['anthropic', undefined]]), slots: true, endpointHosts: [HOST] }
const own = (key: string) => ({ provider: 'anthropic', model: 'm', api_key: key })

/** With a real proxy, whose keys are in memory. */
async function startKeyed(t: TestContext, options: { dataDir?: string; env?: Record<string, string> } = {}) {
  const proxy = createModelProxy({ upstreams: new Map(), usageLog, slots: true, log: pino({ level: 'silent' }) })
  t.after(() => proxy.close())
  const gateway = await start(t, { ...options, app: {}, access: { proxy, choices } })
  const begin = async (body: object): Promise<{ sessionId: string; runId: string }> => {
    const answer = await gateway.call('POST', '/sessions', body)
    assert.equal(answer.status, 201, answer.text)
    return { sessionId: String(answer.json().session_id), runId: String(answer.json().run_id) }
  }
  const { of: held, ofSession } = proxy.runs.keys
  return { ...gateway, begin, held, ofSession, proxy }
}

const ended = async ({ store }: Pick<Gateway, 'store'>, runId: string) => (await store.getRun(runId))?.complete

/** A run at work and a queued one, each with a key, then a stop of the gateway. */
async function stopped(t: TestContext, env: Record<string, string> = {}) {
  const dataDir = await temporaryDirectory(t)
  const first = await startKeyed(t, { dataDir, env: { MAX_CONCURRENT_SESSIONS: '1', ...env } })
  const working = await first.begin({ prompt: 'gate: g', model_config: own(CANARY) })
  await first.executor.waitForGate('g', t.signal)
  const queued = await first.begin({ prompt: 'gate: h', model_config: own(OTHER) })
  return { dataDir, first, working, queued }
}

test('a queued run has its key after a restart, sealed until it ends, and gone when it has', LIMIT, async (t) => {
  const { dataDir, first, working, queued } = await stopped(t)
  for (const { runId } of [working, queued]) assert.match((await first.store.getRunKey(runId)) ?? '', /^v1\./)
  assert.deepEqual(await planted(dataDir), [], 'in the database')
  await first.close()
  const second = await startKeyed(t, { dataDir, env: { ENCRYPTION_KEY: TWO, ENCRYPTION_KEY_PREVIOUS: ONE } })
  await second.executor.waitForGate('h', t.signal)
  assert.equal(second.held(queued), OTHER)
  assert.equal(second.held(working), undefined, 'it was interrupted')
  assert.equal(await second.store.getRunKey(working.runId), undefined)
  second.executor.release('h')
  await eventually(t, async () => (await ended(second, queued.runId)) !== undefined)
  assert.equal((await ended(second, queued.runId))?.outcome, 'completed')
  assert.equal(await second.store.getRunKey(queued.runId), undefined)
  assert.equal(second.held(queued), undefined, 'it has ended')
  assert.ok(![first, second].some(({ logged }) => logged().includes('canary')))
})

test('a key that is gone, or cannot be opened, ends its run with a code that says so', LIMIT, async (t) => {
  for (const [before, after] of [
    [{ ENCRYPTION_KEY: '' }, { ENCRYPTION_KEY: ONE }],
    [{ ENCRYPTION_KEY: ONE }, { ENCRYPTION_KEY: TWO }],
    [{ ENCRYPTION_KEY: ONE }, { ENCRYPTION_KEY: '' }],
  ] as const) {
    const { dataDir, first, queued } = await stopped(t, before)
    await first.close()
    const second = await startKeyed(t, { dataDir, env: after })
    await eventually(t, async () => (await ended(second, queued.runId)) !== undefined)
    const complete = await ended(second, queued.runId)
    assert.equal(complete?.error?.code, 'MODEL_AUTH')
    assert.equal(await second.store.getRunKey(queued.runId), undefined)
    await second.close()
  }
})

test('a run that is cancelled in the queue leaves no key, and one that is refused none either', LIMIT, async (t) => {
  const gateway = await startKeyed(t)
  const first = await gateway.begin({ prompt: 'gate: g', model_config: own(CANARY) })
  const path = `/sessions/${first.sessionId}`
  const more = async (body: object) => await gateway.call('POST', `${path}/messages`, { prompt: 'say: x', ...body })
  const { run_id: runId } = (await more({ model_config: own(OTHER) })).json()
  const second = { sessionId: first.sessionId, runId: String(runId) }
  assert.equal(gateway.held(second), OTHER)
  await gateway.call('POST', `${path}/cancel`, { run_id: runId })
  assert.equal(await gateway.store.getRunKey(second.runId), undefined)
  assert.equal(gateway.held(second), undefined)
  assert.equal((await more({ model_config: own(CANARY) })).status, 202)

  const { keys } = gateway.proxy.runs
  const kept: string[] = []
  const keep = keys.keep
  keys.keep = (run, key) => {
    kept.push(run.runId)
    keep(run, key)
  }
  assert.equal((await more({ on_busy: 'reject', model_config: own(OTHER) })).status, 409)
  const [refused] = kept
  assert.ok(refused)
  assert.equal(gateway.held({ ...first, runId: refused }), undefined)
  assert.equal(gateway.held(first), CANARY)
})

test('the key of a session is for all its prompts, and gone with it', LIMIT, async (t) => {
  const gateway = await startKeyed(t)
  const given: string[] = []
  const { keys } = gateway.proxy.runs
  const { keep } = keys
  keys.keep = (run, key) => {
    given.push(key)
    keep(run, key)
  }
  const first = await gateway.begin({ prompt: 'error: 401 refused', model_config: own(CANARY) })
  const path = `/sessions/${first.sessionId}`
  for (const [action, body] of [
    ['retry', undefined],
    ['messages', { prompt: 'hang' }],
  ] as const) {
    await eventually(t, async () => Object((await gateway.call('GET', path)).json()).status === 'failed')
    assert.equal(gateway.held(first), undefined, 'a run that has ended has none')
    const answer = await gateway.call('POST', `${path}/${action}`, body)
    assert.equal(answer.status, 202, answer.text)
  }
  assert.deepEqual(given, [CANARY, CANARY, CANARY])
  assert.equal((await gateway.call('DELETE', path)).status, 200)
  assert.equal(gateway.ofSession(first.sessionId), undefined)
})

test('a key that comes with a message or a run is for that alone: what comes next says so', LIMIT, async (t) => {
  const gateway = await startKeyed(t)
  const { session_id: id } = (await gateway.call('POST', '/sessions', { prompt: 'say: x' })).json()
  const oneShot = { prompt: 'error: 401 refused', model_config: own(CANARY), keep_workspace: true }
  const { session_id: kept } = (await gateway.call('POST', '/run', oneShot)).json()
  const sent = await gateway.call('POST', `/sessions/${String(id)}/messages`, {
    prompt: 'hang',
    model_config: own(CANARY),
  })
  const run = { sessionId: String(id), runId: String(sent.json().run_id) }
  assert.equal(gateway.held(run), CANARY)
  const refusals = [
    await gateway.call('POST', `/sessions/${String(id)}/messages`, { prompt: 'say: x' }),
    await gateway.call('POST', `/sessions/${String(kept)}/messages`, { prompt: 'say: x' }),
    await gateway.call('POST', `/sessions/${String(kept)}/retry`),
  ]
  for (const { status, text } of refusals) assert.ok(status === 422 && text.includes('model_config.api_key'), text)
  await gateway.call('POST', `/sessions/${String(id)}/cancel`)
  assert.equal(gateway.held(run), undefined)
  for (const sessionId of [id, kept]) assert.equal(gateway.ofSession(String(sessionId)), undefined)
  const free = await gateway.call('POST', `/sessions/${String(id)}/messages`, {
    prompt: 'say: x',
    model: 'anthropic/m',
  })
  assert.equal(free.status, 202, free.text)
})

test('what comes later in a session uses the configuration as it is then', LIMIT, async (t) => {
  const gateway = await startKeyed(t)
  const put = (body: object) => gateway.call('PUT', '/providers/team-a', { ...anthropic, ...body })
  await put({})
  const config = { provider: 'team-a', temperature: 0.5 }
  const first = await gateway.begin({ prompt: 'gate: g\nerror: 401 refused', model_config: config })
  await gateway.executor.waitForGate('g', t.signal)
  assert.equal(gateway.held(first), CANARY)
  await put({ api_key: OTHER, model: 'claude-y' })
  assert.equal(gateway.held(first), CANARY, 'a run keeps what it began with')
  gateway.executor.release('g')
  await eventually(t, async () => (await ended(gateway, first.runId)) !== undefined)
  assert.equal(gateway.held(first), undefined, 'the next one has it from the configuration')

  const path = `/sessions/${first.sessionId}`
  const send = async (action: string, body?: object) => {
    const answer = await gateway.call('POST', `${path}/${action}`, body)
    assert.equal(answer.status, 202, answer.text)
    return { ...first, runId: String(answer.json().run_id) }
  }
  for (const run of [await send('retry'), await send('messages', { prompt: 'hang' })]) {
    const row = await gateway.store.getRun(run.runId)
    const { model, modelOptions } = row?.input.kind === 'prompt' ? row.input : {}
    assert.deepEqual([model, modelOptions?.config?.version, modelOptions?.temperature], ['anthropic/claude-y', 2, 0.5])
    if (row?.input.kind === 'prompt' && row.input.prompt === 'hang') assert.equal(gateway.held(run), OTHER)
    else await eventually(t, async () => (await ended(gateway, run.runId)) !== undefined)
  }
  assert.equal((await gateway.call('DELETE', '/providers/team-a')).status, 204)
  const refused = await gateway.call('POST', `${path}/messages`, { prompt: 'say: x' })
  assert.equal(`${refused.status} ${String(refused.json().code)}`, '422 UNSUPPORTED_OPTION')
  assert.match(refused.text, /team-a.*has been deleted/)
  assert.equal((await gateway.call('POST', `${path}/messages`, { prompt: 'x', model: 'anthropic/m' })).status, 202)
})
