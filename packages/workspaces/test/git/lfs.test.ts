import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { execFile } from 'node:child_process'
import { access, chmod, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { delivery, gitScene, PATH } from './scene.ts'

const IMAGE = Buffer.alloc(200_000, 'image')
const TRACKED = { '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n' }

async function lfsScene(t: TestContext, options: Parameters<typeof gitScene>[1] = {}) {
  const scene = await gitScene(t, options)
  const { server } = scene
  const url = await server.addRepository('demo', {
    ...TRACKED,
    'a.txt': 'a\n',
    'dir/näme one.bin': server.lfs.add('demo', IMAGE),
    'empty.bin': '',
    'small.bin': server.lfs.add('demo', 'small'),
    'text-of-a.pointer': server.lfs.add('demo', 'nothing of this comes in'),
  })
  return { ...scene, url, source: { url, lfs: true } }
}

const pointerTo = (content: string | Buffer): string => {
  const bytes = Buffer.from(content)
  const oid = createHash('sha256').update(bytes).digest('hex')
  return `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${bytes.length}`
}

test('without being asked, the files of Git LFS stay pointers and nobody is asked for them', async (t) => {
  const { git, server, url, place, ctx, onGit, asAgent } = await lfsScene(t)
  const at = await place()
  const repository = await git.fill({ url }, at, ctx(), onGit)
  assert.equal(repository.lfs, undefined)
  assert.match(await readFile(path.join(at.directory, 'small.bin'), 'utf8'), /^version https:/)
  assert.equal(asAgent(at.directory, 'status', '--porcelain'), '')
  assert.ok(!server.requests.some((line) => line.includes('/lfs')))
})

test('asked for, they come in, the agent sees a clean tree, and what it changes goes out as pointers', async (t) => {
  const { git, server, source, place, ctx, onGit, events, asAgent } = await lfsScene(t)
  const at = await place()
  const inside = (name: string) => path.join(at.directory, name)
  const repository = await git.fill(source, at, ctx(), onGit)
  assert.equal(repository.lfs, true)
  assert.ok((await readFile(inside('dir/näme one.bin'))).equals(IMAGE))
  assert.equal(await readFile(inside('small.bin'), 'utf8'), 'small')
  assert.match(await readFile(inside('text-of-a.pointer'), 'utf8'), /^version/)
  assert.deepEqual(
    events.filter(({ action, state }) => action === 'lfs' && state !== 'progress').map(({ state }) => state),
    ['started', 'done'],
  )
  assert.equal(events.find(({ action }) => action === 'lfs')?.bytes, IMAGE.length + 5)
  assert.equal(asAgent(at.directory, 'status', '--porcelain'), '')

  // By a commit of its own, which needs no git-lfs, and by what it leaves.
  await writeFile(inside('own.bin'), 'by the agent')
  asAgent(at.directory, 'add', 'own.bin')
  asAgent(at.directory, 'commit', '-qm', 'Of the agent')
  assert.equal(asAgent(at.directory, 'show', 'HEAD:own.bin'), pointerTo('by the agent'))
  await writeFile(inside('small.bin'), 'changed')
  await writeFile(inside('dir/new.bin'), 'new')
  await chmod(inside('dir/new.bin'), 0o755)
  await writeFile(inside('b.txt'), 'b\n')
  const first = await git.deliver(repository, at, delivery(), ctx(), onGit)
  assert.equal(first.pushed, false)
  assert.equal(asAgent(at.directory, 'status', '--porcelain'), '')
  // What a commit points to is kept, though the file is another one at the time of the push.
  await writeFile(inside('small.bin'), 'changed again')
  await rm(inside('dir/näme one.bin'))
  const { commit } = await git.deliver(repository, at, delivery({ push: true }), ctx(), onGit)

  assert.equal(commit, await server.git('demo', 'rev-parse', at.workBranch))
  const show = async (name: string) => await server.git('demo', 'show', `${commit ?? ''}:${name}`)
  for (const [name, content] of [
    ['own.bin', 'by the agent'],
    ['small.bin', 'changed again'],
    ['dir/new.bin', 'new'],
  ] as const) {
    assert.equal(await show(name), pointerTo(content))
  }
  assert.equal(await show('empty.bin'), '')
  assert.equal(await show('b.txt'), 'b')
  const changed = await server.git('demo', 'diff', '--name-status', repository.baseCommit, commit ?? '')
  assert.equal(changed.split('\n').length, 5, changed)
  const modes = await server.git('demo', 'ls-tree', '-r', '--format=%(objectmode) %(path)', commit ?? '')
  assert.match(modes, /^100755 dir\/new\.bin$/m)
  const stored = [...server.lfs.objectsOf('demo').values()].map(String)
  for (const content of ['by the agent', 'changed', 'changed again', 'new'])
    assert.ok(stored.includes(content), content)
})

test('a run that changes none of them commits none of them', async (t) => {
  const { git, source, place, ctx, onGit } = await lfsScene(t)
  const at = await place()
  const repository = await git.fill(source, at, ctx(), onGit)
  const { commit } = await git.deliver(repository, at, delivery({ push: true }), ctx(), onGit)
  assert.equal(commit, undefined)
})

test('what an agent without the filter commits as it is becomes a pointer on top', async (t) => {
  const { git, server, source, place, ctx, onGit, asAgent } = await lfsScene(t)
  const at = await place()
  const repository = await git.fill(source, at, ctx(), onGit)
  asAgent(at.directory, 'config', '--remove-section', 'filter.lfs')
  await writeFile(path.join(at.directory, 'small.bin'), 'raw')
  await symlink('/etc/passwd', path.join(at.directory, 'link.bin'))
  asAgent(at.directory, 'add', 'small.bin')
  asAgent(at.directory, 'commit', '-qm', 'Of the agent')
  const { commit } = await git.deliver(repository, at, delivery({ push: true }), ctx(), onGit)
  assert.equal(await server.git('demo', 'show', `${commit ?? ''}:small.bin`), pointerTo('raw'))
  assert.equal(await server.git('demo', 'show', `${commit ?? ''}:link.bin`), '/etc/passwd')
})

test('a branch whose files are nowhere is not pushed, and the work is kept', async (t) => {
  const { git, server, source, place, ctx, onGit } = await lfsScene(t)
  const at = await place()
  const repository = await git.fill(source, at, ctx(), onGit)
  await writeFile(path.join(at.directory, 'lost.bin'), `${pointerTo('lost')}\n`)
  const pushed = git.deliver(repository, at, delivery({ push: true }), ctx(), onGit)
  await assert.rejects(pushed, { code: 'PUSH_REJECTED', message: /is in no place/ })
  assert.ok(!(await server.git('demo', 'branch', '--list', at.workBranch)).includes(at.workBranch))
  await access(path.join(at.directory, 'lost.bin'))
})

test('they need the credentials of the host, which leave no trace', async (t) => {
  const secret = 'canary-of-lfs'
  const scene = await lfsScene(t)
  const { git, server, source, place, ctx, onGit, root } = scene
  server.requireAuth({ username: 'x-access-token', password: secret })
  const own = new Map([[server.host, { password: secret }]])
  const at = { ...(await place()), credentials: own }
  const repository = await git.fill(source, at, ctx(), onGit)
  await writeFile(path.join(at.directory, 'small.bin'), 'changed')
  assert.equal((await git.deliver(repository, at, delivery({ push: true }), ctx(), onGit)).pushed, true)
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    assert.ok(!(await readFile(path.join(entry.parentPath, entry.name))).includes(secret), entry.name)
  }
})

