import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, mkdtemp, open, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { connectToEngine, isSocketThere } from '../src/engine/engine-socket.ts'

const soon = (): AbortSignal => AbortSignal.timeout(5_000)

async function directoryOf(t: TestContext): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'sockets-'))
  t.after(() => rm(directory, { recursive: true }))
  return directory
}

/** A socket of this machine that says nothing to agents. */
async function listenOn(t: TestContext, file: string): Promise<Socket[]> {
  const connections: Socket[] = []
  const server = createServer((socket) => {
    connections.push(socket)
    socket.end('hello')
  })
  server.listen(file)
  await once(server, 'listening')
  t.after(() => server.close())
  return connections
}

test('the socket of a container is connected to, however long its path is', async (t) => {
  const directory = path.join(await directoryOf(t), 'd'.repeat(100))
  await mkdir(directory)
  const file = path.join(directory, 's')
  const handle = await open(directory)
  t.after(() => handle.close())
  assert.equal(await isSocketThere(file), false)
  await listenOn(t, `/proc/self/fd/${handle.fd}/s`)
  assert.equal(await isSocketThere(file), true)
  const socket = await connectToEngine(file, soon())
  assert.equal(String((await once(socket, 'data'))[0]), 'hello')
  socket.destroy()
})

test("a link to another socket of the machine, such as the Docker daemon's, is not followed", async (t) => {
  const directory = await directoryOf(t)
  const foreign = path.join(directory, 'docker.sock')
  const connections = await listenOn(t, foreign)
  const file = path.join(directory, 'engine.sock')
  await symlink(foreign, file)
  assert.equal(await isSocketThere(file), false)
  await assert.rejects(connectToEngine(file, soon()), { code: 'ENGINE_LOST' })
  assert.deepEqual(connections, [])
})

test('what is no socket is not connected to', async (t) => {
  const file = path.join(await directoryOf(t), 'engine.sock')
  await assert.rejects(connectToEngine(file, soon()), { code: 'ENGINE_LOST' })
  await writeFile(file, '')
  await assert.rejects(connectToEngine(file, soon()), { code: 'ENGINE_LOST' })
})
