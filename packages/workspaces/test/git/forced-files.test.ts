import assert from 'node:assert/strict'
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { delivery, gitScene } from './scene.ts'

async function ignoringScene(t: TestContext) {
  const scene = await gitScene(t)
  const files = { '.gitignore': '*.log\nbuild/\n', 'a.txt': '1' }
  const url = await scene.server.addRepository('demo', files)
  const at = await scene.place()
  const repository = await scene.git.fill({ url }, at, scene.ctx(), scene.onGit)
  const write = async (name: string, text = name) => {
    await mkdir(path.dirname(path.join(at.directory, name)), { recursive: true })
    await writeFile(path.join(at.directory, name), text)
  }
  const deliver = async () => {
    const { commit = '' } = await scene.git.deliver(repository, at, delivery({ push: true }), scene.ctx(), scene.onGit)
    return (await scene.server.git('demo', 'diff', '--name-only', repository.baseCommit, commit)).split('\n')
  }
  return { ...scene, at, write, deliver, run: (...args: string[]) => scene.asAgent(at.directory, ...args) }
}

test('what the agent staged is committed, though the ignore rules exclude it; what they exclude else is not', async (t) => {
  const { write, deliver, run, at } = await ignoringScene(t)
  for (const name of ['kept.log', 'build/out/kept.bin', 'left.log', 'build/left.bin', 'plain.txt']) await write(name)
  await write('größe 1\n.log')
  run('add', '-f', 'kept.log', 'build/out/kept.bin', 'größe 1\n.log')
  await write('kept.log', 'changed after it was staged')
  assert.deepEqual(await deliver(), [
    'build/out/kept.bin',
    '"gr\\303\\266\\303\\237e 1\\n.log"',
    'kept.log',
    'plain.txt',
  ])
  assert.equal(run('show', 'HEAD:kept.log'), 'changed after it was staged')
  assert.equal(run('status', '--short'), '')
  assert.equal(await readFile(path.join(at.directory, 'left.log'), 'utf8'), 'left.log')
})

test('what was staged and is not there as a file any more is left out', async (t) => {
  const { write, deliver, run, at, root } = await ignoringScene(t)
  for (const name of ['gone.log', 'folder.log', 'build/linked/x.bin', 'ok.log']) await write(name)
  run('add', '-f', '.')
  await rm(path.join(at.directory, 'gone.log'))
  await rm(path.join(at.directory, 'folder.log'))
  await mkdir(path.join(at.directory, 'folder.log', '.git'), { recursive: true })
  await rm(path.join(at.directory, 'build/linked'), { recursive: true })
  await mkdir(path.join(root, 'outside'))
  await writeFile(path.join(root, 'outside/x.bin'), 'outside')
  await symlink(path.join(root, 'outside'), path.join(at.directory, 'build/linked'))
  assert.deepEqual(await deliver(), ['ok.log'])
})

test('an index that git cannot read is no reason to lose the work', async (t) => {
  const { write, deliver, at } = await ignoringScene(t)
  await write('new.txt')
  await writeFile(path.join(at.directory, '.git/index'), 'DIRC broken')
  assert.deepEqual(await deliver(), ['new.txt'])
})
