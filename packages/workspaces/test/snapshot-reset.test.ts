import assert from 'node:assert/strict'
import { chmod, link, mkdir, readdir, rename, stat, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { copyOf, git, snapshotPlace, treeOf } from './snapshot-place.ts'

test('a reset makes the directory what it was, empty directories included', async (t) => {
  const place = await snapshotPlace(t)
  const at = (name: string) => path.join(place.directory, name)
  await place.write({
    '.gitignore': 'node_modules\n',
    'a.txt': 'a',
    'b/c.txt': 'c',
    'run.sh': '#!',
    'd/e/f.txt': 'f',
    'odd\n"': 'o',
  })
  await mkdir(at('empty/inner'), { recursive: true })
  await symlink('a.txt', at('link'))
  await chmod(at('run.sh'), 0o755)
  await writeFile(Buffer.concat([Buffer.from(`${place.directory}/`), Buffer.from([0xff, 0x41])]), 'bytes')
  await place.take()
  const start = await treeOf(await copyOf(place, 'start'))
  await place.write({ 'a.txt': 'changed', 'node_modules/x/y.js': 'y', 'new/n.txt': 'n', 'odd\n"': 'odder' })
  await place.remove('b', 'empty', 'link', 'd')
  await place.write({ d: 'a file now', 'link/inside': 'a directory now' })
  await symlink(place.outside, at('b'))
  await chmod(at('run.sh'), 0o644)
  await place.reset()
  assert.deepEqual(await treeOf(place.directory), start)
  assert.deepEqual(await place.statuses(), [])
})

test('what is right already is not touched', async (t) => {
  const place = await snapshotPlace(t)
  await place.write({ 'a.txt': 'a', 'b.txt': 'b' })
  await place.take()
  const before = await stat(path.join(place.directory, 'a.txt'))
  await place.write({ 'b.txt': 'c' })
  await place.reset()
  assert.deepEqual((await stat(path.join(place.directory, 'a.txt'))).ino, before.ino)
})

test("the user's repository keeps its state, and what was added with a repository of its own goes with it", async (t) => {
  const place = await snapshotPlace(t)
  await git(place.directory, 'init', '-q')
  await place.write({ 'a.txt': 'a\n' })
  await git(place.directory, 'add', '.')
  await git(place.directory, 'commit', '-qm', 'one')
  await place.take()
  await place.write({ 'a.txt': 'b\n' })
  await git(place.directory, 'commit', '-qam', 'two')
  await mkdir(path.join(place.directory, 'cloned'))
  await git(path.join(place.directory, 'cloned'), 'init', '-q')
  await place.reset()
  assert.deepEqual((await readdir(place.directory)).toSorted(), ['.git', 'a.txt'])
  assert.match(await git(place.directory, 'log', '--oneline'), /two\n.*one\n/)
  assert.equal(await git(place.directory, 'status', '--porcelain'), ' M a.txt\n')
})

test('ignored files that were there stay, later ones go', async (t) => {
  const place = await snapshotPlace(t)
  await place.write({ '.gitignore': 'node_modules\n*.log\n' })
  await place.take()
  await place.write({ 'node_modules/x/index.js': 'x', 'first.log': '1', 'a.txt': 'a' })
  await place.take('after-run-1')
  await place.write({ 'node_modules/y/index.js': 'y', 'second.log': '2', 'sub/node_modules/z.js': 'z', 'a.txt': 'b' })
  await place.reset('after-run-1')
  // Nobody recorded what node_modules held, only that it was there.
  assert.deepEqual(await treeOf(place.directory), [
    '.gitignore file node_modules\n*.log\n',
    'a.txt file a',
    'first.log file 1',
    'node_modules/',
    'node_modules/x/',
    'node_modules/x/index.js file x',
    'node_modules/y/',
    'node_modules/y/index.js file y',
  ])
  await place.reset('start')
  assert.deepEqual(await readdir(place.directory), ['.gitignore'])
})

test('directories that are write-protected are put back and removed', async (t) => {
  const place = await snapshotPlace(t)
  await place.write({ 'kept/a.txt': 'a' })
  await place.take()
  await place.write({ 'kept/b.txt': 'b', 'cache/mod/x.go': 'x' })
  await place.remove('kept/a.txt')
  for (const name of ['kept', 'cache/mod', 'cache']) await chmod(path.join(place.directory, name), 0o555)
  await place.reset()
  assert.deepEqual(await treeOf(place.directory), ['kept/', 'kept/a.txt file a'])
})

test('another name of a file that lies outside is replaced, not written through', async (t) => {
  const place = await snapshotPlace(t)
  await place.write({ 'a.txt': 'a' })
  await place.take()
  await writeFile(path.join(place.outside, 'theirs'), 'theirs')
  await place.remove('a.txt')
  await link(path.join(place.outside, 'theirs'), path.join(place.directory, 'a.txt'))
  await place.reset()
  assert.deepEqual(await treeOf(place.outside), ['theirs file theirs'])
  assert.deepEqual(await treeOf(place.directory), ['a.txt file a'])
})

test('a large file that was changed cannot be put back: all else is, and it is said', async (t) => {
  const place = await snapshotPlace(t, { maxFileBytes: 10 })
  await place.write({ 'large.bin': 'l'.repeat(100), 'same.bin': 's'.repeat(100), 'a.txt': 'a' })
  await place.take()
  await place.write({ 'large.bin': 'm'.repeat(101), 'a.txt': 'b', 'new.txt': 'n' })
  await assert.rejects(place.reset(), { code: 'WORKSPACE_ERROR', message: /"large\.bin"/ })
  assert.deepEqual(await place.statuses(), ['M large.bin'])
})

test('the state after a run is kept beside that of the start, and shares what is the same', async (t) => {
  const place = await snapshotPlace(t)
  const content = 'x'.repeat(100_000)
  await place.write({ 'large.txt': content, 'a.txt': 'one' })
  await place.take()
  await place.write({ 'a.txt': 'two', 'copy.txt': content })
  await rename(path.join(place.directory, 'large.txt'), path.join(place.directory, 'moved.txt'))
  await place.take('two')
  await place.write({ 'a.txt': 'three' })
  assert.deepEqual(await place.statuses({ from: 'two' }), ['M a.txt'])
  await place.reset('two')
  assert.match((await treeOf(place.directory))[0] ?? '', /a\.txt file two/)
  await place.reset()
  assert.deepEqual(await treeOf(place.directory), ['a.txt file one', `large.txt file ${content}`])
  const { size } = await stat(path.join(place.aside, 'snapshots/contents'))
  assert.ok(size < 250_000, `${size} bytes`)
})
