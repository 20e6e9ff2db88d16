import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { request, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { startProvider } from './provider.ts'
import { eventually, SESSION, startScene, type Scene } from './scene.ts'

const LIMIT = { timeout: 20_000 }

/** The way in of a session that has no run. */
async function openSocket(t: TestContext): Promise<Scene & { socketPath: string }> {
  const provider = await startProvider(t, (response) => response.end('{}'))
  const scene = await startScene(t, provider.address)
  const directory = await mkdtemp(join(tmpdir(), 'model-proxy-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  const socketPath = join(directory, 'models.sock')
  await scene.proxy.openSocket(SESSION, socketPath)
  return { ...scene, socketPath }
}

test('a call of a session without a run is refused before its body is read', LIMIT, async (t) => {
  const { socketPath, refused } = await openSocket(t)
  const call = request({ socketPath, path: '/acme/chat/completions', method: 'POST' }).on('error', () => {})
  t.after(() => call.destroy())
  // Its end never comes.
  call.write('{"model":')
  const [response] = (await once(call, 'response')) as [IncomingMessage]
  assert.equal(response.resume().statusCode, 403)
  assert.deepEqual(refused, ['no_run'])
})

test('a session has 64 connections and no more', LIMIT, async (t) => {
  const { socketPath } = await openSocket(t)
  let closed = 0
  const open = async (): Promise<Socket> => {
    const socket = connect(socketPath).on('error', () => {})
    socket.resume().on('close', () => (closed += 1))
    t.after(() => socket.destroy())
    await once(socket, 'connect')
    return socket
  }
  for (let count = 0; count < 64; count++) await open()
  assert.equal(closed, 0)
  await open()
  await eventually(t, () => closed === 1)
})
