import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { startGatewayProcess, type GatewayProcess } from './gateway-process.ts'
import { eventually, temporaryDirectory } from './gateway.ts'

const ID = '6e0c1f64-aaaa-4aaa-8aaa-0123456789ab'

async function send(t: TestContext, { url }: GatewayProcess, path: string, body?: object) {
  const response = await fetch(`${url}${path}`, {
    signal: t.signal,
    method: body === undefined ? 'GET' : 'POST',
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: Object(await response.json()) }
}

/** Starts a run in a gateway that crashes at the place, and settles when it has. */
async function crash(t: TestContext, dataDir: string, place: string): Promise<void> {
  await using gateway = await startGatewayProcess({ dataDir, env: { CRASH_AT: place } })
  await gateway.ready()
  // The answer may be lost in the crash; the id of the session is the client's own.
  await send(t, gateway, '/sessions', { session_id: ID, prompt: 'say: one\nrun: echo two >> file\nsay: three' }).catch(
    () => undefined,
  )
  await eventually(t, () =>
    fetch(`${gateway.url}/health`).then(
      () => false,
      () => true,
    ),
  )
  assert.deepEqual(await gateway.stop(), { code: null, signal: 'SIGKILL' })
}

test('P8: a run whose gateway was killed before the prompt was sent is carried out by the next one, once', async (t) => {
  const dataDir = await temporaryDirectory(t)
  await crash(t, dataDir, 'after-claim')
  await using gateway = await startGatewayProcess({ dataDir })
  await eventually(t, async () => (await send(t, gateway, `/sessions/${ID}/status`)).body.status === 'completed')
  const { body: session } = await send(t, gateway, `/sessions/${ID}`)
  assert.equal(session.runs.length, 1)
  const ran = await send(t, gateway, `/sessions/${ID}/events?limit=1000`)
  assert.equal(ran.body.events.filter(({ event }: { event: string }) => event === 'complete').length, 1)
})

test('P8: a run whose gateway was killed after that ends interrupted, and can be run again when the client says so', async (t) => {
  const dataDir = await temporaryDirectory(t)
  await crash(t, dataDir, 'after-first-event')
  await using gateway = await startGatewayProcess({ dataDir })
  await eventually(t, async () => (await send(t, gateway, `/sessions/${ID}/status`)).body.status === 'interrupted')
  const { body: status } = await send(t, gateway, `/sessions/${ID}/status`)
  assert.match(status.error.code, /^(RUN_INTERRUPTED|ENGINE_LOST)$/)
  assert.equal(status.error.retryable, true)
  const again = await send(t, gateway, `/sessions/${ID}/retry`, {})
  assert.equal(again.status, 202, JSON.stringify(again.body))
  await eventually(t, async () =>
    /completed|failed/.test((await send(t, gateway, `/sessions/${ID}/status`)).body.status),
  )
  const { body: after } = await send(t, gateway, `/sessions/${ID}/status`)
  assert.equal(after.status, 'completed', JSON.stringify(after))
})
