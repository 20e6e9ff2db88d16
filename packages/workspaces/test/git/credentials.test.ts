import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { createGitServer } from '@opencode-gateway/executor-testing'
import { credentialFor, secretsOf } from '../../src/git/credentials.ts'
import { gitEnvironment } from '../../src/git/environment.ts'
import { parseRemote } from '../../src/git/remote.ts'
import { createGit, parseGitCredentials, type GitCredentials } from '../../src/index.ts'
import { delivery, gitScene, PATH } from './scene.ts'

const CANARY = 'canary/4711+token'

/** Command lines of all processes, and the environments of those that are not git's own. */
async function processTexts(isOfGit: (pid: number) => Promise<boolean>): Promise<string> {
  const texts: string[] = []
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    texts.push(await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => ''))
    if (!(await isOfGit(Number(pid)))) texts.push(await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => ''))
  }
  return texts.join('\n')
}

async function filesWith(directory: string, words: readonly string[]): Promise<readonly string[]> {
  const found: string[] = []
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const file = path.join(entry.parentPath, entry.name)
    const text = await readFile(file, 'latin1')
    if (words.some((word) => text.includes(word))) found.push(file)
  }
  return found
}

async function withAccount(t: TestContext) {
  const scene = await gitScene(t)
  const url = await scene.server.addRepository('demo', { 'a.txt': '1\n', 'large.bin': randomBytes(1_000_000) })
  scene.server.requireAuth({ username: 'robot', password: CANARY })
  const gitFor = (credentials: GitCredentials, path = PATH) =>
    createGit({
      cacheDirectory: scene.cacheDirectory,
      path,
      allowedHosts: [scene.server.host],
      credentials,
      author: { name: 'Gateway', email: 'gateway@example.com' },
      limits: { cloneTimeoutMs: 60_000, pushTimeoutMs: 60_000, maxBytes: 1_000_000_000 },
    })
  const credentials: GitCredentials = new Map([[scene.server.host, { username: 'robot', password: CANARY }]])
  return { ...scene, url, gitFor, credentials }
}

test('a token is in no argument, file, event or error, and in the environment of its own call alone', async (t) => {
  const scene = await withAccount(t)
  const { server, url, ctx, onGit, root, place, events, asAgent } = scene
  const secrets = [...secretsOf(scene.credentials.get(server.host)), CANARY]
  assert.ok(secrets.length >= 3)
  const git = scene.gitFor(scene.credentials)
  const clone = git.fill
  const at = await place()

  const stall = server.stall(/POST .*git-upload-pack/, 200_000)
  const filling = clone({ url }, at, ctx(), onGit)
  await stall.reached
  const groups = new Set<number>()
  const isOfGit = async (pid: number): Promise<boolean> => {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
    const [, , group = ''] = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const leader = await readFile(`/proc/${group}/cmdline`, 'latin1').catch(() => '')
    if (leader.startsWith('git\0')) groups.add(Number(group))
    return leader.startsWith('git\0')
  }
  // Until the clone is where the objects come in, with all of its programs under way.
  for (let texts = ''; !texts.includes('index-pack') || groups.size === 0;) {
    t.signal.throwIfAborted()
    texts = await processTexts(isOfGit)
    for (const secret of secrets) assert.ok(!texts.includes(secret), 'in a command line or an environment')
  }
  stall.release()
  const repository = await filling

  await writeFile(path.join(at.directory, 'b.txt'), '2')
  await git.deliver(repository, at, delivery({ push: true }), ctx(), onGit)
  assert.deepEqual(await filesWith(root, secrets), [])
  assert.ok(!JSON.stringify([events, repository]).includes(CANARY))
  assert.ok(!asAgent(at.directory, 'config', '--list').includes(CANARY))
})

test('a remote that repeats the token does not get it into an error', async (t) => {
  const { server, url, gitFor, credentials, place, ctx, onGit, events } = await withAccount(t)
  const { fill: clone, deliver } = gitFor(credentials)
  const at = await place()
  const repository = await clone({ url }, at, ctx(), onGit)
  await writeFile(path.join(at.directory, 'b.txt'), '2')
  const hook = path.join(server.directoryOf('demo'), 'hooks', 'pre-receive')
  await writeFile(hook, `#!/bin/sh\necho "you said ${CANARY}" >&2\nexit 1\n`).catch(async () => undefined)
  await chmod(hook, 0o755)
  await assert.rejects(deliver(repository, at, delivery({ push: true }), ctx(), onGit), (error) => {
    assert.ok(error instanceof Error)
    assert.match(error.message, /you said \*\*\*/)
    return !JSON.stringify([error.message, events]).includes(CANARY)
  })
})

test('a wrong token is REPOSITORY_AUTH; a mirror is no way around it', async (t) => {
  const { server, url, gitFor, credentials, place, ctx, onGit } = await withAccount(t)
  const { fill: allowed } = gitFor(credentials)
  await allowed({ url }, await place('one'), ctx(), onGit)
  for (const [name, others] of [
    ['two', new Map([[server.host, { username: 'robot', password: 'wrong' }]])],
    ['three', new Map()],
  ] as const) {
    const { fill: other } = gitFor(others)
    const at = await place(name)
    await assert.rejects(other({ url }, at, ctx(), onGit), { code: 'REPOSITORY_AUTH' })
    assert.deepEqual(await readdir(at.directory), [])
  }
})

