import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import type { Log } from '@opencode-gateway/contracts'
import { createModelProxy, splitSettings } from '@opencode-gateway/model-proxy'
import { createServerExecutor } from '../src/index.ts'
import { prompt } from './running.ts'
import { createPlace, silentLog } from './scene.ts'

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
    const { upstreams, engine } = splitSettings({
      settings: { config, auth: {}, environment: {} },
      providerOfVariable: {},
      readText: () => '',
    })
    const proxy = createModelProxy({ upstreams, log: silentLog })
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

    const run = prompt(session, 'run: env', 'task: say: from a sub-agent', 'say: hello')
    const { status, finalMessage } = await run.outcome
    assert.deepEqual({ status, finalMessage }, { status: 'completed', finalMessage: 'hello' })
    assert.ok(place.model.requests.length >= 4)
    for (const { headers } of place.model.requests) assert.equal(headers.authorization, `Bearer ${key}`)
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8')
    assert.match(environment, /OPENCODE_CONFIG_CONTENT=.*"baseURL":"http:\/\/127\.0\.0\.1:\d+\/script"/)
    assert.equal(environment.includes(key), false, 'the key is in the environment of the engine')
    assert.equal(environment.includes(options.baseURL), false, 'the address of the provider is there')
    assert.equal(JSON.stringify(run.events).includes(key), false, 'the agent has the key')
  },
)
