import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { access, appendFile, chmod, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { delivery, gitScene, PATH } from './scene.ts'

async function workspace(t: TestContext) {
  const scene = await gitScene(t)
  const source = { url: await scene.server.addRepository('demo', { 'a.txt': '1\n', 'sub/b.txt': '2\n' }) }
  const at = await scene.place()
  const repository = await scene.clone(source, at, scene.ctx(), scene.onGit)
  const marker = path.join(scene.root, 'marker')
  const script = path.join(scene.root, 'payload')
  await writeFile(script, `#!/bin/sh\necho "$0 $@" >>'${marker}'\ncat 2>/dev/null\nexit 0\n`)
  await chmod(script, 0o755)
  const wasRun = async (): Promise<string> => await readFile(marker, 'utf8').catch(() => '')
  const deliver = async () =>
    await scene.git.deliver(repository, at, delivery({ push: true }), scene.ctx(), scene.onGit)
  return { ...scene, at, repository, gitDirectory: path.join(at.directory, '.git'), marker, script, wasRun, deliver }
}

/** Every key of git's configuration by which a program runs, or by which a push goes elsewhere. */
function hostileConfig(script: string, elsewhere: string): string {
  return `
[core]
	fsmonitor = ${script}
	hooksPath = ${path.dirname(script)}/hooks
	sshCommand = ${script}
	askPass = ${script}
	editor = ${script}
	pager = ${script}
	gitProxy = ${script}
	alternateRefsCommand = ${script}
	attributesFile = ${path.dirname(script)}/attributes
	worktree = ${elsewhere}
[filter "evil"]
	clean = ${script}
	smudge = ${script}
	process = ${script}
	required = true
[filter "lfs"]
	clean = ${script}
	process = ${script}
	required = true
[diff]
	external = ${script}
[diff "evil"]
	textconv = ${script}
	command = ${script}
[merge "evil"]
	driver = ${script}
[gpg]
	program = ${script}
[gpg "ssh"]
	program = ${script}
	defaultKeyCommand = ${script}
[commit]
	gpgSign = true
	template = /etc/passwd
[push]
	gpgSign = true
	followTags = true
[credential]
	helper = !${script}
[credential "http://127.0.0.1"]
	helper = ${script}
[http]
	proxy = http://127.0.0.1:9
	sslVerify = false
	extraHeader = X-Evil: 1
	followRedirects = true
[url "file://${elsewhere}"]
	insteadOf = http://
	pushInsteadOf = http://
[remote "origin"]
	pushurl = file://${elsewhere}
	receivepack = ${script}
	uploadpack = ${script}
	vcs = evil
[protocol]
	allow = always
[protocol "ext"]
	allow = always
[alias]
	commit-tree = !${script}
	push = !${script}
[include]
	path = ${path.dirname(script)}/included
[includeIf "gitdir:/"]
	path = ${path.dirname(script)}/included
[uploadpack]
	packObjectsHook = ${script}
[trailer "x"]
	command = ${script}
[sequence]
	editor = ${script}
[submodule]
	recurse = true
[extensions]
	worktreeConfig = true
	partialClone = origin
[gc]
	auto = 1
[user]
	name = Evil
	email = evil@example.com
`
}

const HOOKS = [
  'applypatch-msg',
  'pre-applypatch',
  'post-applypatch',
  'pre-commit',
  'pre-merge-commit',
  'prepare-commit-msg',
  'commit-msg',
  'post-commit',
  'pre-rebase',
  'post-checkout',
  'post-merge',
  'pre-push',
  'pre-auto-gc',
  'post-rewrite',
  'reference-transaction',
  'fsmonitor-watchman',
  'post-index-change',
  'sendemail-validate',
  'update',
  'pre-receive',
]

test('nothing of the configuration, hooks and filters that an agent leaves is run by a delivery', async (t) => {
  const { at, gitDirectory, root, script, wasRun, deliver, server, asAgent } = await workspace(t)
  const elsewhere = path.join(root, 'elsewhere.git')
  execFileSync('git', ['init', '-q', '--bare', elsewhere], { env: { PATH } })
  const config = hostileConfig(script, elsewhere)
  await appendFile(path.join(gitDirectory, 'config'), config)
  await writeFile(path.join(gitDirectory, 'config.worktree'), config)
  await writeFile(path.join(root, 'included'), config)
  for (const folder of [path.join(gitDirectory, 'hooks'), path.join(root, 'hooks')]) {
    await mkdir(folder, { recursive: true })
    for (const name of HOOKS) await symlink(script, path.join(folder, name))
  }
  const attributes = '* filter=evil diff=evil merge=evil\n*.bin filter=lfs\n'
  await writeFile(path.join(at.directory, '.gitattributes'), attributes)
  await writeFile(path.join(root, 'attributes'), attributes)
  await mkdir(path.join(gitDirectory, 'info'), { recursive: true })
  await writeFile(path.join(gitDirectory, 'info', 'attributes'), attributes)
  await writeFile(path.join(at.directory, '.lfsconfig'), `[lfs]\n\turl = file://${elsewhere}\n`)
  await writeFile(
    path.join(at.directory, '.gitmodules'),
    `[submodule "x"]\n\tpath = x\n\turl = ext::${script}\n\tupdate = !${script}\n`,
  )
  await writeFile(path.join(at.directory, 'new.bin'), 'new')

  const { commit } = await deliver()
  assert.equal(await wasRun(), '')
  assert.equal(commit, await server.git('demo', 'rev-parse', at.workBranch))
  assert.equal(await server.git('demo', 'show', `${at.workBranch}:new.bin`), 'new')
  assert.match(await server.git('demo', 'log', '-1', '--format=%an', at.workBranch), /^Gateway$/)
  assert.deepEqual(await readdir(path.join(elsewhere, 'refs', 'heads')), [])

  // The same configuration is not harmless: an unsuspecting git trips over it.
  await writeFile(path.join(gitDirectory, 'config'), `[core]\n\trepositoryformatversion = 0\n\tfsmonitor = ${script}\n`)
  asAgent(at.directory, 'status')
  assert.match(await wasRun(), /payload/)
})

test('repositories within the work tree are not entered, and named as left out', async (t) => {
  const { at, script, wasRun, deliver, server, events, asAgent } = await workspace(t)
  const nested = path.join(at.directory, 'nested')
  await mkdir(nested)
  asAgent(nested, 'init', '-q')
  await writeFile(path.join(nested, 'x'), '1')
  asAgent(nested, '-c', 'user.name=x', '-c', 'user.email=x@example.com', 'add', '.')
  asAgent(nested, '-c', 'user.name=x', '-c', 'user.email=x@example.com', 'commit', '-qm', 'x')
  // Known to the agent's repository as a submodule, of which git likes to know whether it is clean.
  asAgent(at.directory, 'add', 'nested')
  asAgent(at.directory, 'commit', '-qm', 'Take the nested one')
  const config = `\n[core]\n\tfsmonitor = ${script}\n[filter "evil"]\n\tclean = ${script}\n`
  await appendFile(path.join(nested, '.git', 'config'), config)
  await writeFile(path.join(nested, '.gitattributes'), '* filter=evil\n')
  await writeFile(path.join(nested, 'x'), '2')
  await mkdir(path.join(at.directory, 'other'))
  asAgent(path.join(at.directory, 'other'), 'init', '-q')
  await appendFile(path.join(at.directory, 'other', '.git', 'config'), config)
  await writeFile(path.join(at.directory, 'other', 'y'), '1')
  await writeFile(path.join(at.directory, 'outer.txt'), '1')
  await deliver()
  assert.equal(await wasRun(), '')
  assert.equal(await server.git('demo', 'ls-tree', '--name-only', at.workBranch), 'a.txt\nnested\nouter.txt\nsub')
  assert.match(
    events.find(({ action, state }) => action === 'commit' && state === 'done')?.message ?? '',
    /left out.*other/,
  )
})

test('links in the place of what is read or written lead nowhere', async (t) => {
  for (const [what, plant] of [
    ['.git', async (git: string, outside: string) => (await rename(git, outside), await symlink(outside, git))],
    [
      '.git as a file',
      async (git: string, outside: string) => (
        await rename(git, outside),
        await writeFile(git, `gitdir: ${outside}\n`)
      ),
    ],
    [
      'HEAD',
      async (git: string, outside: string) => (
        await rename(`${git}/HEAD`, outside),
        await symlink(outside, `${git}/HEAD`)
      ),
    ],
    [
      'refs',
      async (git: string, outside: string) => (
        await rename(`${git}/refs`, outside),
        await symlink(outside, `${git}/refs`)
      ),
    ],
    [
      'objects',
      async (git: string, outside: string) => (
        await rename(`${git}/objects`, outside),
        await symlink(outside, `${git}/objects`)
      ),
    ],
    [
      'the work branch',
      async (git: string, outside: string) => (
        await rename(`${git}/refs/heads/opencode`, outside),
        await symlink(outside, `${git}/refs/heads/opencode`)
      ),
    ],
    [
      'packed-refs as a pipe',
      async (git: string) => (await rm(`${git}/packed-refs`), execFileSync('mkfifo', [`${git}/packed-refs`])),
    ],
    ['nothing', async (git: string) => await rm(git, { recursive: true })],
  ] as const) {
    await t.test(what, async (t) => {
      const { at, gitDirectory, root, deliver, server } = await workspace(t)
      await writeFile(path.join(at.directory, 'new.txt'), 'new')
      await plant(gitDirectory, path.join(root, 'outside'))
      await assert.rejects(deliver(), { code: 'WORKSPACE_ERROR' })
      assert.equal(await readFile(path.join(at.directory, 'new.txt'), 'utf8'), 'new')
      assert.equal(await server.git('demo', 'branch', '--list', at.workBranch), '')
    })
  }
})

test('objects of another repository do not come in through alternates or links', async (t) => {
  for (const way of ['alternates', 'link to a folder', 'link to a file'] as const) {
    await t.test(way, async (t) => {
      const { at, gitDirectory, root, deliver, asAgent } = await workspace(t)
      const other = path.join(root, 'other')
      await mkdir(other)
      asAgent(other, 'init', '-q')
      await writeFile(path.join(other, 'secret'), 'secret')
      const blob = asAgent(other, 'hash-object', '-w', 'secret')
      const objects = path.join(gitDirectory, 'objects')
      const [folder, name] = [blob.slice(0, 2), blob.slice(2)]
      if (way === 'alternates') await writeFile(path.join(objects, 'info', 'alternates'), `${other}/.git/objects\n`)
      if (way === 'link to a folder') await symlink(`${other}/.git/objects/${folder}`, path.join(objects, folder))
      if (way === 'link to a file') {
        await mkdir(path.join(objects, folder), { recursive: true })
        await symlink(`${other}/.git/objects/${folder}/${name}`, path.join(objects, folder, name))
      }
      asAgent(at.directory, 'update-index', '--add', '--cacheinfo', `100644,${blob},stolen`)
      asAgent(at.directory, 'commit', '-qm', 'Steal')
      await assert.rejects(deliver())
      await assert.rejects(access(path.join(root, 'marker')))
    })
  }
})

test('a file behind a link is not taken, only the link itself', async (t) => {
  const { at, root, deliver, server } = await workspace(t)
  await writeFile(path.join(root, 'secret'), 'secret')
  await mkdir(path.join(root, 'folder'))
  await writeFile(path.join(root, 'folder', 'b.txt'), 'secret')
  await symlink(path.join(root, 'secret'), path.join(at.directory, 'link'))
  await rm(path.join(at.directory, 'sub'), { recursive: true })
  await symlink(path.join(root, 'folder'), path.join(at.directory, 'sub'))
  execFileSync('mkfifo', [path.join(at.directory, 'pipe')])
  await deliver()
  const tree = await server.git('demo', 'ls-tree', '-r', at.workBranch)
  assert.match(tree, /^120000 blob \w+\tlink$/m)
  assert.match(tree, /^120000 blob \w+\tsub$/m)
  assert.doesNotMatch(tree, /pipe|b\.txt/)
})
