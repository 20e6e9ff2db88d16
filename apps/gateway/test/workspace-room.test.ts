import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { archiveOf } from '@opencode-gateway/executor-testing/workspace-suite'
import { eventually } from './gateway.ts'
import { at, startFilesGateway } from './workspaces.ts'

const MEBIBYTE = 1024 * 1024

test('what comes in is bounded by what the workspace may hold, and not by the sizes of files alone', async (t) => {
  const gateway = await startFilesGateway(t, {
    env: { WORKSPACE_MAX_BYTES: String(2 * MEBIBYTE), RATE_LIMIT_MAX: '100000' },
  })
  const { files, root } = gateway
  const half = randomBytes(MEBIBYTE)
  const put = (name: string, content: Buffer) => files('PUT', `/files/content${at(name)}`, content)
  assert.equal((await put('one', half)).status, 201)
  const large = await put('large', randomBytes(1.5 * MEBIBYTE))
  assert.deepEqual([large.status, large.json().code], [507, 'WORKSPACE_FULL'])
  const archive = await files(
    'PUT',
    '/archive',
    await archiveOf({ name: 'x', content: half }, { name: 'y', content: half })(),
  )
  assert.deepEqual([archive.status, archive.json().code], [422, 'ARCHIVE_REFUSED'])
  assert.match(String(archive.json().detail), /more than \d+ bytes/)
  assert.deepEqual(await readdir(root), ['one'])
  assert.equal((await put('two', half.subarray(0, 900_000))).status, 201)
  // What the agent wrote counts from the next look on, whenever that is.
  await writeFile(join(root, 'agent'), half)
  await eventually(t, async () => (await put('more', half.subarray(0, 1000))).status === 507)
  const full = await files('PUT', '/archive', await archiveOf({ name: 'x', content: 'x' })())
  assert.deepEqual([full.status, full.json().code], [507, 'WORKSPACE_FULL'])
  await rm(join(root, 'agent'))
  const again = await put('again', half.subarray(0, 1000))
  assert.equal(again.status, 201, 'there is room again at once')
})

test('files are counted too', async (t) => {
  const { files, root } = await startFilesGateway(t, { env: { WORKSPACE_MAX_FILES: '3' } })
  const filesNamed = (...names: string[]) => archiveOf(...names.map((name) => ({ name, content: 'x' })))()
  const many = await files('PUT', '/archive', await filesNamed('a', 'b', 'c', 'd'))
  assert.deepEqual([many.status, many.json().code], [422, 'ARCHIVE_REFUSED'])
  assert.deepEqual(await readdir(root), [])
  assert.equal((await files('PUT', '/archive', await filesNamed('a', 'b'))).status, 201)
  assert.equal((await files('PUT', `/files/content${at('c')}`, 'x')).status, 201)
  const more = await files('PUT', `/files/content${at('d')}`, 'x')
  assert.deepEqual([more.status, more.json().code], [507, 'WORKSPACE_FULL'])
})
