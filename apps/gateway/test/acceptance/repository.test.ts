import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createGitServer, lines, type GitServer } from '@opencode-gateway/executor-testing'
import { readEvents, type Frame } from '../event-source.ts'
import { callOf, eventually } from '../gateway.ts'
import { filesIn, startRealGateway, type RealGateway } from '../real-engine.ts'

const LIMIT = { timeout: 120_000 }
const ACCOUNT = { username: 'robot', password: 'canary-of-the-git-host' }

async function framesOf(url: string, signal: AbortSignal): Promise<readonly Frame[]> {
  await using reader = await readEvents(url, signal)
  return await reader.rest()
}

const eventsOf = (frames: readonly Frame[], type: string): readonly Frame['data'][] =>
  frames.flatMap(({ event, data }) => (event === type ? [data] : []))

let server: GitServer
let real: RealGateway
let directory: string
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'repository-test-'))
  server = await createGitServer()
  server.requireAuth(ACCOUNT)
  const credentials = join(directory, 'credentials.json')
  await writeFile(credentials, JSON.stringify({ [server.host]: ACCOUNT }))
  real = await startRealGateway({
    env: { GIT_ALLOWED_HOSTS: server.host, GIT_CREDENTIALS_FILE: credentials, LOG_LEVEL: 'trace' },
  })
})
after(async () => {
  await real[Symbol.asyncDispose]()
  await server.close()
  await rm(directory, { recursive: true })
})

test('D4: a repository comes in, and the work goes out as a commit on a branch that is pushed', LIMIT, async (t) => {
  const call = callOf(t, real.url)
  const repository = await server.addRepository('app', { 'README.md': '# App\n', 'src/old.txt': 'old\n' })
  const base = await server.git('app', 'rev-parse', 'main')
  const prompt = [
    lines.run('git branch --show-current; cat README.md'),
    lines.write('src/new.txt', 'new'),
    lines.say('ok'),
  ]
  const answer = await call('POST', '/run', { prompt: prompt.join('\n'), repository, push: true })
  assert.equal(answer.status, 200, answer.text)
  const { branch, commit, base_commit: baseCommit, pushed, output, session_id: id } = answer.json()
  assert.equal(output, 'ok')
  assert.equal(branch, `opencode/${String(id).slice(0, 8)}`)
  assert.equal(baseCommit, base)
  assert.equal(pushed, true)
  assert.equal(await server.git('app', 'rev-parse', branch), commit)
  assert.equal(await server.git('app', 'rev-parse', `${String(commit)}^`), base)
  assert.equal(await server.git('app', 'show', `${String(commit)}:src/new.txt`), 'new')
  assert.match(
    await server.git('app', 'log', '-1', '--format=%B', String(commit)),
    new RegExp(`Run-Id: ${String(answer.json().run_id)}`),
  )
  await eventually(t, async () => (await filesIn(real.workspaceRoot)).length === 0)
})

test('D4: a session clones once, commits after each run, and tells what git did', LIMIT, async (t) => {
  const call = callOf(t, real.url)
  const repository = await server.addRepository('twice', { 'a.txt': 'a' })
  await server.commit('twice', 'develop', { 'b.txt': 'b' })
  const made = await call('POST', '/sessions', {
    prompt: lines.write('first.txt', '1'),
    repository,
    branch: 'develop',
    work_branch: 'robot/work',
    commit_message: 'Add the first file',
  })
  assert.equal(made.status, 201, made.text)
  const id = String(made.json().session_id)
  const first = await framesOf(`${real.url}/sessions/${id}/stream`, t.signal)
  const git = eventsOf(first, 'git').map(({ action, state }) => `${String(action)} ${String(state)}`)
  assert.ok(git.includes('clone done'), git.join())
  assert.ok(git.includes('commit done'), git.join())
  assert.ok(!git.some((step) => step.startsWith('push')), git.join())
  const [complete] = eventsOf(first, 'complete')
  assert.equal(complete?.success, true, JSON.stringify(complete))
  assert.equal(complete?.branch, 'robot/work')
  assert.equal(complete?.pushed, false)

  const workspace = (await call('GET', `/sessions/${id}/workspace`)).json()
  assert.deepEqual(workspace.repository, {
    url: repository,
    branch: 'robot/work',
    base_branch: 'develop',
    base_commit: await server.git('twice', 'rev-parse', 'develop'),
  })

  const refused = await call('POST', `/sessions/${id}/messages`, { prompt: 'say: never', pull_request: true })
  assert.equal(`${String(refused.json().code)} ${refused.status}`, 'UNSUPPORTED_OPTION 422', refused.text)
  const again = await call('POST', `/sessions/${id}/messages`, { prompt: lines.write('second.txt', '2'), push: true })
  assert.equal(again.status, 202, again.text)
  const second = await framesOf(`${real.url}/sessions/${id}/stream?after=${first.at(-1)?.id ?? ''}`, t.signal)
  const [ended] = eventsOf(second, 'complete')
  assert.equal(ended?.pushed, true, JSON.stringify(ended))
  assert.equal(
    await server.git('twice', 'log', '--format=%s', 'develop..robot/work'),
    `${lines.write('second.txt', '2')}\nAdd the first file`,
  )
  assert.equal((await call('DELETE', `/sessions/${id}`)).status, 200)
})

