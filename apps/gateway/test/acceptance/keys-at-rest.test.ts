import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { filesBelow } from '../files-below.ts'
import { callOf, eventually, temporaryDirectory } from '../gateway.ts'
import { startGatewayProcess } from '../gateway-process.ts'
import { startRecordingProvider } from '../recording-provider.ts'

test(
  'B9: a key at rest outlives a crash of the gateway, and is nowhere to be read',
  { timeout: 180_000 },
  async (t) => {
    const provider = await startRecordingProvider(t)
    const dataDir = await temporaryDirectory(t)
    const encryptionKey = randomBytes(32).toString('base64')
    const [ofTenant, ofRequest] = ['canary-key-of-the-tenant', 'canary-key-of-a-request']
    const options = { baseURL: `${provider.address}/own/v1`, apiKey: 'key-of-the-gateway' }
    const models = { one: { tool_call: true, limit: { context: 200_000, output: 8192 } } }
    const env = {
      LOG_LEVEL: 'trace',
      ENCRYPTION_KEY: encryptionKey,
      MODEL_ENDPOINT_HOSTS: new URL(provider.address).host,
      OPENCODE_CONFIG_JSON: JSON.stringify({
        model: 'own/one',
        small_model: 'own/one',
        provider: { own: { npm: '@ai-sdk/openai-compatible', options, models } },
      }),
    }
    const places = new Map<string, string>()
    const told: string[] = []
    const last = () => {
      const { path, headers } = provider.calls.at(-1) ?? assert.fail('nothing was called')
      return [path, headers.authorization]
    }
    const id = randomUUID()
    {
      await using gateway = await startGatewayProcess({ dataDir, env: { ...env, CRASH_AT: 'after-claim' } })
      await gateway.ready()
      const call = callOf(t, gateway.url)
      const config = { kind: 'openai-compatible', api_endpoint: `${provider.address}/tenant/v1`, model: 'small' }
      const made = await call('PUT', '/providers/team-a', { ...config, api_key: ofTenant, default: true })
      assert.equal(made.status, 201, made.text)
      const checked = await call('POST', '/providers/team-a/check')
      const { latency_ms: _, ...result } = checked.json()
      const found = { name: 'team-a', version: 1, ok: true, call: 'prompt', provider_status: 200, fault: null }
      assert.deepEqual(result, found)
      assert.deepEqual(last(), ['/tenant/v1/chat/completions', `Bearer ${ofTenant}`])
      assert.deepEqual((await call('GET', '/usage?by=day')).json().rows, [], 'a check is no run’s usage')
      told.push(made.text, checked.text)
      await call('POST', '/sessions', { session_id: id, prompt: 'say: one' }).catch(() => undefined)
      await eventually(t, () =>
        fetch(`${gateway.url}/health`).then(
          () => false,
          () => true,
        ),
      )
      places.set('the log of the first', gateway.logged())
    }
    for (const [file, text] of await filesBelow(dataDir)) places.set(`${file} after the crash`, text)

    await using gateway = await startGatewayProcess({ dataDir, env })
    await gateway.ready()
    const call = callOf(t, gateway.url)
    const outcome = async () => String((await call('GET', `/sessions/${id}/status`)).json().status)
    await eventually(t, async () => /completed|failed|interrupted/.test(await outcome()))
    assert.equal(await outcome(), 'completed')
    assert.deepEqual(last(), ['/tenant/v1/chat/completions', `Bearer ${ofTenant}`])
    const own = { provider: 'own', model: 'one', api_key: ofRequest }
    const run = await call('POST', '/run', { prompt: 'say: two', model_config: own })
    assert.equal(run.status, 200, run.text)
    assert.deepEqual(last(), ['/own/v1/chat/completions', `Bearer ${ofRequest}`])
    for (const path of ['', '/events?limit=1000', '/messages'])
      told.push((await call('GET', `/sessions/${id}${path}`)).text)
    for (const path of ['', '/team-a', '/team-a/versions']) told.push((await call('GET', `/providers${path}`)).text)
    told.push(run.text, (await call('GET', '/capabilities')).text, (await call('GET', '/metrics')).text)
    const pid = Number(gateway.records().find(({ msg }) => msg === 'the engine is ready')?.pid)
    places.set('the environment of the engine', await readFile(`/proc/${pid}/environ`, 'latin1'))
    await gateway.stop()
    for (const [file, text] of await filesBelow(dataDir)) places.set(file, text)
    places.set('an answer or an event', told.join('\n')).set('the log', gateway.logged())

    assert.equal([...places.keys()].filter((place) => /gateway\.db(-wal)?( |$)/.test(place)).length >= 3, true)
    for (const [place, text] of places) {
      for (const secret of [ofTenant, ofRequest, encryptionKey])
        assert.ok(!text.includes(secret), `${secret} in ${place}`)
    }
  },
)