test('they count for what a workspace may hold, and a clone that fails for them leaves nothing', async (t) => {
  const { git, source, place, ctx, onGit } = await lfsScene(t, {
    limits: { cloneTimeoutMs: 60_000, pushTimeoutMs: 60_000, maxBytes: 100_000 },
  })
  const at = await place()
  await assert.rejects(git.fill(source, at, ctx(), onGit), { code: 'WORKSPACE_FULL', message: /Git LFS/ })
  assert.deepEqual(await readdir(at.directory), [])
})

test('those of submodules come in with them', async (t) => {
  const { git, server, source, place, ctx, onGit, asAgent } = await lfsScene(t)
  const part = await server.addRepository('part', { ...TRACKED, 'p.bin': server.lfs.add('part', 'of the part') })
  await server.commit('demo', 'main', { '.gitmodules': `[submodule "part"]\n\tpath = part\n\turl = ${part}\n` })
  await server.git('demo', 'read-tree', 'main')
  const commit = await server.git('part', 'rev-parse', 'main')
  await server.git('demo', 'update-index', '--add', '--cacheinfo', `160000,${commit},part`)
  const tree = await server.git('demo', 'write-tree')
  const identity = ['-c', 'user.name=Upstream', '-c', 'user.email=upstream@example.com']
  const head = await server.git('demo', ...identity, 'commit-tree', tree, '-p', 'main', '-m', 'Link')
  await server.git('demo', 'update-ref', 'refs/heads/main', head)
  const at = await place()
  await git.fill({ ...source, submodules: true }, at, ctx(), onGit)
  assert.equal(await readFile(path.join(at.directory, 'part', 'p.bin'), 'utf8'), 'of the part')
  assert.equal(asAgent(path.join(at.directory, 'part'), 'status', '--porcelain'), '')
})

test('a real git-lfs takes what the gateway stored, and the gateway what git-lfs stored', async (t) => {
  const { git, server, source, root, place, ctx, onGit } = await lfsScene(t)
  const at = await place()
  const repository = await git.fill(source, at, ctx(), onGit)
  await writeFile(path.join(at.directory, 'small.bin'), 'by the gateway')
  await git.deliver(repository, at, delivery({ push: true }), ctx(), onGit)

  const own = path.join(root, 'own')
  const env = { PATH, HOME: root, GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0' }
  const run = async (...args: string[]) => await promisify(execFile)('git', args, { cwd: root, env, signal: t.signal })
  await run('lfs', 'install', '--skip-repo')
  await run('clone', '-q', '--branch', at.workBranch, source.url, own)
  assert.equal(await readFile(path.join(own, 'small.bin'), 'utf8'), 'by the gateway')
  assert.equal((await stat(path.join(own, 'dir/näme one.bin'))).size, IMAGE.length)
  await writeFile(path.join(own, 'small.bin'), 'by git-lfs')
  await run('-C', own, '-c', 'user.name=x', '-c', 'user.email=x@example.com', 'commit', '-qam', 'By git-lfs')
  await run('-C', own, 'push', '-q', 'origin', 'HEAD:main')
  assert.equal(await server.git('demo', 'show', 'main:small.bin'), pointerTo('by git-lfs'))
  const next = await place('next')
  await git.fill(source, next, ctx(), onGit)
  assert.equal(await readFile(path.join(next.directory, 'small.bin'), 'utf8'), 'by git-lfs')
})