test('D4: with a depth a part of the history comes in, and the work goes out all the same', LIMIT, async (t) => {
  const call = callOf(t, real.url)
  const repository = await server.addRepository('deep', { 'a.txt': '1' })
  const base = await server.commit('deep', 'main', { 'a.txt': '2' })
  const prompt = [lines.run('git rev-list --count HEAD > count.txt'), lines.say('ok')].join('\n')
  const answer = await call('POST', '/run', { prompt, repository, depth: 1, push: true })
  assert.equal(answer.status, 200, answer.text)
  const commit = String(answer.json().commit)
  assert.equal(await server.git('deep', 'show', `${commit}:count.txt`), '1')
  assert.equal(await server.git('deep', 'rev-parse', `${commit}^`), base)
})

test('D4: submodules come in when they are asked for, and the work beside them goes out', LIMIT, async (t) => {
  const call = callOf(t, real.url)
  await server.addRepository('part', { 'part.txt': 'part' })
  const part = await server.git('part', 'rev-parse', 'main')
  const repository = await server.addRepository('whole', {
    '.gitmodules': '[submodule "part"]\n\tpath = part\n\turl = ../part.git\n',
  })
  await server.git('whole', 'read-tree', 'main')
  await server.git('whole', 'update-index', '--add', '--cacheinfo', `160000,${part},part`)
  const tree = await server.git('whole', 'write-tree')
  const identity = ['-c', 'user.name=Upstream', '-c', 'user.email=upstream@example.com']
  const head = await server.git('whole', ...identity, 'commit-tree', tree, '-p', 'main', '-m', 'Link')
  await server.git('whole', 'update-ref', 'refs/heads/main', head)

  const prompt = [lines.run('cp part/part.txt copy.txt; echo more >> part/part.txt'), lines.say('ok')].join('\n')
  const wanted = { prompt, repository, submodules: true, push: true, keep_workspace: true }
  const answer = await call('POST', '/run', wanted)
  assert.equal(answer.status, 200, answer.text)
  assert.equal(await server.git('whole', 'diff', '--name-only', head, String(answer.json().commit)), 'copy.txt')
  const id = String(answer.json().session_id)
  const diff = await call('GET', `/sessions/${id}/diff`)
  const files = [diff.json().files].flat().map((file) => String(Object(file).path))
  assert.deepEqual(files.toSorted(), ['copy.txt', 'part/part.txt'])
  assert.equal((await call('DELETE', `/sessions/${id}`)).status, 200)
})

test(
  'D4: files of Git LFS come in when they are asked for, and go out as pointers to what the host has',
  LIMIT,
  async (t) => {
    const call = callOf(t, real.url)
    const repository = await server.addRepository('large', {
      '.gitattributes': '*.bin filter=lfs\n',
      'a.bin': server.lfs.add('large', 'one'),
    })
    const prompt = [lines.run('git status --porcelain; cat a.bin a.bin > b.bin'), lines.say('ok')].join('\n')
    const answer = await call('POST', '/run', { prompt, repository, lfs: true, push: true })
    assert.equal(answer.status, 200, answer.text)
    const commit = String(answer.json().commit)
    assert.match(await server.git('large', 'show', `${commit}:b.bin`), /^version https:.*\noid sha256:/)
    assert.equal(await server.git('large', 'diff', '--name-only', `${commit}^`, commit), 'b.bin')
    assert.ok([...server.lfs.objectsOf('large').values()].map(String).includes('oneone'))
  },
)

