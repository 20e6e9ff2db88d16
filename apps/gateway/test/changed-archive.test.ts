import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { chmod, mkdir, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createDirectories, createSnapshots, createWorkspaces } from '@opencode-gateway/workspaces'
import { pino } from 'pino'
import { startGateway, temporaryDirectory } from './gateway.ts'
import { as, KEYS, startFilesGateway } from './workspaces.ts'

/** A session whose workspace began with some files, and has changed since. */
async function changedSession(t: TestContext) {
  const workspaceRoot = await realpath(await temporaryDirectory(t))
  const directories = createDirectories(workspaceRoot)
  await directories.prepare()
  const limits = { timeoutMs: 60_000, maxFileBytes: 1_000_000 }
  const snapshots = createSnapshots({ path: process.env.PATH ?? '', limits })
  const workspaces = createWorkspaces({ directories, snapshots })
  const gateway = await startGateway(t, { workspaces, app: { keys: KEYS } })
  const id = randomUUID()
  await gateway.call('POST', '/sessions', { session_id: id }, as('all'))
  const files = {
    'd/kept': 'kept',
    'd/changed': 'one',
    gone: 'gone',
    moved: 'a text that was moved and stays the same\n',
  }
  const ctx = { signal: t.signal, log: pino({ level: 'silent' }) }
  const { path: root } = await workspaces.open(id, { files }, ctx, () => {})
  return { ...gateway, session: `/sessions/${id}`, root }
}

/** What an archive brings to a workspace that has nothing: path and text of each file. */
async function unpacked(t: TestContext, archive: Uint8Array): Promise<Record<string, string>> {
  const to = await startFilesGateway(t)
  assert.equal((await to.files('PUT', '/archive', archive)).status, 201)
  const { entries } = (await to.files('GET', '/files?depth=9')).json() as { entries: { path: string; type: string }[] }
  const texts: Record<string, string> = {}
  for (const { path } of entries.filter(({ type }) => type === 'file'))
    texts[path] = (await to.files('GET', `/files/content?path=${encodeURIComponent(path)}`)).text
  return texts
}

async function download(t: TestContext, url: string, key: 'all' | 'usual' = 'all'): Promise<Uint8Array> {
  const answer = await fetch(url, { headers: as(key), signal: t.signal })
  assert.equal(answer.status, 200)
  return new Uint8Array(await answer.arrayBuffer())
}

test('an archive of what changed has that and nothing else', async (t) => {
  const { url, session, root } = await changedSession(t)
  assert.deepEqual(await unpacked(t, await download(t, `${url}${session}/archive?changed=true`)), {})
  await writeFile(join(root, 'd/changed'), 'two')
  await rm(join(root, 'gone'))
  await rm(join(root, 'moved'))
  await writeFile(join(root, 'd/moved'), 'a text that was moved and stays the same\n')
  await writeFile(join(root, 'new'), 'new')
  await writeFile(join(root, '.env'), 'hush')
  const expected = { 'd/changed': 'two', 'd/moved': 'a text that was moved and stays the same\n', new: 'new' }
  assert.deepEqual(await unpacked(t, await download(t, `${url}${session}/archive?changed=true`, 'usual')), expected)
  assert.deepEqual(await unpacked(t, await download(t, `${url}${session}/archive?changed=true&secrets=true`)), {
    ...expected,
    '.env': 'hush',
  })
})

test('what changed and cannot be named, or leads out, does not stand in the way of the rest', async (t) => {
  const { url, session, root } = await changedSession(t)
  const names = ['a\\..\\b', 'x\ny', ' ', '-rf', `${'d/'.repeat(130)}deep`]
  for (const name of names) {
    await mkdir(join(root, name, '..'), { recursive: true })
    await writeFile(join(root, name), 'odd')
  }
  await writeFile(Buffer.concat([Buffer.from(`${root}/not `), Buffer.from([0xff, 0xfe])]), 'bytes')
  await symlink('/etc/passwd', join(root, 'out'))
  await writeFile(join(root, 'closed'), 'x')
  await chmod(join(root, 'closed'), 0o644)
  const whole = await unpacked(t, await download(t, `${url}${session}/archive?changed=true`))
  assert.deepEqual([whole['x\ny'], whole[' '], whole['-rf'], whole.closed], ['odd', 'odd', 'odd', 'x'])
  assert.equal(whole.out, undefined)
})

test('what is gone again by the time it is packed is left out', async (t) => {
  const { url, session, root } = await changedSession(t)
  const names = Array.from({ length: 200 }, (_, index) => `n${index}`)
  for (const name of names) await writeFile(join(root, name), name)
  const removing = (async () => {
    for (let round = 0; round < 20; round += 1) {
      for (const name of names) await rm(join(root, name), { force: true })
      for (const name of names) await writeFile(join(root, name), name)
    }
  })()
  for (let round = 0; round < 5; round += 1) await download(t, `${url}${session}/archive?changed=true`)
  await removing
})
