import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { request, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startProvider } from './provider.ts'
import { ENGINE_SESSION, eventually, KEY, SESSION, startScene as startIdle } from './scene.ts'

const LIMIT = { timeout: 20_000 }
const CHAT = '/chat/completions'
const session = { 'x-session-id': ENGINE_SESSION }

/** With a run at work. */
const startScene: typeof startIdle = async (...args) => {
  const scene = await startIdle(...args)
  await scene.begin()
  return scene
}

test(
  'the provider gets the call as the engine made it, with its own key in the place of the token',
  LIMIT,
  async (t) => {
    const provider = await startProvider(t, (response) => response.end('{"answer":true}'))
    const scene = await startScene(t, `${provider.address}/base/v1/`)
    const body = '{"model":"m","messages":[]}'
    const answer = await scene.call(`${CHAT}?version=1`, { body })
    assert.deepEqual(await answer.json(), { answer: true })
    const [call] = provider.calls
    assert.equal(call?.url, '/base/v1/chat/completions?version=1')
    assert.equal(call.body, body)
    assert.equal(call.headers.authorization, `Bearer ${KEY}`)
    assert.equal(call.headers['x-session-id'], ENGINE_SESSION)
    assert.equal(call.headers['x-config'], 'of the operator')
    assert.equal(JSON.stringify(provider.calls).includes(scene.access.apiKey), false)
  },
)

for (const header of ['x-api-key', 'x-goog-api-key', 'api-key']) {
  test(`a token in ${header} is exchanged there`, LIMIT, async (t) => {
    const provider = await startProvider(t, (response) => response.end('{}'))
    const { access } = await startScene(t, provider.address)
    const answer = await fetch(`${access.baseURL}/messages`, {
      method: 'POST',
      headers: { [header]: access.apiKey, ...session },
      body: '{"model":"m"}',
    })
    assert.equal(answer.status, 200)
    assert.equal(provider.calls[0]?.headers[header], KEY)
    assert.equal(provider.calls[0].headers.authorization, undefined)
  })
}

test('an error comes back as the provider said it', LIMIT, async (t) => {
  const provider = await startProvider(t, (response) => {
    response.writeHead(429, { 'retry-after': '7', 'content-type': 'application/json' }).end('{"error":"slow down"}')
  })
  const scene = await startScene(t, provider.address)
  const answer = await scene.call(CHAT)
  assert.equal(answer.status, 429)
  assert.equal(answer.headers.get('retry-after'), '7')
  assert.equal(await answer.text(), '{"error":"slow down"}')
})

test('a piece of an answer is passed on before the next one is there', LIMIT, async (t) => {
  const next = Promise.withResolvers<void>()
  const provider = await startProvider(t, async (response) => {
    response.write('data: one\n\n')
    await next.promise
    response.end('data: two\n\n')
  })
  const scene = await startScene(t, provider.address)
  const { body } = await scene.call(CHAT)
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader()
  assert.equal((await reader?.read())?.value, 'data: one\n\n')
  next.resolve()
  assert.equal((await reader?.read())?.value, 'data: two\n\n')
  assert.equal((await reader?.read())?.done, true)
})

test('a call with another token, or to a place that is no model, is refused and reaches nobody', LIMIT, async (t) => {
  const provider = await startProvider(t, (response) => response.end())
  const scene = await startScene(t, provider.address)
  const attempts = [
    scene.call(CHAT, { token: 'another' }),
    scene.call('/files'),
    scene.call('/models'),
    scene.call('/%2e%2e/chat/completions'),
    scene.call('/chat/completions/../../responses/x'),
    fetch(scene.access.baseURL.replace('acme', 'other') + CHAT, {
      method: 'POST',
      headers: { authorization: `Bearer ${scene.access.apiKey}`, ...session },
    }),
    fetch(scene.access.baseURL + CHAT, { headers: { authorization: `Bearer ${scene.access.apiKey}`, ...session } }),
    fetch(scene.access.baseURL + CHAT, { method: 'POST' }),
  ]
  const statuses = (await Promise.all(attempts)).map(({ status }) => status)
  assert.deepEqual(new Set(statuses), new Set([403]))
  assert.equal(provider.calls.length, 0)
  assert.deepEqual(new Set(scene.refused), new Set(['wrong_token', 'unknown_path']))
})

test('a token is worth nothing once its engine has ended', LIMIT, async (t) => {
  const provider = await startProvider(t, (response) => response.end('{}'))
  const scene = await startScene(t, provider.address)
  const admission = scene.proxy.engines.admit({ parentOf: async () => undefined })
  const token = admission.providers['acme']?.apiKey ?? ''
  assert.equal((await scene.call(CHAT, { token })).status, 200)
  admission.end()
  assert.equal((await scene.call(CHAT, { token })).status, 403)
})

test('a request that is too large is refused, with and without its length', LIMIT, async (t) => {
  const provider = await startProvider(t, (response) => response.end('{}'))
  const scene = await startScene(t, provider.address, { limits: { maxRequestBytes: 1000 } })
  assert.equal((await scene.call(CHAT, { body: Buffer.alloc(1001, 32) })).status, 413)
  const headers = { authorization: `Bearer ${scene.access.apiKey}`, ...session }
  const streaming = request(scene.access.baseURL + CHAT, { method: 'POST', headers })
  for (let piece = 0; piece < 20; piece += 1) streaming.write(Buffer.alloc(100, 32))
  const [streamed] = (await once(streaming, 'response')) as [IncomingMessage]
  streaming.on('error', () => {}).destroy()
  assert.equal(streamed.statusCode, 413)
  assert.equal(provider.calls.length, 0)
})