test('the credentials of one host are not given to another', async (t) => {
  const { server, credentials, place, ctx, onGit, cacheDirectory } = await withAccount(t)
  const other = await createGitServer({ path: PATH })
  t.after(async () => await other.close())
  const url = await other.addRepository('demo', { a: '1' })
  // It takes the very same account, and would be glad to have it.
  other.requireAuth({ username: 'robot', password: CANARY })
  const { fill: clone } = createGit({
    cacheDirectory,
    path: PATH,
    allowedHosts: [server.host, other.host],
    credentials,
    author: { name: 'Gateway', email: 'gateway@example.com' },
    limits: { cloneTimeoutMs: 60_000, pushTimeoutMs: 60_000, maxBytes: 1_000_000_000 },
  })
  await assert.rejects(clone({ url }, await place(), ctx(), onGit), { code: 'REPOSITORY_AUTH' })
})

test('the name of a host alone holds for https and ssh on the usual ports, never for http', () => {
  const credential = { username: 'u', password: 'p' }
  const credentials = new Map([['git.example.com', credential]])
  const given = (url: string) =>
    credentialFor(
      credentials,
      parseRemote(url, { allowedHosts: ['git.example.com', 'git.example.com:8443', 'git.example.com:80'] }),
    )
  assert.equal(given('https://git.example.com/o/r'), credential)
  assert.equal(given('git@git.example.com:o/r'), credential)
  assert.equal(given('https://git.example.com:8443/o/r'), undefined)
  assert.equal(given('http://git.example.com/o/r'), undefined)
})

test('a call without a remote may use no protocol and is given no secret', () => {
  const environment = gitEnvironment({ path: '/bin', home: '/nowhere', author: { name: 'a', email: 'b' } })
  assert.equal(environment['GIT_ALLOW_PROTOCOL'], 'none')
  assert.ok(Object.keys(environment).every((name) => !name.startsWith('GATEWAY_')))
})

test('only the calls that speak to the remote are given the token, and none as an argument', async (t) => {
  const { server, url, gitFor, credentials, place, ctx, onGit, root } = await withAccount(t)
  const programs = path.join(root, 'bin')
  const log = path.join(root, 'git.log')
  await mkdir(programs)
  // Tells of each call: whether it has the token, then its arguments.
  await writeFile(
    path.join(programs, 'git'),
    `#!/bin/sh\nprintf '%s' "\${GATEWAY_GIT_PASSWORD:+with}" >>'${log}'\nprintf ' %s' "$@" >>'${log}'\necho >>'${log}'\n` +
      `PATH='${PATH}' exec git "$@"\n`,
  )
  await chmod(path.join(programs, 'git'), 0o755)
  const { fill: clone, deliver } = gitFor(credentials, `${programs}:${PATH}`)
  const at = await place()
  const repository = await clone({ url }, at, ctx(), onGit)
  await writeFile(path.join(at.directory, 'b.txt'), '2')
  await deliver(repository, at, delivery({ push: true }), ctx(), onGit)
  const text = await readFile(log, 'utf8')
  for (const secret of secretsOf(credentials.get(server.host))) assert.ok(!text.includes(secret))
  const lines = text.trimEnd().split('\n')
  const commands = lines
    .filter((line) => line.startsWith('with '))
    .map((line) => /ls-remote|fetch|push/.exec(line)?.[0])
  assert.deepEqual(commands, ['ls-remote', 'fetch', 'ls-remote', 'push'])
  assert.ok(lines.length > commands.length)
})

test('a file of credentials is read; GITHUB_TOKEN counts unless the file names github.com', () => {
  const text = JSON.stringify({
    'GitLab.example.com:8443': { token: 'one' },
    'bitbucket.org': { username: 'u', password: 'two' },
    'git.example.com': { sshKeyFile: 'keys/id', knownHostsFile: '/etc/known', token: 'three' },
  })
  const credentials = parseGitCredentials({ file: { file: '/etc/gateway/git.json', text }, githubToken: 'four' })
  assert.deepEqual(Object.fromEntries(credentials), {
    'github.com': { username: 'x-access-token', password: 'four' },
    'gitlab.example.com:8443': { username: 'x-access-token', password: 'one' },
    'bitbucket.org': { username: 'u', password: 'two' },
    'git.example.com': {
      username: 'x-access-token',
      password: 'three',
      sshKeyFile: '/etc/gateway/keys/id',
      knownHostsFile: '/etc/known',
    },
  })
  assert.equal(parseGitCredentials({ githubToken: '' }).size, 0)
})

for (const [what, text, words] of [
  ['no JSON', `{"a.example": {"token": ${CANARY}`, /no valid JSON/],
  ['no object', `["${CANARY}"]`, /no JSON object/],
  ['a name that is no host', `{"https://a.example/": {"token": "${CANARY}"}}`, /not a host/],
  ['a text for a host', `{"a.example": "${CANARY}"}`, /"a.example" must be an object/],
  ['an unknown field', `{"a.example": {"tokn": "${CANARY}"}}`, /"a.example" has an unknown field/],
  ['a number', `{"a.example": {"token": 1, "password": "${CANARY}"}}`, /"token" must be a text/],
  ['a newline', `{"a.example": {"token": "${CANARY}\\nhost=evil"}}`, /"token" must be a text/],
  ['nothing', '{"a.example": {}}', /needs "token"/],
  ['a password without a name', `{"a.example": {"password": "${CANARY}"}}`, /without "username"/],
  ['both', `{"a.example": {"token": "${CANARY}", "username": "u", "password": "x"}}`, /both/],
] as const) {
  test(`a file of credentials with ${what} is refused without repeating it`, () => {
    assert.throws(
      () => parseGitCredentials({ file: { file: '/etc/gateway/git.json', text } }),
      (error) => {
        assert.ok(error instanceof Error)
        assert.match(error.message, words)
        return !error.message.includes('canary')
      },
    )
  })
}
