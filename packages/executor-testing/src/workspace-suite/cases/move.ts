import assert from 'node:assert/strict'
import type { FilesCase } from '../harness.ts'
import { paths, read, refused, write } from '../speak.ts'

export const moveCases: readonly FilesCase[] = [
  {
    name: 'files and directories are moved, with the directories above made',
    async run(scene) {
      await write(scene, 'f', 'file')
      await write(scene, 'd/e', 'below')
      await scene.files.move('f', 'new/place', { overwrite: false })
      await scene.files.move('d', 'new/d', { overwrite: false })
      assert.deepEqual(await paths(scene), ['new', 'new/d', 'new/d/e', 'new/place'])
      assert.equal(await read(scene, 'new/d/e'), 'below')
    },
  },
  {
    name: 'what is there is replaced only when that is asked for',
    async run(scene) {
      await write(scene, 'one', '1')
      await write(scene, 'two', '2')
      await refused(scene.files.move('one', 'two', { overwrite: false }), 'FILE_EXISTS', 'two')
      assert.equal(await read(scene, 'two'), '2')
      await scene.files.move('one', 'two', { overwrite: true })
      assert.equal(await read(scene, 'two'), '1')
      assert.deepEqual(await paths(scene), ['two'])
    },
  },
  {
    name: 'a move that cannot be is refused and changes nothing',
    async run(scene) {
      const { files } = scene
      await write(scene, 'd/e', 'x')
      await write(scene, 'full/f', 'x')
      await write(scene, 'file', 'x')
      const before = await paths(scene)
      await refused(files.move('d', 'd/inside', { overwrite: true }), 'INVALID_REQUEST', 'into itself')
      await refused(files.move('d', 'full', { overwrite: true }), 'DIRECTORY_NOT_EMPTY', 'over a full directory')
      await refused(files.move('file', 'd', { overwrite: true }), 'NOT_A_FILE', 'a file over a directory')
      await refused(files.move('d', 'file', { overwrite: true }), 'NOT_A_DIRECTORY', 'a directory over a file')
      await refused(files.move('none', 'x', { overwrite: true }), 'FILE_NOT_FOUND', 'nothing')
      await refused(files.move('d', 'file/x', { overwrite: true }), 'NOT_A_DIRECTORY', 'below a file')
      await refused(files.move('', 'x', { overwrite: true }), 'FORBIDDEN', 'the workspace')
      await refused(files.move('d', '', { overwrite: true }), 'FORBIDDEN', 'over the workspace')
      assert.deepEqual(await paths(scene), before)
    },
  },
]
