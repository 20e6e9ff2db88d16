import assert from 'node:assert/strict'
import type { FilesCase } from '../harness.ts'
import { archived, bytes, paths, read, refused, write } from '../speak.ts'

const LIMITS = { maxEntries: 10_000, maxBytes: 10_000_000 }

export const archiveCases: readonly FilesCase[] = [
  {
    name: 'a workspace is the same after it was packed and unpacked',
    async run(scene) {
      const { files, sh, signal } = scene
      const long = `${'long name '.repeat(12)}/${'ü'.repeat(100)}`
      await write(scene, long, 'x')
      await write(scene, 'big', Buffer.alloc(3_000_000, 'abc'))
      await write(scene, "it's", '')
      await sh('mkdir empty && printf "echo" > run && chmod 755 run && ln -s run link && touch -d @1700000000 run')
      const describe =
        'find . -mindepth 1 -printf "%y %m %p %l\\n" | grep -v "^d" | sort; find . -type f -exec cksum {} + | sort'
      const before = await sh(describe)
      const archive = await archived(scene)
      await sh('rm -rf ./*')
      assert.deepEqual(await files.unpack(bytes(archive), LIMITS, signal), { files: 4, bytes: 3_000_005 })
      assert.equal(await sh(describe), before)
      assert.ok((await paths(scene)).includes('empty'))
    },
  },
  {
    name: 'an archive that tar makes is unpacked, and tar unpacks ours',
    async run(scene) {
      const { files, sh, signal } = scene
      await sh('mkdir -p a/b && printf one > a/b/1 && printf two > 2')
      const made = await sh('tar czf - . | base64')
      await sh('rm -rf ./*')
      await files.unpack(bytes(Buffer.from(made, 'base64')), LIMITS, signal)
      assert.equal(await read(scene, 'a/b/1'), 'one')
      const ours = (await archived(scene)).toString('base64')
      assert.equal(await sh(`echo '${ours}' | base64 -d | tar tzf - | sort`), '2\na/\na/b/\na/b/1\n')
    },
  },
  {
    name: 'an archive can be of some paths',
    async run(scene) {
      for (const path of ['a/1', 'a/2', 'b/1', 'c']) await write(scene, path, path)
      const archive = await archived(scene, { paths: ['a/2', 'b'] })
      await scene.sh('rm -rf ./*')
      await scene.files.unpack(bytes(archive), LIMITS, scene.signal)
      assert.deepEqual(await paths(scene), ['a', 'a/2', 'b', 'b/1'])
      await refused(archived(scene, { paths: ['a/2', 'gone'] }), 'FILE_NOT_FOUND', 'gone')
    },
  },
  {
    name: 'what is unpacked lies beside what is there, and replaces files of the same name',
    async run(scene) {
      await write(scene, 'd/old', 'old')
      await write(scene, 'd/same', 'new')
      const archive = await archived(scene, { paths: ['d/same'] })
      await write(scene, 'd/same', 'before')
      await scene.files.unpack(bytes(archive), LIMITS, scene.signal)
      assert.equal(await read(scene, 'd/same'), 'new')
      assert.equal(await read(scene, 'd/old'), 'old')
    },
  },
  {
    name: 'an archive that is in the way of something of another kind changes nothing',
    async run(scene) {
      const { files, sh, signal } = scene
      await write(scene, 'first', '1')
      await write(scene, 'x/y', '2')
      const whole = await archived(scene)
      const alone = await archived(scene, { paths: ['first', 'x/y'] })
      for (const [obstacle, code] of [
        ['printf file > x', 'NOT_A_DIRECTORY'],
        [`ln -s '${scene.outside}' x`, 'LINK_DENIED'],
      ] as const) {
        await sh(`rm -rf ./* && ${obstacle}`)
        await refused(files.unpack(bytes(whole), LIMITS, signal), 'ARCHIVE_REFUSED', 'with its directory')
        await refused(files.unpack(bytes(alone), LIMITS, signal), code, 'without its directory')
        assert.deepEqual(await paths(scene), ['x'])
      }
      await sh('rm x && mkdir -p x/y')
      await refused(files.unpack(bytes(whole), LIMITS, signal), 'ARCHIVE_REFUSED', 'over a directory')
      assert.deepEqual(await paths(scene), ['x', 'x/y'])
    },
  },
]
