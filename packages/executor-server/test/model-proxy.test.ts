import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { silentLog } from '@opencode-gateway/executor-testing'
import { noTotals, type Log, type ModelUsage, type UsageLog } from '@opencode-gateway/contracts'
import { createModelProxy, readPrices, splitSettings } from '@opencode-gateway/model-proxy'
import { createServerExecutor } from '../src/index.ts'
import { prompt } from '@opencode-gateway/executor-testing/running'
import { createPlace } from './scene.ts'

const emptyLog: UsageLog = {
  addUsage: async () => {},
  sumUsage: async () => noTotals,
  listRaised: async () => [],
  reportUsage: async () => [],
  dropUsage: async () => 0,
}

test(
  'the engine reaches its model through the proxy alone, which alone has the key',
  { timeout: 60_000 },
  async (t) => {
    const place = await createPlace()
    t.after(() => place.close())
    const { config = {}, ...embedded } = place.embedded()
    const options = Object(config['provider']).script.options
    const key = 'canary-key-of-the-provider'
    Object.assign(options, { apiKey: key })
    // Without a price the engine takes the cache for free, and the proxy for other input.
    Object.assign(Object(config['provider']).script.models.scripted.cost, { cache_read: 0.1, cache_write: 1 })
    const { upstreams, engine } = splitSettings({
      settings: { config, auth: {}, environment: {} },
      providerOfVariable: {},
      readText: () => '',
    })
    const stored: ModelUsage[] = []
    const refused: string[] = []
    const proxy = createModelProxy({
      upstreams,
      usageLog: { ...emptyLog, addUsage: async (usage) => void stored.push(usage) },
      prices: readPrices(config),
      log: silentLog,
      onRefused: (why) => void refused.push(why),
    })
    place.defer(() => proxy.close())
    await proxy.listen({ host: '127.0.0.1', port: 0 })
    let pid = 0
    const log: Log = { ...silentLog, info: (fields) => void ('pid' in fields && (pid = Number(fields.pid))) }
    const executor = createServerExecutor({
      workspaceRoot: place.workspaceRoot,
      log,
      embedded: { ...embedded, ...engine, models: proxy.engines },
    })
    place.defer(() => executor.close())
    await executor.start(t.signal)
    const session = await executor.open({ sessionId: 'proxied', title: 'proxied' }, { signal: t.signal, log })

    const about = { runId: 'run', sessionId: 'proxied', tenant: 'tenant', budget: {} }
    const meter = await proxy.runs.begin(about, () => assert.fail('nothing is to be stopped'))
    const steps = ['usage: 100 20 30 5', 'run: env', 'task: say: from a sub-agent', 'say: hello']
    const run = prompt(session, ...steps)
    const { status, finalMessage, usage } = await run.outcome
    await meter.end()
    assert.deepEqual(meter.usage(), usage, 'the engine counts the same')
    assert.equal(usage.tokens.cache_read, 30)
    assert.equal(usage.model_calls, 4)
    assert.deepEqual(new Set(stored.map(({ runId, sessionId }) => `${sessionId}/${runId}`)), new Set(['proxied/run']))
    assert.deepEqual(refused, [])
    assert.deepEqual({ status, finalMessage }, { status: 'completed', finalMessage: 'hello' })
    assert.ok(place.model.requests.length >= 4)
    for (const { headers } of place.model.requests) assert.equal(headers.authorization, `Bearer ${key}`)
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8')
    assert.match(environment, /OPENCODE_CONFIG_CONTENT=.*"baseURL":"http:\/\/127\.0\.0\.1:\d+\/script"/)
    assert.equal(environment.includes(key), false, 'the key is in the environment of the engine')
    assert.equal(environment.includes(options.baseURL), false, 'the address of the provider is there')
    assert.equal(JSON.stringify(run.events).includes(key), false, 'the agent has the key')

    const ctx = { signal: t.signal, log }
    const source = { sessionId: 'proxied', ref: session.ref }
    const forked = await executor.fork?.(source, { sessionId: 'forked', title: 'forked' }, ctx)
    assert.ok(forked)
    await proxy.runs.begin({ ...about, runId: 'run-of-fork', sessionId: 'forked' }, () => {})
    const { finalMessage: said } = await prompt(forked, 'say: from the fork').outcome
    assert.equal(said, 'from the fork')
    assert.equal(stored.at(-1)?.sessionId, 'forked')
  },
)
