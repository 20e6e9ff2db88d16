import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chown, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import type { TestContext } from 'node:test'
import { createDirectories } from '../src/directories.ts'
import type { Directories } from '../src/directories.ts'
import { crashAfterCall } from './crash-in.ts'

/** What a root holds that no session uses. */
const NOTHING = ['.aside', '.sessions', '.shell']

const everythingIn = async (root: string): Promise<string[]> => (await readdir(root, { recursive: true })).sort()

async function workspacesFor(t: TestContext): Promise<Directories & { root: string }> {
  const root = await mkdtemp(path.join(tmpdir(), 'workspaces-'))
  t.after(() => rm(root, { recursive: true }))
  const workspaces = createDirectories(root)
  await workspaces.prepare()
  return { ...workspaces, root }
}

test('a workspace is for its owner alone', async (t) => {
  const workspaces = await workspacesFor(t)
  const directory = await workspaces.create('one')
  assert.equal((await stat(directory)).mode & 0o777, 0o700)
})

test('a workspace is found again and made again with what it holds', async (t) => {
  const workspaces = await workspacesFor(t)
  const directory = await workspaces.create('one')
  await writeFile(path.join(directory, 'kept.txt'), 'kept')
  assert.equal(await workspaces.find('one'), directory)
  assert.equal(await workspaces.create('one'), directory)
  assert.deepEqual(await readdir(directory), ['kept.txt'])
})

test('a directory that is not ours is neither taken nor listed', async (t) => {
  const workspaces = await workspacesFor(t)
  await mkdir(path.join(workspaces.root, 'foreign'))
  await assert.rejects(workspaces.create('foreign'), { code: 'WORKSPACE_ERROR' })
  assert.equal(await workspaces.find('foreign'), undefined)
  assert.deepEqual(await workspaces.list(), [])
  assert.deepEqual((await readdir(workspaces.root)).sort(), ['.aside', '.sessions', '.shell', 'foreign'])
})

test('a removed workspace leaves nothing, and removing follows no link', async (t) => {
  const workspaces = await workspacesFor(t)
  const directory = await workspaces.create('one')
  const outside = await mkdtemp(path.join(tmpdir(), 'outside-'))
  t.after(() => rm(outside, { recursive: true }))
  await writeFile(path.join(outside, 'precious'), '')
  await symlink(outside, path.join(directory, 'link'))
  await mkdir(workspaces.beside('one', 'shell'), { recursive: true })
  await mkdir(workspaces.beside('one', 'aside'), { recursive: true })
  await workspaces.remove('one')
  await workspaces.remove('one')
  assert.deepEqual(await readdir(outside), ['precious'])
  assert.deepEqual(await everythingIn(workspaces.root), NOTHING)
})

test('a crash anywhere while a workspace is made leaves one that is made again and removed whole', async (t) => {
  let crashes = 0
  for (let nth = 1; ; nth += 1) {
    const workspaces = await workspacesFor(t)
    if (!crashAfterCall(workspaces.root, nth)) break
    crashes += 1
    assert.ok(await workspaces.create('one'), `after call ${nth}`)
    await workspaces.remove('one')
    assert.deepEqual(await everythingIn(workspaces.root), NOTHING)
  }
  assert.ok(crashes > 2)
})

test('what a crash left of making a workspace is swept like one that was made', async (t) => {
  for (let nth = 1; ; nth += 1) {
    const workspaces = await workspacesFor(t)
    if (!crashAfterCall(workspaces.root, nth)) break
    for (const sessionId of await workspaces.list()) await workspaces.remove(sessionId)
    assert.deepEqual(await everythingIn(workspaces.root), NOTHING, `after call ${nth}`)
  }
})

test('a directory that came from elsewhere while ours was claimed is left alone', async (t) => {
  const workspaces = await workspacesFor(t)
  assert.ok(crashAfterCall(workspaces.root, await callThatClaims(t)))
  await mkdir(path.join(workspaces.root, 'one'))
  await writeFile(path.join(workspaces.root, 'one', 'precious'), '')
  await assert.rejects(workspaces.create('one'), { code: 'WORKSPACE_ERROR' })
  await workspaces.remove('one')
  assert.deepEqual(await readdir(path.join(workspaces.root, 'one')), ['precious'])
})