test('D4: what cannot be cloned is told with its own code, and nothing is left', LIMIT, async (t) => {
  const call = callOf(t, real.url)
  const repository = await server.addRepository('there', { 'a.txt': 'a' })
  await server.addRepository('empty')
  const cases = [
    [{ repository: `${server.url}/missing.git` }, 'REPOSITORY_NOT_FOUND', 422],
    [{ repository, branch: 'missing' }, 'BRANCH_NOT_FOUND', 422],
    [{ repository: `${server.url}/empty.git` }, 'REPOSITORY_EMPTY', 422],
    [{ repository: 'https://example.org/a/b.git' }, 'REPOSITORY_REFUSED', 400],
    [{ repository: 'ext::sh -c true' }, 'REPOSITORY_REFUSED', 400],
    [{ repository, branch: '--upload-pack=true' }, 'REPOSITORY_REFUSED', 400],
    [{ push: true }, 'INVALID_REQUEST', 400],
    [{ depth: 1 }, 'INVALID_REQUEST', 400],
    [{ repository, depth: 0 }, 'INVALID_REQUEST', 400],
    [{ repository, depth: 1.5 }, 'INVALID_REQUEST', 400],
    [{ repository, push: false, pull_request: true }, 'INVALID_REQUEST', 400],
    [{ repository, pull_request: true }, 'UNSUPPORTED_OPTION', 422],
  ] as const
  for (const [options, code, status] of cases) {
    const answer = await call('POST', '/run', { prompt: 'say: never', ...options })
    assert.equal(`${String(answer.json().code)} ${answer.status}`, `${code} ${status}`, answer.text)
  }
  await eventually(t, async () => (await filesIn(real.workspaceRoot)).length === 0)
})

test('D4: work that the remote does not take is kept, and the run says why', LIMIT, async (t) => {
  const call = callOf(t, real.url)
  const repository = await server.addRepository('taken', { 'a.txt': 'a' })
  await server.commit('taken', 'robot/work', { 'b.txt': 'b' })
  const answer = await call('POST', '/run', {
    prompt: `${lines.write('c.txt', 'c')}\n${lines.say('written')}`,
    repository,
    work_branch: 'robot/work',
    push: true,
  })
  assert.equal(`${String(answer.json().code)} ${answer.status}`, 'PUSH_REJECTED 409', answer.text)
  assert.equal(answer.json().output, 'written')
  assert.equal(answer.json().workspace_kept, true)
  const id = String(answer.json().session_id)
  const file = await call('GET', `/sessions/${id}/files/content?path=c.txt`)
  assert.equal(file.text, 'c')
  assert.equal((await call('DELETE', `/sessions/${id}`)).status, 200)
  await eventually(t, async () => !(await filesIn(real.workspaceRoot)).some((name) => name.includes(id)))
})

test('D5: what a git host asks for is in no log, file, answer or workspace', LIMIT, async (t) => {
  const call = callOf(t, real.url)
  const repository = await server.addRepository('secret', { 'a.txt': 'a' })
  const prompt = `${lines.run('env; cat .git/config; git remote -v')}\n${lines.write('b.txt', 'b')}`
  const answer = await call('POST', '/run', { prompt, repository, push: true, keep_workspace: true })
  assert.equal(answer.status, 200, answer.text)
  const id = String(answer.json().session_id)
  const events = await call('GET', `/sessions/${id}/events?limit=1000`)
  const basic = Buffer.from(`${ACCOUNT.username}:${ACCOUNT.password}`).toString('base64')
  for (const secret of [ACCOUNT.password, basic]) {
    assert.ok(!events.text.includes(secret))
    assert.ok(!answer.text.includes(secret))
    assert.ok(!real.process.logged().includes(secret))
  }
})