test('a provider that is down, redirects or talks nonsense gives an error that says so', LIMIT, async (t) => {
  const down = await startScene(t, 'http://127.0.0.1:1')
  const redirecting = await startProvider(t, (response) => response.writeHead(302, { location: 'http://x/' }).end())
  const nonsense = await startProvider(t, (response) => response.socket?.end('NONSENSE\r\n\r\n'))
  const scenes = [down, await startScene(t, redirecting.address), await startScene(t, nonsense.address)]
  for (const scene of scenes) {
    const answer = await scene.call(CHAT)
    assert.equal(answer.status, 502)
    assert.match(await answer.text(), /"message":"model proxy: the provider /)
  }
})

test('a run that has not come through to its provider is soon told not to try again, and why', LIMIT, async (t) => {
  const nowhere = await startScene(t, 'http://127.0.0.1:1', { limits: { unreachedPatienceMs: 0 } })
  const patient = await startScene(t, 'http://127.0.0.1:1')
  for (const [scene, status] of [
    [nowhere, 424],
    [patient, 502],
  ] as const) {
    const answer = await scene.call(CHAT)
    assert.equal(answer.status, status)
    const { error } = (await answer.json()) as { error: { message: string } }
    assert.equal(error.message, 'model proxy: the provider "acme" could not be reached: nothing listens at its address')
  }
})

test('a run that has had an answer of its provider may go on trying when that is away', LIMIT, async (t) => {
  const provider = await startProvider(t, (response) => response.end('{}'))
  const scene = await startScene(t, provider.address, { limits: { unreachedPatienceMs: 0 } })
  assert.equal((await scene.call(CHAT)).status, 200)
  provider.close()
  assert.equal((await scene.call(CHAT)).status, 502)
})

test('a provider that says nothing is given up', LIMIT, async (t) => {
  const provider = await startProvider(t, () => {})
  const scene = await startScene(t, provider.address, { limits: { silenceTimeoutMs: 50 } })
  assert.equal((await scene.call(CHAT)).status, 504)
})

test('half an answer is not taken for a whole one', LIMIT, async (t) => {
  const provider = await startProvider(t, (response) => response.write('data: half', () => response.destroy()))
  const scene = await startScene(t, provider.address)
  const answer = await scene.call(CHAT)
  assert.equal(answer.status, 200)
  await assert.rejects(answer.text())
})

test('an answer without an end is broken off at its limit', LIMIT, async (t) => {
  const piece = Buffer.alloc(64 * 1024, 'x')
  const provider = await startProvider(t, (response) => {
    const more = (): void => {
      while (!response.destroyed && response.write(piece)) continue
      response.once('drain', more)
    }
    more()
  })
  const scene = await startScene(t, provider.address, { limits: { maxAnswerBytes: 1024 ** 2 } })
  const answer = await scene.call(CHAT)
  await assert.rejects(answer.arrayBuffer())
  await eventually(t, () => provider.left() === 1)
})

test('a provider is not read faster than the engine reads, and left when the engine leaves', LIMIT, async (t) => {
  const piece = Buffer.alloc(1024 ** 2, 'x')
  let written = 0
  let blocked = false
  const provider = await startProvider(t, (response) => {
    const more = (): void => {
      blocked = false
      while (!response.destroyed && written < 100) {
        written += 1
        if (!response.write(piece)) {
          blocked = true
          break
        }
      }
    }
    response.on('drain', more)
    more()
  })
  const scene = await startScene(t, provider.address, { limits: { maxAnswerBytes: 1024 ** 3 } })
  const url = new URL(scene.access.baseURL + CHAT)
  const headers = { authorization: `Bearer ${scene.access.apiKey}`, ...session }
  const call = request(url, { method: 'POST', headers })
  call.end('{"model":"m"}')
  const [answer] = (await once(call, 'response')) as [IncomingMessage]
  answer.pause()
  call.on('error', () => {})
  answer.on('error', () => {})
  let settled = -1
  await eventually(t, () => {
    const still = blocked && settled === written
    settled = written
    return still
  })
  assert.ok(written < 50, `${written} MiB were read of the provider, and nobody took them`)
  call.destroy()
  await eventually(t, () => provider.left() === 1)
})

test('whoever connects to the socket of a session needs no token', LIMIT, async (t) => {
  const provider = await startProvider(t, (response) => response.end('{"via":"socket"}'))
  const scene = await startScene(t, provider.address)
  const directory = await mkdtemp(join(tmpdir(), 'model-proxy-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  const socketPath = join(directory, 'models.sock')
  const way = await scene.proxy.openSocket(SESSION, socketPath)
  const call = request({ socketPath, path: `/acme${CHAT}`, method: 'POST', headers: { 'x-api-key': 'any' } }).end(
    '{"model":"m"}',
  )
  const [answer] = (await once(call, 'response')) as [IncomingMessage]
  assert.equal(answer.resume().statusCode, 200)
  assert.equal(provider.calls[0]?.headers['x-api-key'], KEY)
  await way.close()
  await way.close()
})
