import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { providerVariables } from '../../src/executors.ts'
import { filesBelow } from '../files-below.ts'
import { callOf, temporaryDirectory } from '../gateway.ts'
import { startGatewayProcess } from '../gateway-process.ts'
import { startRecordingProvider } from '../recording-provider.ts'

const KEYS = 50

test(
  'B9, D5: of fifty planted keys none is where an agent, a log or a database could show it',
  { timeout: 180_000 },
  async (t) => {
    const provider = await startRecordingProvider(t)
    const dataDir = await temporaryDirectory(t)
    const canaries: string[] = []
    const plant = (where: string): string => {
      canaries.push(`canary-${canaries.length}-${where}-${'x'.repeat(20)}`)
      return canaries.at(-1) ?? ''
    }
    // Without its resource the proxy has no address for it, and the engine could not use it either.
    const variables = providerVariables.filter((name) => !['AZURE_API_KEY', 'COHERE_API_KEY'].includes(name))
    const environment = Object.fromEntries(variables.map((name) => [name, plant(name)]))
    const auth = Object.fromEntries(
      ['anthropic', 'openai', 'google', 'mistral', 'xai'].map((name) => [
        name,
        { type: 'api', key: plant(`auth-${name}`) },
      ]),
    )
    const declared: Record<string, unknown> = {}
    for (let index = 0; canaries.length < KEYS - 4; index += 1) {
      const options = {
        baseURL: `${provider.address}/p${index}`,
        apiKey: plant('config'),
        headers: { 'x-key': plant('header') },
      }
      declared[`own-${index}`] = { npm: '@ai-sdk/openai-compatible', options, models: { one: { tool_call: true } } }
    }
    const [ofSession, ofMessage] = [plant('session'), plant('message')]
    const [ofTenant, ofNobody] = [plant('configuration'), plant('configuration')]
    assert.equal(canaries.length, KEYS)

    await using gateway = await startGatewayProcess({
      dataDir,
      env: {
        ...environment,
        LOG_LEVEL: 'trace',
        ENCRYPTION_KEY: randomBytes(32).toString('base64'),
        MODEL_ENDPOINT_HOSTS: new URL(provider.address).host,
        OPENCODE_AUTH_JSON: JSON.stringify(auth),
        OPENCODE_CONFIG_JSON: JSON.stringify({ model: 'own-0/one', small_model: 'own-0/one', provider: declared }),
      },
    })
    await gateway.ready()
    const call = callOf(t, gateway.url)
    const told: string[] = []
    const tell = async (...request: Parameters<typeof call>): Promise<Record<string, unknown>> => {
      const answer = await call(...request)
      told.push(answer.text)
      return answer.json()
    }
    const named = { kind: 'openai-compatible', api_endpoint: `${provider.address}/tenant/v1`, model: 'small' }
    for (const [name, key] of [
      ['team-a', ofTenant],
      ['team-b', ofNobody],
    ] as const) {
      assert.equal((await tell('PUT', `/providers/${name}`, { ...named, api_key: key })).has_api_key, true)
    }
    const config = (key: string) => ({ provider: 'own-1', model: 'one', api_key: key })
    const made = await tell('POST', '/sessions', { prompt: 'first', model_config: config(ofSession) })
    const path = `/sessions/${String(made.session_id)}`
    await tell('POST', `${path}/messages`, { prompt: 'second', model_config: config(ofMessage) })
    const last = { prompt: 'third', model_config: { provider: 'team-a' } }
    const { run_id: runId } = await tell('POST', `${path}/messages`, last)
    // All that an agent could see of its own engine: its shell is a child of it.
    await tell(
      'POST',
      `${path}/shell`,
      { command: 'env | tee found.txt; cat /proc/$PPID/environ /proc/self/environ | tee -a found.txt' },
      { prefer: 'wait=60' },
    )
    for (const page of ['', '/events?limit=1000', '/messages', '/status']) await tell('GET', `${path}${page}`)
    for (const page of [
      '/providers',
      '/providers/team-a',
      '/capabilities',
      '/ready',
      `/usage?by=run&run_id=${String(runId)}`,
    ])
      await tell('GET', page)
    told.push((await call('GET', '/metrics')).text)

    assert.deepEqual(
      provider.calls.map(({ headers }) => headers.authorization),
      [ofSession, ofMessage, ofTenant].map((key) => `Bearer ${key}`),
      'the keys are used',
    )
    const pid = Number(gateway.records().find(({ msg }) => msg === 'the engine is ready')?.pid)
    const ofEngine = await readFile(`/proc/${pid}/environ`, 'latin1')
    assert.ok(ofEngine.includes('"own-0"'), 'the environment of the engine is read')
    const places = new Map([
      ['the environment of the engine', ofEngine],
      ['the environment of another process', await ofProcesses('environ', [gateway.pid, process.pid])],
      ['a command line', await ofProcesses('cmdline', [])],
      ...(await filesBelow(dataDir)).map(([file, text]) => [`${file} at work`, text] as const),
    ])
    await gateway.stop()
    for (const [place, text] of [
      ['an answer or an event', told.join('\n')],
      ['the log', gateway.logged()],
      ...(await filesBelow(dataDir)),
    ] as const) {
      places.set(place, text)
    }
    for (const place of [/^gateway\.db$/, /^gateway\.db-wal at work$/, /^workspaces\/.*found\.txt$/, /^engine\//]) {
      assert.ok(
        [...places.keys()].some((name) => place.test(name)),
        `${place} is read`,
      )
    }
    assert.match(places.get('a command line') ?? '', /opencode/)
    for (const [place, text] of places) {
      const found = canaries.filter((canary) => text.includes(canary))
      assert.deepEqual(found, [], `found in ${place}`)
    }
  },
)

/** What `/proc` tells of every process that can be seen, but for these. */
async function ofProcesses(file: 'environ' | 'cmdline', except: readonly number[]): Promise<string> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && !except.includes(Number(name)))
  const read = (pid: string) => readFile(`/proc/${pid}/${file}`, 'latin1').catch(() => '')
  return (await Promise.all(pids.map(read))).join('\n')
}
