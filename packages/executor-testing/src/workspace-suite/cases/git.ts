import assert from 'node:assert/strict'
import type { FilesCase } from '../harness.ts'
import { archived, bytes, changesAt, paths, read, refused, write } from '../speak.ts'

export const gitCases: readonly FilesCase[] = [
  {
    name: 'what belongs to git is not changed: hooks and configuration are programs',
    async run(scene) {
      await scene.sh('mkdir -p .git/hooks sub && echo kept > .git/config && echo gitdir > sub/.git')
      await write(scene, 'present', 'x')
      const protectedPaths = ['.git', '.git/', '.git/config', '.git/hooks/post-commit', '.git/new/x', 'sub/.git']
      for (const path of [...protectedPaths, '.GIT/config', '.Git', './.git/config', 'new/.git/hooks/pre-push']) {
        for (const [call, attempt] of Object.entries(changesAt(scene, path)))
          await refused(attempt(), 'FORBIDDEN', `${call} ${path}`)
      }
      assert.equal(await scene.sh('cat .git/config sub/.git; find . | sort'), GIT_TREE)
      assert.equal(await read(scene, '.git/config'), 'kept\n')
    },
  },
  {
    name: 'a list names .git and does not enter it unless it is asked for',
    async run(scene) {
      await scene.sh('mkdir -p .git/hooks && echo x > .git/config')
      assert.deepEqual(await paths(scene), ['.git'])
      const { entries } = await scene.files.list('.git', { depth: 1, limit: 10 }, scene.signal)
      assert.deepEqual(
        entries.map(({ path }) => path),
        ['.git/config', '.git/hooks'],
      )
    },
  },
  {
    name: 'an archive has .git only when it is asked for, and brings none in',
    async run(scene) {
      await scene.sh('mkdir -p .git sub/.git && echo x > .git/config && echo y > sub/y')
      const without = await archived(scene)
      const withGit = await archived(scene, { git: true })
      await scene.sh('rm -rf .git sub')
      const limits = { maxEntries: 10, maxBytes: 100 }
      await refused(scene.files.unpack(bytes(withGit), limits, scene.signal), 'ARCHIVE_REFUSED', 'unpack')
      assert.deepEqual(await paths(scene), [])
      await scene.files.unpack(bytes(without), limits, scene.signal)
      assert.deepEqual(await paths(scene), ['sub', 'sub/y'])
    },
  },
]

const GIT_TREE = 'kept\ngitdir\n.\n./.git\n./.git/config\n./.git/hooks\n./present\n./sub\n./sub/.git\n'
