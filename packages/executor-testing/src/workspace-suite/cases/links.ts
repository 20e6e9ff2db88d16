import assert from 'node:assert/strict'
import type { FilesCase } from '../harness.ts'
import { archived, attemptsAt, bytes, paths, read, refused, write } from '../speak.ts'

export const linkCases: readonly FilesCase[] = [
  {
    name: 'nothing is reached through a link to a directory, wherever it leads',
    async run(scene) {
      await scene.sh(
        `mkdir real && echo x > real/precious && ln -s '${scene.outside}' out && ln -s real in && ln -s . self`,
      )
      await write(scene, 'present', 'here')
      for (const path of ['out/precious', 'out/new', 'in/precious', 'in/new', 'self/present', 'self/self/present']) {
        for (const [call, attempt] of Object.entries(attemptsAt(scene, path)))
          await refused(attempt(), 'LINK_DENIED', `${call} ${path}`)
      }
      assert.deepEqual(await paths(scene), ['in', 'out', 'present', 'real', 'real/precious', 'self'])
    },
  },
  {
    name: 'a link is not read, written, listed or made a directory of',
    async run(scene) {
      await scene.sh(`ln -s '${scene.outside}/precious' file && ln -s '${scene.outside}' directory`)
      await scene.sh(`ln -s /nowhere/at/all dangling && ln -s loop loop && ln -s '${scene.outside}/new' new`)
      for (const path of ['file', 'directory', 'dangling', 'loop', 'new']) {
        const { files, signal } = scene
        await refused(files.read(path, {}), 'LINK_DENIED', `read ${path}`)
        await refused(files.write(path, bytes('x'), { maxBytes: 9 }, signal), 'LINK_DENIED', `write ${path}`)
        await refused(files.list(path, { depth: 1, limit: 1 }, signal), 'LINK_DENIED', `list ${path}`)
        await refused(files.makeDirectory(path), 'LINK_DENIED', `makeDirectory ${path}`)
        assert.equal((await files.stat(path)).kind, 'link')
      }
    },
  },
  {
    name: 'a link is removed and moved itself',
    async run(scene) {
      await scene.sh(`ln -s '${scene.outside}' one && ln -s '${scene.outside}/precious' two`)
      await scene.files.remove('one', { recursive: true })
      await scene.files.move('two', 'three', { overwrite: false })
      assert.deepEqual(await paths(scene), ['three'])
    },
  },
  {
    name: 'a link is not replaced by what is moved over it',
    async run(scene) {
      await scene.sh(`ln -s '${scene.outside}/precious' link && echo x > file`)
      await refused(scene.files.move('file', 'link', { overwrite: true }), 'LINK_DENIED', 'move')
      assert.equal(await read(scene, 'file'), 'x\n')
    },
  },
  {
    name: 'an archive has the links that stay inside, and none that leads out',
    async run(scene) {
      await scene.sh(`mkdir -p a/b && echo x > a/x && ln -s ../x a/b/in && ln -s '${scene.outside}' out`)
      await scene.sh(`ln -s ../../.. a/b/up && ln -s b/../../.. a/over && ln -s a/b dir`)
      const archive = await archived(scene)
      await scene.sh('rm -rf ./*')
      await scene.files.unpack(bytes(archive), { maxEntries: 100, maxBytes: 1000 }, scene.signal)
      assert.deepEqual(await paths(scene), ['a', 'a/b', 'a/b/in', 'a/x', 'dir'])
      assert.equal(await scene.sh('readlink a/b/in; readlink dir'), '../x\na/b\n')
    },
  },
  {
    name: 'pipes and sockets are no files, and nobody waits for them',
    async run(scene) {
      await scene.sh('mkfifo pipe')
      await refused(scene.files.read('pipe', {}), 'NOT_A_FILE', 'read')
      await refused(scene.files.write('pipe', bytes('x'), { maxBytes: 9 }, scene.signal), 'NOT_A_FILE', 'write')
      assert.equal((await scene.files.stat('pipe')).kind, 'other')
      await archived(scene)
    },
  },
]
