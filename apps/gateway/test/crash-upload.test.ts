import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { request } from 'node:http'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { startGatewayProcess } from './gateway-process.ts'
import { callOf, eventually, temporaryDirectory } from './gateway.ts'

test(
  'a gateway that is killed in the midst of an upload leaves nothing of it after its next start',
  { timeout: 120_000 },
  async (t) => {
    const dataDir = await temporaryDirectory(t)
    const id = randomUUID()
    const workspaces = join(dataDir, 'workspaces')
    const staged = async () =>
      (await readdir(join(workspaces, '.aside', id, 'files'), { recursive: true })).filter((name) =>
        /upload-/.test(name),
      )
    {
      await using gateway = await startGatewayProcess({ dataDir })
      await gateway.ready()
      const call = callOf(t, gateway.url)
      await call('POST', '/sessions', { session_id: id })
      assert.equal((await call('PUT', `/sessions/${id}/files/content?path=f`, 'before')).status, 201)
      const upload = request(`${gateway.url}/sessions/${id}/files/content?path=f`, { method: 'PUT', signal: t.signal })
      upload.on('error', () => {})
      upload.write('half of it')
      await eventually(t, async () => (await staged()).length === 1)
      assert.equal((await gateway.stop('SIGKILL')).signal, 'SIGKILL')
    }
    assert.equal((await staged()).length, 1)
    await using gateway = await startGatewayProcess({ dataDir })
    await gateway.ready()
    assert.deepEqual(await staged(), [])
    assert.equal(await readFile(join(workspaces, id, 'f'), 'utf8'), 'before')
    const call = callOf(t, gateway.url)
    assert.equal((await call('PUT', `/sessions/${id}/files/content?path=f`, 'after')).status, 200)
    assert.deepEqual(await staged(), [])
  },
)

test('the files of a session that has had no run yet go with it, and not before', { timeout: 120_000 }, async (t) => {
  const dataDir = await temporaryDirectory(t)
  const id = randomUUID()
  const root = join(dataDir, 'workspaces', id)
  {
    await using gateway = await startGatewayProcess({ dataDir })
    await gateway.ready()
    const call = callOf(t, gateway.url)
    await call('POST', '/sessions', { session_id: id })
    assert.equal((await call('PUT', `/sessions/${id}/files/content?path=task.md`, 'the task')).status, 201)
  }
  await using gateway = await startGatewayProcess({ dataDir })
  await gateway.ready()
  const call = callOf(t, gateway.url)
  assert.equal((await call('GET', `/sessions/${id}/files/content?path=task.md`)).text, 'the task')
  const shell = { command: 'cat task.md' }
  const ran = await call('POST', `/sessions/${id}/shell`, shell, { prefer: 'wait=50' })
  assert.equal(ran.json().output, 'the task', ran.text)

  const idle = randomUUID()
  await call('POST', '/sessions', { session_id: idle })
  await call('PUT', `/sessions/${idle}/files/content?path=task.md`, 'never begun')
  for (const each of [id, idle]) {
    assert.equal((await call('DELETE', `/sessions/${each}`)).status, 200)
    assert.equal((await call('GET', `/sessions/${each}/files`)).json().code, 'WORKSPACE_NOT_FOUND')
  }
  assert.deepEqual(
    (await readdir(join(root, '..'))).filter((name) => !name.startsWith('.')),
    [],
  )
})
