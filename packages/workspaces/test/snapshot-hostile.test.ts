import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFile, mkdir, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import type { SnapshotPlace } from './snapshot-place.ts'
import { assertNoWork, copyOf, git, snapshotPlace, treeOf } from './snapshot-place.ts'

/** Makes a repository whose configuration runs a command whenever git looks at it. */
async function hostileRepository(place: SnapshotPlace, name: string): Promise<void> {
  const directory = path.join(place.directory, name)
  await mkdir(directory, { recursive: true })
  await git(directory, 'init', '-q')
  await writeFile(path.join(directory, 'committed.txt'), 'committed\n')
  await git(directory, 'add', '.')
  await git(directory, 'commit', '-qm', 'one')
  const canary = path.join(place.outside, 'canary')
  const script = path.join(place.outside, 'script')
  await writeFile(script, `#!/bin/sh\necho ran >> ${canary}\n`, { mode: 0o755 })
  const run = JSON.stringify(script)
  await appendFile(
    path.join(directory, '.git/config'),
    `[core]\n\tfsmonitor = ${run}\n\tpager = ${run}\n\thooksPath = ${place.outside}\n[filter "x"]\n\tclean = ${run}\n\tsmudge = ${run}\n\tprocess = ${run}\n[diff "x"]\n\tcommand = ${run}\n\ttextconv = ${run}\n[diff]\n\texternal = ${run}\n`,
  )
  await writeFile(path.join(directory, '.gitattributes'), '* filter=x diff=x\n*.txt -diff eol=crlf\n')
}

test('the configuration and the attributes of repositories in a workspace are read by nobody', async (t) => {
  const place = await snapshotPlace(t)
  await hostileRepository(place, '.')
  await hostileRepository(place, 'nested')
  const canary = path.join(place.outside, 'canary')
  // The trap works: git itself, in there, springs it.
  await git(place.directory, 'status').catch(() => {})
  assert.match(await readFile(canary, 'utf8'), /ran/)
  await rm(canary)
  await place.take()
  await place.write({ 'committed.txt': 'changed\n', 'nested/committed.txt': 'changed\n', 'nested/new.txt': 'new\n' })
  const { files } = await place.diff()
  assert.deepEqual(
    files.map(({ path, status, binary, patch }) => [path, status, binary, patch?.includes('\r')]),
    [
      ['committed.txt', 'modified', false, false],
      ['nested/committed.txt', 'modified', false, false],
      ['nested/new.txt', 'added', false, false],
    ],
  )
  await place.patch()
  await place.reset()
  assert.deepEqual(await readdir(place.outside), ['script'])
  assert.deepEqual(await place.statuses(), [])
})

test('the files of a repository that was cloned into a workspace count, whatever state it is in', async (t) => {
  const place = await snapshotPlace(t)
  await place.take()
  await hostileRepository(place, 'cloned')
  await mkdir(path.join(place.directory, 'bare-minded/.git'), { recursive: true })
  await place.write({
    'bare-minded/a.txt': 'a\n',
    'submodule/.git': 'gitdir: ../elsewhere\n',
    'submodule/b.txt': 'b\n',
  })
  assert.deepEqual(await place.statuses(), [
    'A bare-minded/a.txt',
    'A cloned/.gitattributes',
    'A cloned/committed.txt',
    'A submodule/b.txt',
  ])
  await place.reset()
  assert.deepEqual(await readdir(place.directory), [])
})

test('nothing of git is left in a workspace', async (t) => {
  const place = await snapshotPlace(t)
  await place.write({ 'a.txt': 'a' })
  await place.take()
  await place.write({ 'b.txt': 'b' })
  await place.diff()
  await place.patch()
  assert.deepEqual((await readdir(place.directory)).toSorted(), ['a.txt', 'b.txt'])
})

test('links are told as links, and what they lead to is neither read nor changed', async (t) => {
  const place = await snapshotPlace(t)
  await writeFile(path.join(place.outside, 'private'), 'canary-token\n')
  await place.write({ 'file.txt': 'file\n', 'directory/inner.txt': 'inner\n' })
  await place.take()
  await place.remove('file.txt', 'directory')
  await symlink(path.join(place.outside, 'private'), path.join(place.directory, 'file.txt'))
  await symlink(place.outside, path.join(place.directory, 'directory'))
  assert.deepEqual(await place.statuses(), ['A directory', 'D directory/inner.txt', 'M file.txt'])
  const patch = (await place.patch()).toString()
  assert.doesNotMatch(patch + JSON.stringify(await place.diff()), /canary-token/)
  await place.reset()
  assert.deepEqual(await treeOf(place.outside), ['private file canary-token\n'])
  assert.deepEqual(await treeOf(place.directory), [
    'directory/',
    'directory/inner.txt file inner\n',
    'file.txt file file\n',
  ])
})

test('a workspace that became a link is not looked at', async (t) => {
  const place = await snapshotPlace(t)
  await place.take()
  await rename(place.directory, `${place.directory}-gone`)
  await symlink(place.outside, place.directory)
  await assert.rejects(place.diff(), { code: 'WORKSPACE_ERROR' })
  await assert.rejects(place.reset(), { code: 'WORKSPACE_ERROR' })
})

