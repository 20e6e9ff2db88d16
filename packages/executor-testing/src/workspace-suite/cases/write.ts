import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import type { FilesCase } from '../harness.ts'
import { bytes, paths, read, refused, write } from '../speak.ts'

export const writeCases: readonly FilesCase[] = [
  {
    name: 'a file is made with the directories above it, and written again',
    async run(scene) {
      const { files, signal } = scene
      assert.equal((await files.write('a/b/c', bytes('one'), { maxBytes: 3 }, signal)).created, true)
      const { stat, created } = await files.write('a/b/c', bytes('two'), { maxBytes: 3 }, signal)
      assert.equal(created, false)
      assert.deepEqual(stat, await files.stat('a/b/c'))
      assert.equal(await scene.sh('cat a/b/c'), 'two')
    },
  },
  {
    name: 'a file that was there keeps its permissions, a new one cannot be run',
    async run(scene) {
      await scene.sh('printf x > tool && chmod 750 tool')
      assert.equal((await write(scene, 'tool', 'y')).mode, 0o750)
      assert.equal((await write(scene, 'new', 'y')).mode & 0o133, 0)
    },
  },
  {
    name: 'a content over the limit leaves what was there, and no trace',
    async run(scene) {
      await write(scene, 'f', 'old')
      await refused(write(scene, 'f', 'toolong', { maxBytes: 6 }), 'PAYLOAD_TOO_LARGE', 'f')
      await refused(write(scene, 'new/g', 'toolong', { maxBytes: 6 }), 'PAYLOAD_TOO_LARGE', 'g')
      await write(scene, 'exact', '123456', { maxBytes: 6 })
      assert.equal(await read(scene, 'f'), 'old')
      assert.equal(await scene.sh('find . -type f | sort'), './exact\n./f\n')
      assert.deepEqual(await paths(scene), ['exact', 'f'])
    },
  },
  {
    name: 'a content that breaks off leaves what was there, and no trace',
    async run(scene) {
      await write(scene, 'f', 'old')
      const broken = Readable.from(
        (async function* () {
          yield Buffer.from('half of ')
          throw new Error('the client has left')
        })(),
      )
      await assert.rejects(scene.files.write('f', broken, { maxBytes: 100 }, scene.signal))
      const leaving = new AbortController()
      const endless = Readable.from(
        (async function* () {
          for (;;) {
            yield Buffer.from('half of ')
            leaving.abort()
          }
        })(),
      )
      await assert.rejects(scene.files.write('f', endless, { maxBytes: 1e12 }, leaving.signal))
      assert.equal(await read(scene, 'f'), 'old')
      assert.deepEqual(await paths(scene), ['f'])
    },
  },
  {
    name: 'a writer who expects another file is refused',
    async run(scene) {
      const { tag = '' } = await write(scene, 'f', 'one')
      await refused(write(scene, 'none', 'x', { ifMatch: tag }), 'PRECONDITION_FAILED', 'none')
      await refused(write(scene, 'none', 'x', { ifMatch: '*' }), 'PRECONDITION_FAILED', 'none')
      await refused(write(scene, 'f', 'x', { ifAbsent: true }), 'PRECONDITION_FAILED', 'there')
      await scene.sh('printf two > f')
      await refused(write(scene, 'f', 'x', { ifMatch: tag }), 'PRECONDITION_FAILED', 'changed')
      const { tag: next = '' } = await scene.files.stat('f')
      await write(scene, 'f', 'three', { ifMatch: next })
      await write(scene, 'f', 'four', { ifMatch: '*' })
      await write(scene, 'new', 'x', { ifAbsent: true })
      assert.deepEqual(await paths(scene), ['f', 'new'])
    },
  },
  {
    name: 'of many writers who expect the same exactly one writes',
    async run(scene) {
      const { tag = '' } = await write(scene, 'f', 'old')
      const attempts = (options: { ifMatch?: string; ifAbsent?: boolean }, path: string) =>
        Promise.allSettled(Array.from({ length: 20 }, (_, index) => write(scene, path, `${index}`, options)))
      for (const [options, path] of [
        [{ ifMatch: tag }, 'f'],
        [{ ifAbsent: true }, 'new'],
      ] as const) {
        const results = await attempts(options, path)
        const winners = results.flatMap(({ status }, index) => (status === 'fulfilled' ? [`${index}`] : []))
        assert.deepEqual(winners, [await read(scene, path)])
        for (const result of results)
          if (result.status === 'rejected')
            await refused(Promise.reject(result.reason as Error), 'PRECONDITION_FAILED', path)
      }
    },
  },
  {
    name: 'a directory is not written, and a file is not made a directory',
    async run(scene) {
      await write(scene, 'd/f', 'x')
      await refused(write(scene, 'd', 'x'), 'NOT_A_FILE', 'd')
      await refused(write(scene, '', 'x'), 'NOT_A_FILE', 'the workspace')
      await refused(write(scene, 'd/f/g', 'x'), 'NOT_A_DIRECTORY', 'below a file')
      await refused(scene.files.makeDirectory('d/f'), 'FILE_EXISTS', 'a file')
      await refused(scene.files.makeDirectory('d/f/g'), 'NOT_A_DIRECTORY', 'below a file')
    },
  },
  {
    name: 'a directory is made with those above it, once',
    async run({ files, sh }) {
      assert.equal(await files.makeDirectory('a/b/c'), true)
      assert.equal(await files.makeDirectory('a/b/c'), false)
      assert.equal(await files.makeDirectory(''), false)
      assert.equal(await sh('find . -type d | sort'), '.\n./a\n./a/b\n./a/b/c\n')
    },
  },
]
