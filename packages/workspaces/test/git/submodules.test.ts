import assert from 'node:assert/strict'
import { access, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { submoduleUrl } from '../../src/git/submodule-url.ts'
import { createGit } from '../../src/index.ts'
import { delivery, gitScene, PATH } from './scene.ts'

interface Link {
  name?: string
  path: string
  url: string
  commit: string
  more?: string
}

async function submoduleScene(t: TestContext) {
  const scene = await gitScene(t)
  const { server } = scene
  /** A commit on `main` with these submodules. */
  const link = async (repository: string, links: readonly Link[]) => {
    const text = links
      .map(
        ({ name, path, url, more = '' }) =>
          `[submodule ${JSON.stringify(name ?? path)}]\n\tpath = ${path}\n\turl = ${url}\n${more}`,
      )
      .join('')
    await server.commit(repository, 'main', { '.gitmodules': text })
    const git = async (...args: string[]) => await server.git(repository, ...args)
    await git('read-tree', 'main')
    for (const { path, commit } of links) await git('update-index', '--add', '--cacheinfo', `160000,${commit},${path}`)
    const identity = ['-c', 'user.name=Upstream', '-c', 'user.email=upstream@example.com']
    const tree = await git('write-tree')
    const commit = await git(...identity, 'commit-tree', tree, '-p', 'main', '-m', 'Link')
    await git('update-ref', 'refs/heads/main', commit)
    return commit
  }
  const url = await server.addRepository('app', { 'a.txt': 'app' })
  await server.addRepository('lib', { 'lib.txt': 'lib' })
  const lib = await server.git('lib', 'rev-parse', 'main')
  return { ...scene, url, lib, link }
}

test('submodules come in when they are asked for, relative ones and those within each other too', async (t) => {
  const { server, git, url, lib, link, place, ctx, onGit, asAgent } = await submoduleScene(t)
  await server.addRepository('inner', { 'inner.txt': 'inner' })
  const inner = await link('lib', [
    { path: 'in', url: '../inner.git', commit: await server.git('inner', 'rev-parse', 'main') },
  ])
  await link('app', [
    { path: 'one', url: `${server.url}/lib.git`, commit: lib },
    { path: 'deep/two', url: '../lib.git', commit: inner },
  ])
  const without = await place('without')
  await git.fill({ url }, without, ctx(), onGit)
  assert.deepEqual(await readdir(path.join(without.directory, 'one')), [])

  const at = await place()
  const repository = await git.fill({ url, submodules: true }, at, ctx(), onGit)
  const text = async (name: string) => await readFile(path.join(at.directory, name), 'utf8')
  assert.equal(await text('one/lib.txt'), 'lib')
  assert.equal(await text('deep/two/in/inner.txt'), 'inner')
  assert.equal(asAgent(path.join(at.directory, 'one'), 'rev-parse', 'HEAD'), lib)
  assert.equal(asAgent(at.directory, 'status', '--short'), '')

  await writeFile(path.join(at.directory, 'one/lib.txt'), 'changed')
  await writeFile(path.join(at.directory, 'new.txt'), 'new')
  const { commit = '' } = await git.deliver(repository, at, delivery({ push: true }), ctx(), onGit)
  assert.equal(await server.git('app', 'diff', '--name-only', 'main', commit), 'new.txt')
})

test('a commit of a submodule that is on another branch, and newer than its mirror, is found', async (t) => {
  const { server, git, url, lib, link, place, ctx, onGit } = await submoduleScene(t)
  await link('app', [{ path: 'one', url: '../lib.git', commit: lib }])
  await git.fill({ url, submodules: true }, await place('first'), ctx(), onGit)
  const other = await server.commit('lib', 'other', { 'lib.txt': 'other' })
  await link('app', [{ path: 'one', url: '../lib.git', commit: other }])
  const at = await place('second')
  await git.fill({ url, submodules: true }, at, ctx(), onGit)
  assert.equal(await readFile(path.join(at.directory, 'one/lib.txt'), 'utf8'), 'other')
})

const hostile: [what: string, link: Partial<Link>, code: string][] = [
  ['an option', { url: '-u./run' }, 'REPOSITORY_REFUSED'],
  ['an upload pack', { url: '--upload-pack=touch${IFS}ran' }, 'REPOSITORY_REFUSED'],
  ['a transport of its own', { url: 'ext::sh -c touch% ran' }, 'REPOSITORY_REFUSED'],
  ['a file', { url: 'file:///etc' }, 'REPOSITORY_REFUSED'],
  ['a path', { url: '/etc' }, 'REPOSITORY_REFUSED'],
  ['a way out of the host', { url: '../../../etc/x.git' }, 'REPOSITORY_REFUSED'],
  ['a way out in the middle', { url: '../a/../../x.git' }, 'REPOSITORY_REFUSED'],
  ['another host', { url: 'https://git.example.com/a/b.git' }, 'REPOSITORY_REFUSED'],
  ['the metadata address', { url: 'http://169.254.169.254/latest' }, 'REPOSITORY_REFUSED'],
  ['a password', { url: 'https://u:p@git.example.com/a' }, 'REPOSITORY_REFUSED'],
  ['a missing repository', { url: '../missing.git' }, 'REPOSITORY_NOT_FOUND'],
  ['a missing commit', { commit: '1'.repeat(40) }, 'CLONE_FAILED'],
]
test('a submodule that may not be, or cannot be, is told with its path, and nothing is left', async (t) => {
  const { git, url, lib, link, place, ctx, onGit, server, cacheDirectory } = await submoduleScene(t)
  for (const [index, [what, wrong, code]] of hostile.entries()) {
    await link('app', [{ path: 'sub', url: '../lib.git', commit: lib, ...wrong }])
    const at = await place(`h${index}`)
    await assert.rejects(
      git.fill({ url, submodules: true }, at, ctx(), onGit),
      (error) => error instanceof Error && 'code' in error && error.code === code && error.message.includes('"sub"'),
      what,
    )
    assert.deepEqual(await readdir(at.directory), [], what)
    await assert.rejects(access(path.join(cacheDirectory, 'home', 'ran')))
  }
  assert.ok(!server.requests.some((line) => line.includes('etc')))
})

test('what else .gitmodules says is not read: no command, no name, no other place', async (t) => {
  const { git, url, lib, link, place, ctx, onGit, root } = await submoduleScene(t)
  const ran = path.join(root, 'ran')
  const more = `\tupdate = !touch ${ran}\n\tbranch = --upload-pack=x\n[core]\n\tfsmonitor = touch ${ran}\n[include]\n\tpath = /etc/passwd\n`
  await link('app', [{ name: '../../../../hooks', path: 'sub', url: '../lib.git', commit: lib, more }])
  const at = await place()
  await git.fill({ url, submodules: true }, at, ctx(), onGit)
  assert.equal(await readFile(path.join(at.directory, 'sub/lib.txt'), 'utf8'), 'lib')
  await assert.rejects(access(ran))
  assert.deepEqual((await readdir(path.join(at.directory, '.git'))).includes('modules'), false)
})

test('submodules without end, and too large ones, are refused', async (t) => {
  const { server, git, url, lib, link, place, ctx, onGit, cacheDirectory } = await submoduleScene(t)
  let commit = lib
  for (let level = 0; level < 6; level += 1) {
    const name = `level${level}`
    await server.addRepository(name, { 'x.txt': name })
    commit = await link(name, [{ path: 'sub', url: `../${level === 0 ? 'lib' : `level${level - 1}`}.git`, commit }])
  }
  await link('app', [{ path: 'sub', url: '../level5.git', commit }])
  const error = { code: 'REPOSITORY_REFUSED', message: /levels deep/ }
  await assert.rejects(git.fill({ url, submodules: true }, await place('deep'), ctx(), onGit), error)

  await server.addRepository('large', { 'large.txt': 'x'.repeat(50_000) })
  const large = await server.git('large', 'rev-parse', 'main')
  await link(
    'app',
    [1, 2, 3].map((index) => ({ path: `s${index}`, url: '../large.git', commit: large })),
  )
  const small = createGit({
    cacheDirectory,
    path: PATH,
    allowedHosts: [server.host],
    credentials: new Map(),
    author: { name: 'Gateway', email: 'gateway@example.com' },
    limits: { cloneTimeoutMs: 60_000, pushTimeoutMs: 60_000, maxBytes: 120_000 },
  })
  const at = await place('large')
  await assert.rejects(small.fill({ url, submodules: true }, at, ctx(), onGit), { code: 'WORKSPACE_FULL' })
  assert.deepEqual(await readdir(at.directory), [])
})

test('a relative address leads on from that of the repository, however it is written', () => {
  for (const [parent, url, expected] of [
    ['https://host/o/r.git', '../x.git', 'https://host/o/x.git'],
    ['https://host/o/r.git', './x.git', 'https://host/o/r.git/x.git'],
    ['https://host/o/r.git', '../../p/x.git', 'https://host/p/x.git'],
    ['https://host:8443/o/r', '.././/../x', 'https://host:8443/x'],
    ['git@host:o/r.git', '../x.git', 'git@host:o/x.git'],
    ['git@host:r.git', '../x.git', 'git@host:x.git'],
    ['ssh://git@host/o/r.git', '../x.git', 'ssh://git@host/o/x.git'],
    ['https://host/o/r.git', 'https://other/x', 'https://other/x'],
    ['file:///srv/a.git', '/srv/b.git', '/srv/b.git'],
  ] as const) {
    assert.equal(submoduleUrl(parent, url), expected)
  }
})