/** The first call of the file system after which the session is ours and its directory is not there yet. */
async function callThatClaims(t: TestContext): Promise<number> {
  for (let nth = 1; ; nth += 1) {
    const workspaces = await workspacesFor(t)
    assert.ok(crashAfterCall(workspaces.root, nth), 'nothing was claimed before the directory was made')
    if ((await workspaces.list()).length > 0) return nth
  }
}

test('a name that leads elsewhere is refused', async (t) => {
  const workspaces = await workspacesFor(t)
  for (const name of ['..', '../up', '/abs', '.hidden', '', 'a/b', 'a\0b', 'x'.repeat(129)]) {
    await assert.rejects(async () => await workspaces.create(name), { code: 'WORKSPACE_ERROR' }, name)
  }
})

for (const name of ['.git', 'AGENTS.md']) {
  test(`a root below ${name} is refused`, async (t) => {
    const { root } = await workspacesFor(t)
    await writeFile(path.join(root, name), '')
    await assert.rejects(createDirectories(path.join(root, 'below', 'it')).prepare(), /WORKSPACE_ROOT/)
  })
}

test('a workspace is removed whatever an agent has made in it', async (t) => {
  const workspaces = await workspacesFor(t)
  const odd = {
    deep: 'n=$(printf "d%.0s" $(seq 200)); for i in $(seq 60); do mkdir $n; cd -P $n; done; touch f',
    bytes: 'mkdir "$(printf "d\\376")"; touch "$(printf "d\\376/f\\377")"',
    pipes: 'mkfifo p; ln -s / root; ln -s . self; mkdir -- -rf',
  }
  for (const [name, command] of Object.entries(odd)) {
    const directory = await workspaces.create(name)
    await promisify(execFile)('bash', ['-c', command], { cwd: directory })
    await workspaces.remove(name)
    assert.equal(await workspaces.find(name), undefined)
    await assert.rejects(stat(directory), { code: 'ENOENT' })
  }
})

test('what may not be written in is removed with its session, as the caches of some tools are', async (t) => {
  const workspaces = await workspacesFor(t)
  const uid = process.geteuid?.() ?? 0
  if (uid === 0) {
    for (const name of ['', '.sessions', '.shell', '.aside']) await chown(path.join(workspaces.root, name), 1000, 1000)
    // Nothing is closed to root.
    process.seteuid?.(1000)
    t.after(() => process.seteuid?.(0))
  }
  const directory = await workspaces.create('one')
  const shell = workspaces.beside('one', 'shell')
  await mkdir(shell, { recursive: true })
  const closed = 'mkdir -p a/b c; touch a/b/f; chmod 500 a/b a; chmod 0 c'
  for (const cwd of [directory, shell]) await promisify(execFile)('bash', ['-pc', closed], { cwd })
  await workspaces.remove('one')
  assert.deepEqual(await everythingIn(workspaces.root), NOTHING)
})

test('an empty directory of ours becomes a workspace, and never in the place of one', async (t) => {
  const workspaces = await workspacesFor(t)
  const made = path.join(workspaces.root, '.made')
  await mkdir(made)
  const { ino } = await stat(made)
  await workspaces.adopt('one', made)
  assert.equal((await stat((await workspaces.find('one')) ?? '')).ino, ino)
  assert.deepEqual(await workspaces.list(), ['one'])

  await mkdir(made)
  await mkdir(path.join(workspaces.root, 'foreign'))
  await writeFile(path.join(workspaces.root, 'one', 'kept.txt'), 'kept')
  for (const taken of ['one', 'foreign']) await assert.rejects(workspaces.adopt(taken, made))
  assert.deepEqual(await readdir(path.join(workspaces.root, 'one')), ['kept.txt'])
  assert.equal(await workspaces.find('foreign'), undefined)
})
