import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, fetch, type RequestInit, type Response } from 'undici'

export interface ProxiedOptions {
  /** The port its TLS is on. */
  port: number
  apiKey: string
  /** Who signed its certificate. */
  ca: string
}

/** A proxy is right when events pass while their stream is open, large files pass, and answers come from the gateway. */
export async function assertProxies(t: TestContext, { port, apiKey, ca }: ProxiedOptions): Promise<void> {
  const dispatcher = new Agent({ connect: { ca } })
  t.after(() => dispatcher.destroy())
  const call = (method: string, path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`https://localhost:${port}${path}`, {
      ...init,
      method,
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      dispatcher,
      signal: t.signal,
    })
  await reachable(t, call)

  const made = await call('POST', '/sessions', { body: '{}' })
  assert.equal(made.status, 201)
  const session = `/sessions/${String(Object(await made.json()).session_id)}`
  const large = randomBytes(2 * 1024 * 1024)
  const path = `${session}/files/content?path=`
  assert.equal((await call('PUT', `${path}large`, { body: large })).status, 201)
  assert.deepEqual(Buffer.from(await (await call('GET', `${path}large`)).arrayBuffer()), large)

  // It goes on when an event of its has come through, and not before.
  const command = 'echo begun; until [ -e go ]; do sleep 0.1; done; echo went'
  assert.equal((await call('POST', `${session}/shell`, { body: JSON.stringify({ command }) })).status, 202)
  const stream = await call('GET', `${session}/stream`)
  assert.match(stream.headers.get('content-type') ?? '', /^text\/event-stream/)
  let seen = ''
  let told = false
  for await (const chunk of stream.body ?? []) {
    seen += Buffer.from(chunk).toString()
    if (told || !/^event: output$/m.test(seen)) continue
    told = true
    assert.equal((await call('PUT', `${path}go`, { body: '' })).status, 201)
  }
  assert.match(seen, /went/)
  assert.equal(seen.match(/^event: complete$/gm)?.length, 1)
  assert.equal((await call('DELETE', session)).status, 200)
}

/** Waits for the proxy, whose certificate is being made. */
async function reachable(t: TestContext, call: (method: string, path: string) => Promise<Response>): Promise<void> {
  for (;;) {
    try {
      if ((await call('GET', '/healthz')).status === 200) return
    } catch (error) {
      if (t.signal.aborted) throw error
    }
    await sleep(200, undefined, { signal: t.signal })
  }
}