test('pipes are not waited for', async (t) => {
  const place = await snapshotPlace(t)
  await place.write({ 'a.txt': 'a' })
  await place.take()
  await place.remove('a.txt')
  execFileSync(
    'mkfifo',
    ['a.txt', '.gitignore', 'c'].map((name) => path.join(place.directory, name)),
  )
  assert.deepEqual(await place.statuses(), ['D a.txt'])
  await place.reset()
  assert.deepEqual(await treeOf(place.directory), ['a.txt file a'])
})

test('it works while the agent writes', async (t) => {
  const place = await snapshotPlace(t)
  await place.write(Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`d${index % 10}/${index}`, 'x'])))
  await place.take()
  const working = new AbortController()
  const agent = (async () => {
    for (let round = 0; !working.signal.aborted; round += 1) {
      const name = `e${round % 5}`
      await place.write({ [`${name}/a`]: 'a'.repeat(round % 5000), [`${name}/b/c`]: 'c' })
      await rm(path.join(place.directory, `e${(round + 2) % 5}`), { recursive: true, force: true })
      await symlink('/', path.join(place.directory, `e${(round + 2) % 5}`)).catch(() => {})
      await rm(path.join(place.directory, `e${(round + 3) % 5}`), { recursive: true, force: true })
    }
  })()
  for (let round = 0; round < 5; round += 1) {
    await Promise.all([place.diff(), place.patch(), place.take(`during-${round}`)])
  }
  working.abort()
  await agent
  await place.reset()
  assert.deepEqual(await place.statuses(), [])
  await assertNoWork(place)
})

test('an abort ends the call and hinders none after it', async (t) => {
  const place = await snapshotPlace(t)
  await place.write(Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`d${index % 20}/${index}`, 'x'])))
  const options = { from: 'start', limit: 10, maxPatchBytes: 1000 }
  const reason = new Error('enough')
  await assert.rejects(place.snapshots.take(place, 'start', AbortSignal.abort(reason)), reason)
  await abortAtEveryStep(reason, (signal) => place.snapshots.take(place, 'start', signal))
  await place.write(
    Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`d${index % 20}/${index}`, 'changed'])),
  )
  await abortAtEveryStep(reason, (signal) => place.snapshots.diff(place, options, signal))
  await abortAtEveryStep(reason, async (signal) => (await place.snapshots.patch(place, options, signal)).destroy())
  assert.equal((await place.diff()).files.length, 500)
  await abortAtEveryStep(reason, (signal) => place.snapshots.reset(place, 'start', signal))
  await place.reset()
  assert.deepEqual(await place.statuses(), [])
  await assertNoWork(place)
})

/** Calls again and again, and aborts ever later, until a call gets through. */
async function abortAtEveryStep(reason: Error, call: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
  for (let delayMs = 0, done = false; !done; delayMs = delayMs * 1.5 + 10) {
    const stopping = new AbortController()
    const timer = setTimeout(() => stopping.abort(reason), delayMs)
    done = await call(stopping.signal).then(
      () => true,
      (error: unknown) => {
        assert.equal(error, reason)
        return false
      },
    )
    clearTimeout(timer)
  }
}

test('a call has a time limit, which waiting for the one before counts to', async (t) => {
  const place = await snapshotPlace(t, { timeoutMs: 1 })
  await assert.rejects(place.take(), { code: 'WORKSPACE_ERROR', message: /longer than 1 ms/ })
})

test('many at once disturb each other in nothing', async (t) => {
  const place = await snapshotPlace(t)
  await place.write({ 'a.txt': 'a\n' })
  await Promise.all([place.take(), place.take(), place.take('other')])
  await place.write({ 'a.txt': 'b\n' })
  const [one, two, patch, three] = await Promise.all([
    place.diff(),
    place.diff(),
    place.patch(),
    place.diff({ from: 'other' }),
  ])
  assert.deepEqual(one, two)
  assert.deepEqual(one, three)
  const start = await copyOf(place, 'start')
  await writeFile(path.join(start, 'a.txt'), 'a\n')
  await writeFile(path.join(place.outside, 'patch'), patch)
  await git(start, 'apply', '../patch')
  assert.deepEqual(await treeOf(start), await treeOf(place.directory))
})

test('a snapshot that was damaged is an error and not another past', async (t) => {
  const place = await snapshotPlace(t)
  await place.write({ 'a.txt': 'first' })
  await place.take()
  await place.write({ 'a.txt': 'second' })
  const contents = path.join(place.aside, 'snapshots/contents')
  await writeFile(contents, 'fir5t')
  await assert.rejects(place.diff(), { code: 'WORKSPACE_ERROR', message: /damaged/ })
  await assert.rejects(place.reset(), { code: 'WORKSPACE_ERROR', message: /damaged/ })
  await truncate(contents, 0)
  await assert.rejects(place.patch(), { code: 'WORKSPACE_ERROR', message: /damaged/ })
  assert.equal(await readFile(path.join(place.directory, 'a.txt'), 'utf8'), 'second')
})
