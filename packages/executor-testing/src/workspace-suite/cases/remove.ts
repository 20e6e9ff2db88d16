import assert from 'node:assert/strict'
import type { FilesCase } from '../harness.ts'
import { paths, refused, write } from '../speak.ts'

export const removeCases: readonly FilesCase[] = [
  {
    name: 'the workspace itself is never removed',
    async run(scene) {
      await write(scene, 'a/f', 'x')
      for (const path of ['', '.', './', './/.'])
        await refused(scene.files.remove(path, { recursive: true }), 'FORBIDDEN', path)
      for (const path of ['..', 'a/..', 'a/../'])
        await refused(scene.files.remove(path, { recursive: true }), 'PARENT_DIRECTORY_DENIED', path)
      assert.deepEqual(await paths(scene), ['a', 'a/f'])
    },
  },
  {
    name: 'a directory that is not empty is removed only when that is asked for',
    async run(scene) {
      await write(scene, 'd/e/f', 'x')
      await scene.files.makeDirectory('empty')
      await refused(scene.files.remove('d', { recursive: false }), 'DIRECTORY_NOT_EMPTY', 'd')
      await scene.files.remove('empty', { recursive: false })
      await scene.files.remove('d', { recursive: true })
      assert.deepEqual(await paths(scene), [])
      await refused(scene.files.remove('d', { recursive: true }), 'FILE_NOT_FOUND', 'd')
      await refused(scene.files.remove('no/such', { recursive: true }), 'FILE_NOT_FOUND', 'd')
    },
  },
  {
    name: 'removing a directory follows no link in it',
    async run(scene) {
      await scene.sh(`mkdir -p d/e && ln -s '${scene.outside}' d/link && ln -s '${scene.outside}/precious' d/e/file`)
      await scene.sh('mkfifo d/pipe && ln -s .. d/e/up && ln -s /nowhere d/e/dangling')
      await write(scene, 'kept', 'x')
      await scene.files.remove('d', { recursive: true })
      assert.deepEqual(await paths(scene), ['kept'])
    },
  },
  {
    name: 'a directory is removed however deep and full it is',
    async run(scene) {
      await scene.sh('mkdir wide && cd wide && seq 1000 | xargs touch')
      await scene.sh('mkdir -p "deep/$(printf "x/%.0s" $(seq 1500))"')
      await scene.files.remove('wide', { recursive: true })
      await scene.files.remove('deep', { recursive: true })
      assert.equal(await scene.sh('ls -A'), '')
    },
  },
]
