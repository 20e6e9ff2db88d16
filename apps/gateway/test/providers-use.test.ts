import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { resealProviderKeys } from '../src/providers/reseal.ts'
import { configOf, temporaryDirectory, type Gateway } from './gateway.ts'
import { anthropic, CANARY, ENDPOINT, LIMIT, ONE, OTHER, planted, start, TWO } from './provider-scene.ts'

test(
  'a run is called with the configuration it names, or the default, as it is when the run comes in',
  LIMIT,
  async (t) => {
    const { call, executor: fake } = await start(t)
    const put = async (name: string, body: object) =>
      assert.ok((await call('PUT', `/providers/${name}`, body)).status < 300)
    const ordered = async (more: object, status = 200) => {
      const answer = await call('POST', '/run', { prompt: 'say: x', ...more })
      assert.equal(answer.status, status, answer.text)
      const input = fake.inputs().at(-1)
      return input?.kind === 'prompt' ? { model: input.model, options: input.modelOptions } : {}
    }
    await put('team-a', anthropic)
    await put('local', { kind: 'openai-compatible', api_endpoint: ENDPOINT, model: 'small' })
    assert.deepEqual(await ordered({ model_config: { provider: 'team-a', temperature: 0.5 } }), {
      model: 'anthropic/claude-x',
      options: { provider: 'anthropic', keyed: true, temperature: 0.5, config: { name: 'team-a', version: 1 } },
    })
    assert.deepEqual(await ordered({ model_config: { provider: 'local', model: 'big', model_version: '2' } }), {
      model: 'gateway-chat/any',
      options: {
        provider: 'gateway-chat',
        model: 'big-2',
        name: 'local/big',
        endpoint: ENDPOINT,
        config: { name: 'local', version: 1, model: 'big-2' },
      },
    })
    assert.deepEqual((await ordered({})).options, undefined, 'there is no default')
    await put('team-a', { ...anthropic, default: true })
    for (const asked of [{}, { model_config: { temperature: 0.25 } }]) {
      const { options } = await ordered(asked)
      assert.deepEqual([options?.config?.name, options?.config?.version], ['team-a', 2])
    }
    assert.equal(
      (await ordered({ model: 'anthropic/claude-z' })).options,
      undefined,
      'a model that is named is the gateway’s',
    )
    const own = await ordered({ model_config: { provider: 'anthropic', model: 'm', api_key: OTHER } })
    assert.equal(own.options?.config, undefined, 'a request with a key of its own uses none')
    await put('anthropic', { kind: 'openai-compatible', api_endpoint: ENDPOINT, model: 'mine' })
    const shadowed = await ordered({ model_config: { provider: 'anthropic' } })
    assert.equal(
      shadowed.options?.endpoint,
      ENDPOINT,
      'a configuration comes before the gateway’s provider of that name',
    )
    await ordered({ model_config: { provider: 'team-a', temperature: 2 } }, 422)
    await ordered({ model: 'other/x', model_config: { provider: 'team-a' } }, 422)
  },
)

test(
  'a key is sealed for its place, opens in no other, and is sealed again after a change of keys',
  LIMIT,
  async (t) => {
    const dataDir = await temporaryDirectory(t)
    const first = await start(t, { dataDir })
    for (const [name, key] of [
      ['a', CANARY],
      ['b', OTHER],
    ] as const)
      await first.call('PUT', `/providers/${name}`, { ...anthropic, api_key: key })
    assert.deepEqual(await planted(dataDir), [], 'in the database')
    const [sealed] = await first.store.listSealedKeys(1)
    assert.ok(sealed)
    await first.store.resealKey(sealed, CANARY)
    assert.deepEqual(await planted(dataDir), ['gateway.db-wal'], 'what is planted is found')
    await first.store.resealKey({ ...sealed, sealedKey: CANARY }, sealed.sealedKey)
    const run = (gateway: Gateway, name: string) =>
      gateway.call('POST', '/run', { prompt: 'say: x', model_config: { provider: name } })
    assert.equal((await run(first, 'a')).status, 200)
    await first.close()

    const rotated = configOf({ ENCRYPTION_KEY: TWO, ENCRYPTION_KEY_PREVIOUS: ONE }).secrets.sealing
    assert.ok(rotated)
    const lines: string[] = []
    const log = pino({}, { write: (line: string) => void lines.push(line) })
    const second = await start(t, { dataDir, env: { ENCRYPTION_KEY: TWO, ENCRYPTION_KEY_PREVIOUS: ONE } })
    assert.equal((await run(second, 'a')).status, 200, 'before it is sealed again')
    await resealProviderKeys(second.store, rotated, log)
    await resealProviderKeys(second.store, rotated, log)
    assert.equal(lines.length, 1)
    assert.match(lines[0] ?? '', /"resealed":2/)
    await second.close()

    const third = await start(t, { dataDir, env: { ENCRYPTION_KEY: TWO } })
    assert.equal((await run(third, 'a')).status, 200, 'the former key can be put away')
    const [a, b] = await third.store.listSealedKeys(2)
    assert.ok(a && b)
    await third.store.resealKey(a, b.sealedKey)
    const moved = await run(third, a.name)
    assert.equal(`${moved.status} ${String(moved.json().code)}`, '422 UNSUPPORTED_OPTION')
    assert.match(moved.text, /cannot be read/)
    assert.equal((await run(third, b.name)).status, 200)
    assert.ok(!third.logged().includes('canary') && !moved.text.includes('canary'))
  },
)
