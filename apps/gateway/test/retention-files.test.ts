import assert from 'node:assert/strict'
import { test } from 'node:test'
import { archiveOf } from '@opencode-gateway/executor-testing/workspace-suite'
import { eventually } from './gateway.ts'
import { as, at, startFilesGateway } from './workspaces.ts'

test('what is changed through the files API keeps the workspace; a look at it does not', async (t) => {
  const { call, files, session } = await startFilesGateway(t)
  const expiry = async () => Date.parse(String((await files('GET', '/workspace')).json()['expires_at']))
  const bytes = { 'content-type': 'application/octet-stream' }
  const looks = [`/files`, `/files/info${at('a.txt')}`, `/files/content${at('a.txt')}`, '/workspace', '/archive']
  const changes: readonly (readonly [string, string, unknown?, Record<string, string>?])[] = [
    ['PUT', `/files/content${at('a.txt')}`, 'a', bytes],
    ['POST', '/files/mkdir', { path: 'dir' }],
    ['POST', '/files/move', { from: 'a.txt', to: 'dir/a.txt' }],
    ['DELETE', `/files${at('dir/a.txt')}`],
    ['PUT', '/archive', await archiveOf({ name: 'b.txt', content: 'b' })(), { 'content-type': 'application/gzip' }],
  ]
  for (const [method, path, body, headers] of changes) {
    const before = await expiry()
    for (const look of looks) await files('GET', look)
    assert.equal(await expiry(), before)
    await eventually(t, () => Date.now() + 604_800_000 > before)
    const answer = await files(method, path, body, headers)
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.text}`)
    assert.ok((await expiry()) > before, `${method} ${path}`)
  }
  assert.equal((await call('DELETE', session, undefined, as('all'))).status, 200)
  const late = await files('DELETE', `/files${at('dir')}`)
  assert.deepEqual([late.status, late.json()['code']], [409, 'SESSION_CLOSED'])
})
