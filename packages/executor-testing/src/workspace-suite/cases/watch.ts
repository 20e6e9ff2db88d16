import assert from 'node:assert/strict'
import type { FileChange } from '@opencode-gateway/contracts'
import type { FilesCase, FilesScene } from '../harness.ts'
import { paths, write } from '../speak.ts'

/** `until` settles with the changes that are told up to one. */
async function watching(
  scene: FilesScene,
  act: (until: (change: FileChange['change'], path: string) => Promise<readonly FileChange[]>) => Promise<void>,
): Promise<void> {
  const over = new AbortController()
  const told: FileChange[] = []
  const changes = scene.files.watch(AbortSignal.any([over.signal, scene.signal]))[Symbol.asyncIterator]()
  async function until(change: FileChange['change'], path: string): Promise<readonly FileChange[]> {
    const found = () => told.findIndex((one) => one.path === path && one.change === change)
    while (found() === -1) {
      const { value, done } = await changes.next()
      assert.ok(done !== true, `the watch ended before "${path}" was ${change}; told was ${JSON.stringify(told)}`)
      told.push(...value)
    }
    return told.splice(0, found() + 1)
  }
  try {
    assert.deepEqual(await changes.next(), { value: [], done: false })
    await act(until)
  } finally {
    over.abort()
    while ((await changes.next()).done !== true);
  }
}

export const watchCases: readonly FilesCase[] = [
  {
    name: 'what is created, modified and deleted is told, whoever did it',
    run: (scene) =>
      watching(scene, async (until) => {
        await scene.sh('printf one > f')
        await until('created', 'f')
        await scene.sh('printf two >> f')
        await until('modified', 'f')
        await write(scene, 'f', 'three')
        await until('modified', 'f')
        await write(scene, 'g', 'x')
        await until('created', 'g')
        await scene.sh('rm f')
        await until('deleted', 'f')
        await scene.files.move('g', 'h', { overwrite: false })
        await until('deleted', 'g')
      }),
  },
  {
    name: 'files in new, moved and removed directories are told one by one',
    run: (scene) =>
      watching(scene, async (until) => {
        await scene.sh('mkdir -p a/b && printf x > a/b/f')
        await until('created', 'a/b/f')
        await scene.sh('printf y > a/b/f')
        await until('modified', 'a/b/f')
        await scene.sh('mv a c')
        const moved = await until('created', 'c/b/f')
        assert.ok(moved.some(({ path, change }) => path === 'a/b/f' && change === 'deleted'))
        await scene.sh('printf z > c/b/f')
        await until('modified', 'c/b/f')
        await scene.sh('rm -r c')
        await until('deleted', 'c/b/f')
      }),
  },
  {
    name: 'what git does is not told, nor what happens behind a link',
    async run(scene) {
      await scene.sh('mkdir -p .git/objects sub/.git && printf x > .git/index')
      await scene.sh(`ln -s '${scene.outside}' out`)
      await watching(scene, async (until) => {
        await scene.sh('printf y > .git/index && printf z > .git/objects/1 && printf z > sub/.git/x')
        await scene.sh(`printf x > out/new && rm out/new && ln -s '${scene.outside}' more && printf last > z`)
        const told = await until('created', 'z')
        assert.deepEqual(told.map(({ path }) => path).sort(), ['more', 'z'])
      })
    },
  },
  {
    name: 'every file is told once when there are many',
    run: (scene) =>
      watching(scene, async (until) => {
        await scene.sh('mkdir d && for i in $(seq 500); do : > d/$i; done; : > last')
        const created = new Set<string>()
        while (created.size < 501) {
          const next = ['last', ...Array.from({ length: 500 }, (_, index) => `d/${index + 1}`)].find(
            (path) => !created.has(path),
          )
          for (const { path, change } of await until('created', next ?? '')) {
            assert.ok(
              change !== 'deleted' && (change === 'modified' || !created.has(path)),
              `${path} is ${change} again`,
            )
            created.add(path)
          }
        }
        assert.equal((await paths(scene)).length, created.size + 1)
      }),
  },
]
