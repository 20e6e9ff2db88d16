import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startProvider } from './provider.ts'
import { ENGINE_SESSION, eventually, SESSION, startScene } from './scene.ts'

const LIMIT = { timeout: 20_000 }
const CHAT = '/chat/completions'
const usage = { prompt_tokens: 10, completion_tokens: 2 }
const answer = JSON.stringify({ usage })

test('calls of a session and of its sub-agents are on account of its run', LIMIT, async (t) => {
  const provider = await startProvider(t, (response) => response.end(answer))
  const scene = await startScene(t, provider.address)
  const meter = await scene.begin({ runId: 'the-run' })
  assert.equal(meter.usage(), undefined)
  for (const id of [ENGINE_SESSION, 'ses_child', 'ses_grandchild', 'ses_grandchild']) {
    const { status } = await scene.call(CHAT, { headers: { 'x-session-id': id } })
    assert.equal(status, 200)
  }
  await meter.end()
  assert.equal(meter.usage()?.model_calls, 4)
  assert.equal(meter.usage()?.tokens.input, 40)
  assert.deepEqual(
    new Set(scene.stored.map(({ runId, sessionId }) => `${sessionId}/${runId}`)),
    new Set([`${SESSION}/the-run`]),
  )
})

test('a call for no session, an unknown one or one without a run is refused and reaches nobody', LIMIT, async (t) => {
  const provider = await startProvider(t, (response) => response.end(answer))
  const scene = await startScene(t, provider.address)
  assert.equal((await scene.call(CHAT)).status, 403)
  const meter = await scene.begin()
  assert.equal((await scene.call(CHAT, { headers: { 'x-session-id': 'ses_forged' } })).status, 403)
  assert.equal((await scene.call(CHAT, { headers: { 'x-session-id': '' } })).status, 403)
  scene.proxy.engines.assign('ses_idle', 'another-session')
  assert.equal((await scene.call(CHAT, { headers: { 'x-session-id': 'ses_idle' } })).status, 403)
  await meter.end()
  assert.equal((await scene.call(CHAT)).status, 403)
  scene.proxy.engines.release(ENGINE_SESSION)
  assert.equal((await scene.call(CHAT)).status, 403)
  assert.deepEqual(scene.refused, [
    'no_run',
    'unknown_session',
    'unknown_session',
    'no_run',
    'no_run',
    'unknown_session',
  ])
  assert.equal(provider.calls.length, 0)
})

test('an engine that does not say whose sub-agent calls has its call refused', LIMIT, async (t) => {
  const provider = await startProvider(t, (response) => response.end(answer))
  const scene = await startScene(t, provider.address)
  await scene.begin()
  const { providers } = scene.proxy.engines.admit({ parentOf: () => Promise.reject(new Error('gone')) })
  const token = providers['acme']?.apiKey ?? ''
  assert.equal((await scene.call(CHAT, { token, headers: { 'x-session-id': 'ses_child' } })).status, 403)
  assert.deepEqual(scene.refused, ['unknown_session'])
})

test('with the run its calls end', LIMIT, async (t) => {
  const provider = await startProvider(t, (response) => response.write('data: begun\n\n'))
  const scene = await startScene(t, provider.address)
  const meter = await scene.begin()
  const call = await scene.call(CHAT)
  await meter.end()
  await assert.rejects(call.text())
  await eventually(t, () => provider.left() === 1)
})
