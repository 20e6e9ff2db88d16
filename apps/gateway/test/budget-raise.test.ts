import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { createModelProxy } from '@opencode-gateway/model-proxy'
import { pino } from 'pino'
import { readKeysFile, type Scope } from '../src/config/api-keys.ts'
import { keyBudgets } from '../src/settings/key-budgets.ts'
import { eventually, temporaryDirectory, type Gateway } from './gateway.ts'
import { as, LIMIT, start } from './provider-scene.ts'

const key = (id: string, scopes: readonly Scope[], more: object = {}) => ({
  id,
  tenant: 'acme',
  scopes,
  hash: createHash('sha256').update(id).digest('hex'),
  ...more,
})
const executor = { capabilities: { options: ['model', 'model_config', 'budget'] as const } }
const usual = key('usual', ['read', 'write'], { limits: { budget: { calls: 1 } } })
const boss = key('boss', ['read', 'write', 'budgets:write'])

/** A gateway with a real proxy, through which the test calls as an engine would; the provider is never reached. */
async function startScene(t: TestContext, { dataDir, keys }: { dataDir: string; keys: readonly object[] }) {
  const read = readKeysFile(JSON.stringify(keys))
  assert.ok('keys' in read)
  const made: Partial<Pick<Gateway, 'store'>> = {}
  const log = () => made.store ?? assert.fail('there is no store yet')
  const proxy = createModelProxy({
    upstreams: new Map([['acme', { origin: 'http://127.0.0.1:1', basePath: '', headers: {}, key: undefined }]]),
    usageLog: {
      addUsage: (usage) => log().addUsage(usage),
      sumUsage: (of) => log().sumUsage(of),
      listRaised: (of) => log().listRaised(of),
      reportUsage: (query) => log().reportUsage(query),
      dropUsage: (before, limit) => log().dropUsage(before, limit),
    },
    ...keyBudgets(read.keys),
    log: pino({ level: 'silent' }),
  })
  t.after(() => proxy.close())
  await proxy.listen({ host: '127.0.0.1', port: 0 })
  const access = proxy.engines.admit({ parentOf: async () => undefined }).providers['acme']
  assert.ok(access)
  const choices = { providers: new Map([['acme', undefined]]), slots: false, endpointHosts: [] }
  const gateway = await start(t, { dataDir, executor, app: { keys: read.keys }, access: { proxy, choices } })
  made.store = gateway.store

  /** A run of the usual key that is at work. */
  async function begin(): Promise<{ path: string; call(): Promise<number> }> {
    const body = { prompt: 'gate: held', budget: { on_limit: 'ask' } }
    const answer = await gateway.call('POST', '/sessions', body, as('usual'))
    assert.equal(answer.status, 201, answer.text)
    const id = String(answer.json()['session_id'])
    await gateway.executor.waitForGate('held', t.signal)
    proxy.engines.assign(`ses_${id}`, id)
    return {
      path: `/sessions/${id}`,
      async call() {
        const headers = { authorization: `Bearer ${access?.apiKey ?? ''}`, 'x-session-id': `ses_${id}` }
        const url = `${access?.baseURL ?? ''}/chat/completions`
        return (await fetch(url, { method: 'POST', headers, body: '{"model":"m"}', signal: t.signal })).status
      },
    }
  }

  async function askOf(path: string): Promise<Record<string, unknown>> {
    const asks = async () =>
      Array.from(Object((await gateway.call('GET', `${path}/asks`, undefined, as('usual'))).json()).asks)
    await eventually(t, async () => (await asks()).length > 0)
    return Object((await asks())[0])
  }
  return { ...gateway, begin, askOf }
}

const OUT = 502

test('the budget of a key is raised by a key that may, for good, and by no other', LIMIT, async (t) => {
  const dataDir = await temporaryDirectory(t)
  const first = await startScene(t, { dataDir, keys: [usual, boss] })
  const run = await first.begin()
  assert.equal(await run.call(), OUT)
  const held = run.call()
  const ask = await first.askOf(run.path)
  const { of, scope, used } = Object(ask['budget'])
  assert.deepEqual([of, scope, used], ['key', 'budgets:write', 1])
  const raise = (who: string) =>
    first.call('POST', `${run.path}/asks/${String(ask['ask_id'])}`, { raise: { calls: 1 } }, as(who))
  const refused = await raise('usual')
  assert.equal(`${refused.status} ${String(refused.json()['code'])}`, '403 FORBIDDEN')
  assert.equal((await first.askOf(run.path))['ask_id'], ask['ask_id'], 'it is open still')
  const raised = await raise('boss')
  assert.equal(raised.status, 200, raised.text)
  assert.equal(await held, OUT, 'the call that waited goes out')
  await first.close()

  const second = await startScene(t, { dataDir, keys: [usual, boss] })
  const next = await second.begin()
  assert.deepEqual([await next.call(), await next.call()], [OUT, OUT], 'after a restart, too')
  const third = next.call()
  assert.deepEqual(Object((await second.askOf(next.path))['budget']).budget, { calls: 2 })
  await second.call('POST', `${next.path}/cancel`, undefined, as('usual'))
  assert.equal(await third, 403)
})

test('where nobody may raise the budget of a key, nobody is asked', LIMIT, async (t) => {
  const stranger = { ...boss, tenant: 'other' }
  const gateway = await startScene(t, { dataDir: await temporaryDirectory(t), keys: [usual, stranger] })
  const run = await gateway.begin()
  assert.deepEqual([await run.call(), await run.call()], [OUT, 403])
  const status = async () => (await gateway.call('GET', `${run.path}/status`, undefined, as('usual'))).json()['status']
  await eventually(t, async () => (await status()) === 'budget_exceeded')
})
