import assert from 'node:assert/strict'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { startGatewayProcess } from './gateway-process.ts'
import { callOf, eventually, temporaryDirectory } from './gateway.ts'
import { engineSessions, filesIn, startRealGateway } from './real-engine.ts'
import { at, startFilesGateway } from './workspaces.ts'

test(
  'the workspace of a session goes when its retention is over, and so does what its engine has of it',
  { timeout: 120_000 },
  async (t) => {
    // So often it is looked for what is over.
    const real = await startRealGateway({ env: { EVENT_RETENTION: '1s' } })
    t.after(() => real[Symbol.asyncDispose]())
    const call = callOf(t, real.url)
    const made = await call('POST', '/sessions', { prompt: 'write: a.txt | a', retention: '2s' })
    const kept = await call('POST', '/sessions', { files: { 'b.txt': 'b' }, prompt: 'say: kept' })
    const [id, keptId] = [made, kept].map((answer) => String(answer.json()['session_id']))
    const session = async () => (await call('GET', `/sessions/${id}`)).json()
    await eventually(t, async () => (await session())['closed'] === true)
    assert.equal((await session())['status'], 'completed')
    await eventually(t, async () => (await call('GET', `/sessions/${id}/workspace`)).status === 404)
    const late = await call('POST', `/sessions/${id}/messages`, { prompt: 'say: late' })
    assert.deepEqual([late.status, late.json()['code']], [409, 'SESSION_CLOSED'])

    const status = async () => (await call('GET', `/sessions/${keptId}/status`)).json()
    await eventually(t, async () => (await status())['status'] === 'completed')
    await eventually(t, () => engineSessions(real).length === 1)
    assert.deepEqual(
      (await filesIn(real.workspaceRoot)).filter((name) => !name.includes(String(keptId))),
      [],
    )
    const workspace = (await call('GET', `/sessions/${keptId}/workspace`)).json()
    assert.equal(workspace['retention_seconds'], 604_800)
    const last = Date.parse(String((await status())['last_activity']))
    assert.equal(Date.parse(String(workspace['expires_at'])), last + 604_800_000)
  },
)

test('files of a session that has not begun stay over a restart, and go with the session', async (t) => {
  const dataDir = await temporaryDirectory(t)
  let id = ''
  {
    await using gateway = await startGatewayProcess({ dataDir })
    await gateway.ready()
    const call = callOf(t, gateway.url)
    id = String((await call('POST', '/sessions', {})).json()['session_id'])
    const put = await call('PUT', `/sessions/${id}/files/content${at('a.txt')}`, 'a', {
      'content-type': 'application/octet-stream',
    })
    assert.equal(put.status, 201, put.text)
  }
  await using gateway = await startGatewayProcess({ dataDir })
  await gateway.ready()
  const call = callOf(t, gateway.url)
  assert.equal((await call('GET', `/sessions/${id}/files/content${at('a.txt')}`)).text, 'a')
  assert.equal((await call('DELETE', `/sessions/${id}`)).status, 200)
  assert.equal((await call('GET', `/sessions/${id}/files`)).json()['code'], 'WORKSPACE_NOT_FOUND')
  await assert.rejects(access(join(dataDir, 'workspaces', id)), { code: 'ENOENT' })
})

test('a retention is from a second to a year', async (t) => {
  const { call, files } = await startFilesGateway(t)
  for (const retention of ['0s', '500ms', '366d', 'soon', 0, -1, true]) {
    const answer = await call('POST', '/sessions', { retention }, { 'x-api-key': 'all' })
    assert.deepEqual([answer.status, answer.json()['code']], [400, 'INVALID_REQUEST'], String(retention))
  }
  for (const retention of ['1s', '365d', 86_400]) {
    const answer = await call('POST', '/sessions', { retention }, { 'x-api-key': 'all' })
    assert.equal(answer.status, 201, answer.text)
  }
  const workspace = (await files('GET', '/workspace')).json()
  assert.equal(workspace['retention_seconds'], 604_800)
})
