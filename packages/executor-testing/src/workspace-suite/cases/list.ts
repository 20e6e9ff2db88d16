import assert from 'node:assert/strict'
import type { FilesCase } from '../harness.ts'
import { refused, write } from '../speak.ts'

export const listCases: readonly FilesCase[] = [
  {
    name: 'a list is as deep as it is asked to be, by path',
    async run(scene) {
      const { files, signal } = scene
      for (const path of ['b', 'a/x', 'a/c/d/e', 'a b']) await write(scene, path, 'four')
      const listed = async (path: string, depth: number) =>
        (await files.list(path, { depth, limit: 100 }, signal)).entries.map(({ path }) => path)
      assert.deepEqual(await listed('', 1), ['a', 'a b', 'b'])
      assert.deepEqual(await listed('', 2), ['a', 'a b', 'a/c', 'a/x', 'b'])
      assert.deepEqual(await listed('a', 2), ['a/c', 'a/c/d', 'a/x'])
      assert.deepEqual(await listed('a/c', 9), ['a/c/d', 'a/c/d/e'])
      assert.deepEqual(await listed('', 0), [])
    },
  },
  {
    name: 'what no text can name is counted, leaves the rest as it is, and goes with its directory',
    async run(scene) {
      await scene.sh(
        'mkdir d && cd d && touch "$(printf "f\\377")" "$(printf "\\303\\244")" && mkdir -p "$(printf "d\\376/in")"',
      )
      await scene.sh('touch "$(printf "d/d\\376/in/deep\\300")" "$(printf "d/\\357\\277\\275")"')
      const { entries, truncated, unnamed } = await scene.files.list('', { depth: 9, limit: 100 }, scene.signal)
      assert.deepEqual(
        entries.map(({ path }) => path),
        ['d', 'd/ä', 'd/\uFFFD'],
      )
      assert.deepEqual([truncated, unnamed], [false, 2])
      const archive = await scene.files.archive({ git: false, secrets: false }, scene.signal)
      for await (const _chunk of archive);
      await scene.files.remove('d', { recursive: true })
      assert.equal(await scene.sh('ls -A'), '')
    },
  },
  {
    name: 'a directory that no path can name leaves the rest as it is, for lists, archives and watches',
    async run(scene) {
      const { files, signal } = scene
      const watch = files.watch(signal)[Symbol.asyncIterator]()
      await watch.next()
      const tooLong = 'n=$(printf "d%.0s" $(seq 200)); for i in $(seq 30); do mkdir $n; cd -P $n; done; touch f'
      await scene.sh(`(${tooLong}); mkdir -p 'a\\..\\b/c' '\\c' && touch 'a\\..\\b/f' 'x\\..\\y' '\\c/f'`)
      await write(scene, 'z', 'last')
      for (let told = false; !told;) {
        const { value, done } = await watch.next()
        assert.ok(done !== true, 'the watch ended')
        told = value.some(({ path }) => path === 'z')
      }
      await watch.return?.()
      const { entries, truncated } = await files.list('', { depth: 64, limit: 1000 }, signal)
      assert.equal(truncated, true)
      assert.equal(entries.at(-1)?.path, 'z')
      for await (const _chunk of await files.archive({ git: false, secrets: false }, signal));
      await scene.sh('rm -rf d*')
    },
  },
  {
    name: 'an entry says what it is',
    async run(scene) {
      await scene.sh('mkdir d && printf four > f && chmod 750 d && chmod 640 f && touch -d @1700000000 f && ln -s f l')
      const { entries, truncated } = await scene.files.list('', { depth: 1, limit: 3 }, scene.signal)
      assert.equal(truncated, false)
      const [d, f, l] = entries
      assert.deepEqual([d?.kind, d?.size, d?.mode], ['directory', 0, 0o750])
      assert.deepEqual(f, { path: 'f', kind: 'file', size: 4, mode: 0o640, modifiedAt: 1_700_000_000_000 })
      assert.deepEqual([l?.kind, l?.size], ['link', 0])
    },
  },
  {
    name: 'a limit cuts off what lies deepest, and says so',
    async run(scene) {
      await scene.sh('mkdir -p a/b && touch a/b/1 a/b/2 a/1 2 3')
      const { entries, truncated } = await scene.files.list('', { depth: 9, limit: 5 }, scene.signal)
      assert.equal(truncated, true)
      assert.deepEqual(
        entries.map(({ path }) => path),
        ['2', '3', 'a', 'a/1', 'a/b'],
      )
      assert.equal((await scene.files.list('', { depth: 9, limit: 7 }, scene.signal)).truncated, false)
    },
  },
  {
    name: 'only a directory that is there can be listed',
    async run(scene) {
      const { files, signal } = scene
      await write(scene, 'file', 'x')
      await refused(files.list('file', { depth: 1, limit: 1 }, signal), 'NOT_A_DIRECTORY', 'a file')
      await refused(files.list('none', { depth: 1, limit: 1 }, signal), 'FILE_NOT_FOUND', 'nothing')
    },
  },
]
