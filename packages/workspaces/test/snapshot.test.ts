import assert from 'node:assert/strict'
import { chmod, mkdir, readdir, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { assertNoWork, copyOf, git, snapshotPlace, treeOf } from './snapshot-place.ts'

test('what was added, changed, removed and renamed is told with its lines', async (t) => {
  const place = await snapshotPlace(t)
  const long = Array.from({ length: 30 }, (_, line) => `line ${line}\n`).join('')
  await place.write({ 'kept.txt': 'kept\n', 'changed.txt': 'one\ntwo\n', 'gone.txt': 'gone\n', 'a/old.txt': long })
  await place.take()
  await place.write({ 'changed.txt': 'one\nthree\nfour\n', 'b/new.txt': 'new' })
  await place.remove('gone.txt')
  await rename(path.join(place.directory, 'a/old.txt'), path.join(place.directory, 'b/moved.txt'))
  const { files, truncated } = await place.diff()
  assert.equal(truncated, false)
  assert.deepEqual(
    files.map((file) => ({ ...file, patch: undefined })),
    [
      { path: 'b/moved.txt', from: 'a/old.txt', status: 'renamed', binary: false, additions: 0, deletions: 0 },
      { path: 'b/new.txt', status: 'added', binary: false, additions: 1, deletions: 0 },
      { path: 'changed.txt', status: 'modified', binary: false, additions: 2, deletions: 1 },
      { path: 'gone.txt', status: 'deleted', binary: false, additions: 0, deletions: 1 },
    ].map((row) => ({ ...row, truncated: false, patch: undefined })),
  )
  assert.match(files[2]?.patch ?? '', /^diff --git a\/changed\.txt b\/changed\.txt\n.*\n-two\n\+three\n\+four\n$/s)
  assert.match(files[1]?.patch ?? '', /^diff --git a\/b\/new\.txt b\/b\/new\.txt\nnew file mode 100644\n.*\+new\n/s)
  await assertNoWork(place)
})

test('where nothing changed nothing is told, and the patch is empty', async (t) => {
  const place = await snapshotPlace(t)
  await place.write({ 'a.txt': 'a', 'b/c.txt': 'c' })
  await place.take()
  await utimes(path.join(place.directory, 'a.txt'), 1, 1)
  assert.deepEqual(await place.diff(), { files: [], truncated: false })
  assert.equal((await place.patch()).length, 0)
})

test('a workspace that began empty is compared with nothing', async (t) => {
  const place = await snapshotPlace(t)
  await place.write({ 'a.txt': 'a\n', 'node_modules/x.js': 'x', '.gitignore': 'node_modules\n' })
  assert.equal(await place.snapshots.has(place, 'start'), false)
  const from = undefined
  const { files } = await place.snapshots.diff(place, { from, limit: 10, maxPatchBytes: 1000 }, t.signal)
  assert.deepEqual(
    files.map(({ path }) => path),
    ['.gitignore', 'a.txt'],
  )
  await place.snapshots.reset(place, undefined, t.signal)
  assert.deepEqual(await treeOf(place.directory), [])
})

test('a snapshot is taken once for each name; one that is not there is an error', async (t) => {
  const place = await snapshotPlace(t)
  await place.write({ 'a.txt': 'one' })
  await place.take()
  await place.write({ 'a.txt': 'two' })
  await place.take()
  assert.deepEqual(await place.statuses(), ['M a.txt'])
  await place.take('later')
  assert.deepEqual(await place.statuses({ from: 'later' }), [])
  assert.equal(await place.snapshots.has(place, 'later'), true)
  await assert.rejects(place.diff({ from: 'never' }), { code: 'WORKSPACE_ERROR', message: /no snapshot "never"/ })
  await assert.rejects(place.diff({ from: '../start' }), { code: 'WORKSPACE_ERROR' })
})

test('git apply makes of the start what the workspace is, whatever was done to it', async (t) => {
  const place = await snapshotPlace(t)
  const bytes = (text: string) => Buffer.from(text, 'latin1')
  const at = (name: string) => Buffer.concat([Buffer.from(`${place.directory}/`), bytes(name)])
  const long = Array.from({ length: 40 }, (_, line) => `line ${line}\n`).join('')
  await place.write({
    'binary.bin': Buffer.from([0, 1, 2, 255, 0, 10]),
    'gone.bin': Buffer.from([0, 7, 7]),
    'windows.txt': 'a\r\nb\r\n',
    'no-newline': 'x',
    'run.sh': '#!/bin/sh\n',
    'becomes-link': 'text\n',
    'becomes-directory': 'text\n',
    'directory/file': 'text\n',
    'moved.txt': long,
    'empty-later': 'text\n',
    'header.txt': 'a\n',
    'quo"te\\d\tna\nme': 'odd\n',
    'Ünïcode 日本': 'u\n',
  })
  await symlink('no-newline', path.join(place.directory, 'link'))
  await writeFile(at('lat\xefn'), 'l\n')
  await place.take()
  const start = await copyOf(place, 'start')
  await place.write({
    'binary.bin': Buffer.from([0, 9, 2, 255, 0, 10, 13]),
    'new.bin': Buffer.from([255, 0, 254]),
    'windows.txt': 'a\r\nc\r\n',
    'no-newline': 'xy',
    'empty-later': '',
    'empty-new': '',
    // What could be taken for the header of the next file.
    'header.txt': 'a\ndiff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n',
    'quo"te\\d\tna\nme': 'odder\n',
    'Ünïcode 日本': 'ü\n',
    ' leading and trailing ': 's\n',
    '-dash': 'd\n',
  })
  await writeFile(at('lat\xefn'), 'll\n')
  await writeFile(at('n\xe9w'), 'n\n')
  await chmod(path.join(place.directory, 'run.sh'), 0o755)
  await place.remove('gone.bin', 'becomes-link', 'becomes-directory', 'directory', 'link')
  await symlink('../outside', path.join(place.directory, 'becomes-link'))
  await place.write({ 'becomes-directory/inner': 'i\n', directory: 'now a file\n' })
  await symlink('elsewhere', path.join(place.directory, 'link'))
  await rename(path.join(place.directory, 'moved.txt'), path.join(place.directory, 'renamed.txt'))
  const patch = path.join(place.outside, 'patch')
  await writeFile(patch, await place.patch())
  await git(start, 'apply', patch)
  assert.deepEqual(await treeOf(start), await treeOf(place.directory))
  const { files, truncated } = await place.diff()
  assert.equal(truncated, false)
  const row = (name: string) => files.find(({ path }) => path === name)
  assert.equal(row('binary.bin')?.binary, true)
  assert.equal(row('binary.bin')?.patch, undefined)
  assert.equal(row('quo"te\\d\tna\nme')?.status, 'modified')
  assert.equal(row('Ünïcode 日本')?.additions, 1)
  assert.equal(row('lat\ufffdn')?.status, 'modified')
  assert.equal(row('renamed.txt')?.from, 'moved.txt')
  assert.match(row('becomes-link')?.patch ?? '', /deleted file mode 100644.*new file mode 120000/s)
  assert.match(row('header.txt')?.patch ?? '', /\+diff --git a\/x b\/x\n/)
  // Each patch stands with its own path.
  for (const { path, patch, from = path } of files) {
    if (patch === undefined || !/^[\w.-]+$/.test(path)) continue
    assert.ok(patch.startsWith(`diff --git a/${from} b/${path}\n`), `${path}: ${patch}`)
  }
})

test('a change of the same length in the same moment is told', async (t) => {
  const place = await snapshotPlace(t)
  for (const round of ['1', '2', '3', '4', '5']) {
    await place.write({ 'a.txt': `a${round}` })
    await place.take(`round-${round}`)
    await place.write({ 'a.txt': `b${round}` })
    assert.deepEqual(await place.statuses({ from: `round-${round}` }), ['M a.txt'])
  }
})

test('a long patch is left out, and a long list is cut off', async (t) => {
  const place = await snapshotPlace(t)
  await place.take()
  await place.write({ 'a.txt': 'short\n', 'b.txt': 'long\n'.repeat(1000), 'c.txt': 'c\n' })
  const { files } = await place.diff({ maxPatchBytes: 500 })
  assert.deepEqual(
    files.map(({ path, patch, truncated, additions }) => [path, patch !== undefined, truncated, additions]),
    [
      ['a.txt', true, false, 1],
      ['b.txt', false, true, 1000],
      ['c.txt', true, false, 1],
    ],
  )
  const cut = await place.diff({ limit: 2 })
  assert.deepEqual(
    cut.files.map(({ path }) => path),
    ['a.txt', 'b.txt'],
  )
  assert.equal(cut.truncated, true)
  const names = await place.diff({ maxPatchBytes: 0 })
  assert.deepEqual(
    names.files.map(({ patch, truncated, additions }) => [patch, truncated, additions]),
    [1, 1000, 1].map((lines) => [undefined, true, lines]),
  )
})

test('a list that is cut off long before the end waits for no patch behind it', async (t) => {
  const place = await snapshotPlace(t)
  await place.take()
  await place.write(Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`${index}`, 'line\n'.repeat(10_000)])))
  const { files, truncated } = await place.diff({ limit: 2 })
  assert.deepEqual([files.length, truncated], [2, true])
})

