import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { createSshServer } from '@opencode-gateway/executor-testing'
import { parseRemote } from '../../src/git/remote.ts'
import { sshAccess } from '../../src/git/ssh-access.ts'
import { createGit, parseRequestCredentials, type GitCredentials } from '../../src/index.ts'
import { delivery, gitScene, PATH } from './scene.ts'

async function sshScene(t: TestContext) {
  const scene = await gitScene(t)
  await scene.server.addRepository('demo', { 'a.txt': '1\n' })
  const ssh = await createSshServer()
  t.after(async () => await ssh.close())
  const gitWith = (credentials: GitCredentials) =>
    createGit({
      cacheDirectory: scene.cacheDirectory,
      path: PATH,
      allowedHosts: [ssh.host],
      credentials,
      author: { name: 'Gateway', email: 'gateway@example.com' },
      limits: { cloneTimeoutMs: 60_000, pushTimeoutMs: 60_000, maxBytes: 1_000_000_000 },
    })
  return { ...scene, ssh, gitWith, source: { url: ssh.urlOf(scene.server.directoryOf('demo')) } }
}

/** Clones, works and pushes; whatever is wrong with the access shows here. */
async function workOver(scene: Awaited<ReturnType<typeof sshScene>>, configured: GitCredentials, own?: GitCredentials) {
  const { place, source, ctx, onGit, server, gitWith } = scene
  const git = gitWith(configured)
  const at = { ...(await place()), ...(own === undefined ? {} : { credentials: own }) }
  const repository = await git.fill(source, at, ctx(), onGit)
  assert.equal(await readFile(path.join(at.directory, 'a.txt'), 'utf8'), '1\n')
  await writeFile(path.join(at.directory, 'b.txt'), '2')
  const { commit, pushed } = await git.deliver(repository, at, delivery({ push: true }), ctx(), onGit)
  assert.equal(pushed, true)
  assert.equal(commit, await server.git('demo', 'rev-parse', at.workBranch))
}

test('over ssh with a key file: in, and out again; the key of the host is remembered', async (t) => {
  const scene = await sshScene(t)
  const { ssh, cacheDirectory } = scene
  await workOver(scene, new Map([[ssh.host, { sshKeyFile: ssh.keyFile }]]))
  assert.equal(await readFile(path.join(cacheDirectory, 'known_hosts'), 'utf8'), ssh.knownHost)
})

test('over ssh with the key of a request, which no file and no command line has', async (t) => {
  const scene = await sshScene(t)
  const { ssh, root } = scene
  const own = parseRequestCredentials({ [ssh.host]: { ssh_key: ssh.key } })
  const line = ssh.key.split('\n')[1] ?? ''
  assert.ok(line.length > 40)
  await workOver(scene, new Map([[ssh.host, { sshKeyFile: '/nowhere/wrong' }]]), own)
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const text = await readFile(path.join(entry.parentPath, entry.name), 'latin1')
    assert.ok(!text.includes(line), path.join(entry.parentPath, entry.name))
  }
  assert.ok(!JSON.stringify(scene.events).includes(line))
})

test('an agent with the key of a request ends with its call', async (t) => {
  const { ssh, source } = await sshScene(t)
  const credential = parseRequestCredentials({ [ssh.host]: { ssh_key: ssh.key } }).get(ssh.host)
  const remote = parseRemote(source.url, { allowedHosts: [ssh.host] })
  const call = { remote, addresses: ['127.0.0.1'], credential, knownHostsFile: '/dev/null' }
  const { GIT_SSH_COMMAND: command = '', ...environment } = sshAccess(call)
  assert.ok(!command.includes(ssh.key.split('\n')[1] ?? ''))
  const [, user = '', port = ''] = /\/\/(.*)@127.0.0.1:(\d+)/.exec(source.url) ?? []
  const agents = `pgrep -f '^ssh-agent sh .* -p ${port} '`
  const look = `${command} -p ${port} ${user}@127.0.0.1 "${agents} >&2 && echo working; env"`
  const shown = execFileSync('sh', ['-c', look], { env: { PATH, ...environment }, encoding: 'utf8' })
  assert.match(shown, /^working$/m)
  assert.ok(!shown.includes('GATEWAY_GIT_SSH_KEY'))
  while (spawnSync('sh', ['-c', agents]).status === 0) t.signal.throwIfAborted()
})

test('without a key, with a wrong one and with another key of the host the error says what is wrong', async (t) => {
  const scene = await sshScene(t)
  const { ssh, gitWith, source, place, ctx, onGit, root, events } = scene
  const stranger = await createSshServer()
  t.after(async () => await stranger.close())
  const wrong = parseRequestCredentials({ [ssh.host]: { ssh_key: stranger.key } })
  const known = path.join(root, 'known')
  await writeFile(known, stranger.knownHost.replace(stranger.host.split(':')[1] ?? '', ssh.host.split(':')[1] ?? ''))
  const cases: [string, GitCredentials, GitCredentials | undefined, RegExp][] = [
    ['none', new Map(), undefined, /refused the credentials/],
    ['file', new Map([[ssh.host, { sshKeyFile: stranger.keyFile }]]), undefined, /refused the credentials/],
    ['request', new Map(), wrong, /refused the credentials/],
    ['broken', new Map(), new Map([[ssh.host, { sshKey: 'no key' }]]), /refused the credentials/],
    ['host', new Map([[ssh.host, { sshKeyFile: ssh.keyFile, knownHostsFile: known }]]), undefined, /host's key/],
  ]
  for (const [name, configured, own, message] of cases) {
    const at = { ...(await place(name)), ...(own === undefined ? {} : { credentials: own }) }
    await assert.rejects(gitWith(configured).fill(source, at, ctx(), onGit), { code: 'REPOSITORY_AUTH', message }, name)
    assert.deepEqual(await readdir(at.directory), [])
  }
  assert.ok(!JSON.stringify(events).includes('PRIVATE KEY'))
})

test('ssh is told the address that was looked up, and nothing of a user or a machine', () => {
  const remote = parseRemote('git@git.example.com:demo.git', {})
  const credential = { sshKeyFile: "/keys/it's mine" }
  const call = { remote, addresses: ['8.8.8.8'], credential, knownHostsFile: '/cache/known_hosts' }
  const { GIT_SSH_COMMAND: command = '' } = sshAccess(call)
  const words = execFileSync('sh', ['-c', `printf '%s\\n' ${command}`], { encoding: 'utf8' }).split('\n')
  for (const word of [
    'HostName=8.8.8.8',
    'HostKeyAlias=git.example.com',
    'StrictHostKeyChecking=accept-new',
    'UserKnownHostsFile="/cache/known_hosts"',
    'IdentityFile="/keys/it\'s mine"',
    'IdentityAgent=none',
    'ForwardAgent=no',
    'BatchMode=yes',
    'ProxyCommand=none',
    '/dev/null',
  ]) {
    assert.ok(words.includes(word), word)
  }
})
