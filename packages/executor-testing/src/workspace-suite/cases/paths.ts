import assert from 'node:assert/strict'
import type { FilesCase } from '../harness.ts'
import { hostilePaths, legalPaths } from '../hostile-paths.ts'
import { attemptsAt, paths, read, refused, write } from '../speak.ts'

const shown = (path: string): string => JSON.stringify(path.length > 40 ? `${path.slice(0, 40)}…` : path)

const hostile = Object.entries(hostilePaths).map(([code, list]): FilesCase => ({
  name: `${list.length} paths are refused with ${code} by every call, and nothing happens`,
  async run(scene) {
    await write(scene, 'present', 'here')
    for (const path of list) {
      for (const [call, attempt] of Object.entries(attemptsAt(scene, path)))
        await refused(attempt(), code, `${call} ${shown(path)}`)
    }
    assert.deepEqual(await paths(scene), ['present'])
    assert.equal(await read(scene, 'present'), 'here')
  },
}))

export const pathCases: readonly FilesCase[] = [
  ...hostile,
  {
    name: `${legalPaths.length} strange paths are names like any other`,
    async run(scene) {
      for (const path of legalPaths) {
        const { path: written } = await write(scene, path, path)
        assert.equal(written, path)
        assert.equal(await read(scene, path), path)
        assert.ok((await paths(scene)).includes(path), `${shown(path)} is listed`)
        await scene.files.remove(path.split('/')[0] ?? '', { recursive: true })
        assert.deepEqual(await paths(scene), [], shown(path))
      }
    },
  },
  {
    name: 'a path may have empty names and dots in it',
    async run(scene) {
      await write(scene, './/a/.//b/', 'x')
      assert.deepEqual(await paths(scene), ['a', 'a/b'])
      assert.equal(await read(scene, 'a/./b'), 'x')
    },
  },
]
