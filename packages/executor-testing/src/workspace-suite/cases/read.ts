import assert from 'node:assert/strict'
import { buffer, text } from 'node:stream/consumers'
import type { FilesCase } from '../harness.ts'
import { read, refused, write } from '../speak.ts'

export const readCases: readonly FilesCase[] = [
  {
    name: 'a file is read byte for byte, whatever it holds',
    async run(scene) {
      const content = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 31) % 256))
      await write(scene, 'bytes', content)
      const { stat, content: stream } = await scene.files.read('bytes', {})
      assert.equal(stat.size, content.length)
      assert.ok(content.equals(await buffer(stream)))
      await scene.sh('printf "no end of line" > shell; : > empty')
      assert.equal(await read(scene, 'shell'), 'no end of line')
      assert.equal(await read(scene, 'empty'), '')
    },
  },
  {
    name: 'a range is the part of it that is there, or refused',
    async run(scene) {
      await write(scene, 'f', '0123456789')
      await write(scene, 'empty', '')
      const part = async (start: number, end: number, path = 'f') =>
        text((await scene.files.read(path, { range: { start, end } })).content)
      assert.equal(await part(0, 0), '0')
      assert.equal(await part(0, 9), '0123456789')
      assert.equal(await part(3, 5), '345')
      assert.equal(await part(8, 99), '89')
      for (const [start, end] of [
        [10, 11],
        [5, 4],
        [-1, 3],
        [0.5, 3],
        [Number.NaN, 3],
        [3, Number.NaN],
      ] as const)
        await refused(part(start, end), 'RANGE_NOT_SATISFIABLE', `${start}-${end}`)
      await refused(part(0, 0, 'empty'), 'RANGE_NOT_SATISFIABLE', 'empty')
    },
  },
  {
    name: 'text is told from what is not',
    async run(scene) {
      const euro = Buffer.from('€')
      // The sample ends within a character.
      await write(scene, 'long', Buffer.concat([Buffer.alloc(8191, 97), euro, euro]))
      await write(scene, 'utf8', 'grüße\n')
      await write(scene, 'empty', '')
      await write(scene, 'nul', 'a\0b')
      await write(scene, 'latin1', Buffer.from([0x67, 0x72, 0xfc, 0xdf]))
      const isText = async (path: string) => (await scene.files.stat(path)).text
      assert.deepEqual(await Promise.all(['long', 'utf8', 'empty'].map(isText)), [true, true, true])
      assert.deepEqual(await Promise.all(['nul', 'latin1'].map(isText)), [false, false])
    },
  },
  {
    name: 'a tag stays while nothing changes and is another after every change',
    async run(scene) {
      await scene.sh('printf one > f && touch -d @1700000000 f')
      const tag = async () => (await scene.files.stat('f')).tag
      const first = await tag()
      assert.ok(first)
      assert.equal(await tag(), first)
      const { stat, content } = await scene.files.read('f', {})
      content.destroy()
      assert.equal(stat.tag, first)
      await scene.sh('printf two > f && touch -d @1700000000 f')
      assert.notEqual(await tag(), first)
    },
  },
  {
    name: 'what is no file, or is not there, is not read',
    async run(scene) {
      await write(scene, 'd/f', 'x')
      await refused(scene.files.read('d', {}), 'NOT_A_FILE', 'a directory')
      await refused(scene.files.read('', {}), 'NOT_A_FILE', 'the workspace')
      await refused(scene.files.read('none', {}), 'FILE_NOT_FOUND', 'nothing')
      await refused(scene.files.read('none/f', {}), 'FILE_NOT_FOUND', 'nothing')
      await refused(scene.files.read('d/f/g', {}), 'NOT_A_DIRECTORY', 'below a file')
      await refused(scene.files.stat('none'), 'FILE_NOT_FOUND', 'nothing')
      assert.equal((await scene.files.stat('')).kind, 'directory')
    },
  },
  {
    name: 'a file that grows while it is read ends where it ended, one that shrinks breaks',
    async run(scene) {
      await write(scene, 'f', Buffer.alloc(1_000_000, 'a'))
      const grown = await scene.files.read('f', {})
      await scene.sh('printf more >> f')
      assert.equal((await buffer(grown.content)).length, 1_000_000)
      const shrunk = await scene.files.read('f', {})
      await scene.sh('printf less > f')
      await refused(buffer(shrunk.content), 'WORKSPACE_ERROR', 'the rest')
    },
  },
]
