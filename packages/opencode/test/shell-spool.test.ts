import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { createShellSpool } from '../src/shell-spool.ts'
import type { ShellPlace, ShellSpool } from '../src/shell-spool.ts'

interface Hostile {
  spool: ShellSpool
  /** The directory of the command, where the agent can do anything. */
  own: string
  /** A file of somebody else, with a number in it. */
  foreign: string
}

async function hostileSpool(t: TestContext): Promise<Hostile> {
  const directory = await mkdtemp(path.join(tmpdir(), 'spool-'))
  t.after(() => rm(directory, { recursive: true }))
  const shell = path.join(directory, 'shell')
  const place: ShellPlace = {
    directory: shell,
    fromWorkspace: '../shell',
    mark: 'MARK=1',
    remove: (name) => rm(path.join(shell, name), { recursive: true, force: true }),
  }
  await mkdir(path.join(directory, 'elsewhere'))
  const foreign = path.join(directory, 'elsewhere', 'exit')
  await writeFile(foreign, '7')
  const spool = createShellSpool(place, 'run-1')
  await spool.prepare('true')
  return { spool, own: path.join(place.directory, 'run-1'), foreign }
}

test('output is not read through a link that an agent has put in its place', async (t) => {
  const { spool, own, foreign } = await hostileSpool(t)
  await rm(path.join(own, 'stdout'))
  await symlink(foreign, path.join(own, 'stdout'))
  await assert.rejects(spool.open('stdout'), { code: 'RUN_FAILED' })
})

test('a command is not written through links that an agent has put there before', async (t) => {
  const { spool, own, foreign } = await hostileSpool(t)
  await rm(own, { recursive: true })
  await mkdir(own)
  for (const name of ['stdout', 'stderr', 'mark', 'command.sh', 'run-command.sh', 'kill-command.sh']) {
    await symlink(foreign, path.join(own, name))
  }
  const before = await stat(foreign)
  await spool.prepare('echo 2')
  assert.equal(await readFile(foreign, 'utf8'), '7')
  assert.equal((await stat(foreign)).mode, before.mode)
  assert.equal(await readFile(path.join(own, 'command.sh'), 'utf8'), 'echo 2')
  assert.equal((await stat(path.join(own, 'run-command.sh'))).mode & 0o777, 0o700)
})

test('a link in place of the directory of a command is replaced', async (t) => {
  const { spool, own, foreign } = await hostileSpool(t)
  await rm(own, { recursive: true })
  await symlink(path.dirname(foreign), own)
  await spool.prepare('true')
  assert.deepEqual(await readdir(path.dirname(foreign)), ['exit'])
  assert.equal(await spool.exists(), true)
})

test('a pipe in place of the output keeps nobody waiting', async (t) => {
  const { spool, own } = await hostileSpool(t)
  await rm(path.join(own, 'stderr'))
  await promisify(execFile)('mkfifo', [path.join(own, 'stderr')])
  await assert.rejects(spool.open('stderr'), { code: 'RUN_FAILED' })
})

test('an exit code is not read through a link', async (t) => {
  const { spool, own, foreign } = await hostileSpool(t)
  await symlink(foreign, path.join(own, 'exit'))
  await assert.rejects(spool.end(), { code: 'RUN_FAILED' })
})

test('nothing is read in a directory that a link leads to', async (t) => {
  const { spool, own, foreign } = await hostileSpool(t)
  await rename(own, `${own}.away`)
  await symlink(path.dirname(foreign), own)
  await assert.rejects(spool.end(), { code: 'RUN_FAILED' })
  await spool.remove()
  assert.equal(await readFile(foreign, 'utf8'), '7')
})

test('an exit file longer than any exit code is refused', async (t) => {
  const { spool, own } = await hostileSpool(t)
  await writeFile(path.join(own, 'exit'), '1'.repeat(1_000_000))
  await assert.rejects(spool.end(), { code: 'RUN_FAILED' })
})

test('what the command wrote of its end is read', async (t) => {
  const { spool, own } = await hostileSpool(t)
  assert.equal(await spool.end(), undefined)
  await writeFile(path.join(own, 'exit'), '3')
  assert.deepEqual(await spool.end(), { kind: 'exited', code: 3 })
})