test('a file that is too large is told by name, before and after', async (t) => {
  const place = await snapshotPlace(t, { maxFileBytes: 1000 })
  const large = (fill: string) => fill.repeat(2000)
  await place.write({
    'same.bin': large('s'),
    'changed.bin': large('c'),
    'gone.bin': large('g'),
    'shrinks.bin': large('x'),
  })
  await place.take()
  await place.write({ 'changed.bin': large('d'), 'new.bin': large('n'), 'shrinks.bin': 'x', 'small.txt': 'small\n' })
  await place.remove('gone.bin')
  assert.deepEqual(await place.statuses(), ['M changed.bin', 'D gone.bin', 'A new.bin', 'M shrinks.bin', 'A small.txt'])
  const { files } = await place.diff()
  assert.deepEqual(
    files.filter(({ truncated }) => truncated).map(({ path }) => path),
    ['changed.bin', 'gone.bin', 'new.bin', 'shrinks.bin'],
  )
  const patch = (await place.patch()).toString()
  assert.match(patch, /^# not in here: "changed\.bin", modified\n/)
  const start = await copyOf(place, 'start')
  await rm(path.join(start, 'small.txt'))
  await writeFile(path.join(place.outside, 'patch'), patch)
  await git(start, 'apply', '../patch')
  assert.equal((await stat(path.join(start, 'small.txt'))).size, 6)
})

test('very many files, and very much content, are bounded and said to be cut off', async (t) => {
  const place = await snapshotPlace(t, { maxFiles: 20, maxComparedBytes: 1000 })
  await place.write({ 'a.txt': 'a' })
  await place.take()
  await place.write({ 'b.txt': 'b'.repeat(800), 'c.txt': 'c'.repeat(800) })
  const some = await place.diff()
  assert.deepEqual(
    some.files.map(({ path, truncated }) => [path, truncated]),
    [
      ['b.txt', false],
      ['c.txt', true],
    ],
  )
  await place.write(Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`many/${index}`, 'x'])))
  await place.remove('a.txt')
  const { truncated } = await place.diff()
  assert.equal(truncated, true)
  await place.take('full')
  await assert.rejects(place.reset('full'), { code: 'WORKSPACE_ERROR', message: /nothing was changed/ })
  assert.equal((await readdir(path.join(place.directory, 'many'))).length, 30)
})

test('content beyond the bound of a snapshot is known by name, and never made up', async (t) => {
  const place = await snapshotPlace(t, { maxKeptBytes: 10 })
  await place.write({ 'a.txt': '12345', 'b.txt': '1234567890' })
  await place.take()
  await place.write({ 'b.txt': 'changed' })
  assert.deepEqual(
    (await place.diff()).files.map(({ path, truncated }) => [path, truncated]),
    [['b.txt', true]],
  )
})

test('an empty directory is told by no diff', async (t) => {
  const place = await snapshotPlace(t)
  await place.take()
  await mkdir(path.join(place.directory, 'empty'))
  assert.deepEqual(await place.statuses(), [])
})
