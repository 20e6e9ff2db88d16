import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { PullRequestOrder } from '@opencode-gateway/contracts'
import { GatewayError } from '@opencode-gateway/contracts'
import { createGit } from '../../src/index.ts'
import { delivery, gitScene, PATH } from '../git/scene.ts'
import { fakeApi, type ApiReply, type ApiRequest } from './fake-api.ts'

const TOKEN = 'canary-token-4711'
const MESSAGE = 'Add a greeting\n\nPeople like to be greeted.'

type Kind = 'githubApi' | 'gitlabApi'

/** A workspace with changes, from a server whose host has an API. */
async function ready(
  t: TestContext,
  kind: Kind,
  reply: (request: ApiRequest, earlier: readonly ApiRequest[]) => ApiReply,
  token: string | undefined = TOKEN,
) {
  const scene = await gitScene(t)
  const { server, cacheDirectory, ctx, onGit } = scene
  const api = await fakeApi(t, reply)
  const git = createGit({
    cacheDirectory,
    path: PATH,
    allowedHosts: [server.host],
    credentials: new Map(token === '' ? [] : [[server.host, { username: 'x', password: token }]]),
    author: { name: 'Gateway', email: 'gateway@example.com' },
    limits: { cloneTimeoutMs: 60_000, pushTimeoutMs: 60_000, maxBytes: 1_000_000_000 },
    pullRequests: { [kind]: { [server.host]: `${api.url}/api/` } },
  })
  const { fill: clone } = git
  const at = await scene.place()
  const repository = await clone({ url: await server.addRepository('acme/demo', { a: '1' }) }, at, ctx(), onGit)
  await writeFile(path.join(at.directory, 'b'), '2')
  const deliver = async (pullRequest: PullRequestOrder) =>
    await git.deliver(repository, at, delivery({ message: MESSAGE, pullRequest }), ctx(), onGit)
  return { ...scene, api, deliver, at }
}

const opened = {
  html_url: 'https://git.example.com/acme/demo/pull/7',
  web_url: 'https://git.example.com/acme/demo/-/merge_requests/7',
}

for (const [kind, url, path, created] of [
  [
    'githubApi',
    opened.html_url,
    '/api/repos/acme/demo/pulls',
    {
      title: 'Add a greeting',
      body: 'People like to be greeted.',
      head: 'opencode/one',
      base: 'main',
      draft: true,
    },
  ],
  [
    'gitlabApi',
    opened.web_url,
    '/api/projects/acme%2Fdemo/merge_requests',
    {
      source_branch: 'opencode/one',
      target_branch: 'main',
      title: 'Draft: Add a greeting',
      description: 'People like to be greeted.',
    },
  ],
] as const) {
  test(`${kind}: the branch is pushed and a pull request opened, and found again the next time`, async (t) => {
    const { deliver, api, server, at, events } = await ready(t, kind, ({ method }, earlier) =>
      method === 'POST' ? { status: 201, body: opened } : { status: 200, body: earlier.length < 2 ? [] : [opened] },
    )
    const first = await deliver({ draft: true })
    assert.equal(first.pullRequestUrl, url)
    assert.equal(first.pushed, true)
    assert.equal(await server.git('acme/demo', 'rev-parse', at.workBranch), first.commit)
    assert.deepEqual(await deliver({ draft: true }), first)
    assert.deepEqual(
      api.requests.map(({ method, path }) => `${method} ${path}`),
      [`GET ${path}`, `POST ${path}`, `GET ${path}`],
    )
    assert.deepEqual(api.requests[1]?.body, created)
    assert.ok(api.requests.every(({ authorization }) => authorization === `Bearer ${TOKEN}`))
    assert.equal(events.findLast(({ action }) => action === 'pull_request')?.pull_request_url, url)
    assert.ok(!JSON.stringify(events).includes(TOKEN))
  })

  test(`${kind}: one that somebody opened meanwhile is taken`, async (t) => {
    const { deliver } = await ready(t, kind, ({ method }, earlier) =>
      method === 'POST'
        ? { status: kind === 'githubApi' ? 422 : 409, body: { message: 'already exists' } }
        : { status: 200, body: earlier.length === 0 ? [] : [opened] },
    )
    assert.equal((await deliver({})).pullRequestUrl, url)
  })

  for (const [what, answer, words, retryable] of [
    ['refused', { status: 403, body: { message: `no rights for ${TOKEN}` } }, /403: no rights for \*\*\*/, false],
    ['broken', { status: 502 }, /502/, true],
    ['too busy', { status: 429 }, /429/, true],
    ['redirected', { status: 302, headers: { location: 'http://127.0.0.1:1/' } }, /302/, false],
    ['answered with something else', { status: 200, body: { a: 1 } }, /200/, false],
    [
      'answered with an address that is none',
      { status: 200, body: [{ html_url: 'javascript:x', web_url: 'javascript:x' }] },
      /200/,
      false,
    ],
  ] as const) {
    test(`${kind}: ${what} is PULL_REQUEST_FAILED; the branch stays pushed`, async (t) => {
      const { deliver, server, at, events } = await ready(t, kind, () => answer)
      await assert.rejects(deliver({}), (error) => {
        assert.ok(error instanceof Error && 'code' in error && 'retryable' in error)
        assert.equal(error.code, 'PULL_REQUEST_FAILED')
        assert.match(error.message, words)
        assert.equal(error.retryable, retryable)
        return !JSON.stringify([error.message, events]).includes(TOKEN)
      })
      assert.notEqual(await server.git('acme/demo', 'branch', '--list', at.workBranch), '')
    })
  }
}

test('what the order says goes before what the commit says', async (t) => {
  const { deliver, api } = await ready(t, 'githubApi', ({ method }) =>
    method === 'POST' ? { status: 201, body: opened } : { status: 200, body: [] },
  )
  await deliver({ title: 'Greet', body: 'Please.', base: 'develop' })
  assert.deepEqual(api.requests[1]?.body, {
    title: 'Greet',
    body: 'Please.',
    head: 'opencode/one',
    base: 'develop',
    draft: false,
  })
})

test('a base that is no branch is refused before anything is done', async (t) => {
  const { deliver, api, server } = await ready(t, 'githubApi', () => ({ status: 500 }))
  const before = server.requests.length
  await assert.rejects(deliver({ base: '--x' }), { code: 'REPOSITORY_REFUSED' })
  assert.equal(server.requests.length, before)
  assert.deepEqual(api.requests, [])
})

test('without a token there is no pull request', async (t) => {
  const { deliver } = await ready(t, 'githubApi', () => ({ status: 500 }), '')
  await assert.rejects(deliver({}), { code: 'PULL_REQUEST_FAILED', message: /no token/ })
})

test('a pull request that no host can take is refused before anything starts', async (t) => {
  const { cacheDirectory } = await gitScene(t)
  const gitWith = (password: string) =>
    createGit({
      cacheDirectory,
      path: PATH,
      allowFile: true,
      credentials: new Map(password === '' ? [] : [['github.com', { username: 'x', password }]]),
      author: { name: 'Gateway', email: 'gateway@example.com' },
      limits: { cloneTimeoutMs: 60_000, pushTimeoutMs: 60_000, maxBytes: 1_000_000_000 },
    })
  const refused = (reason: RegExp) => (error: unknown) =>
    error instanceof GatewayError && error.code === 'UNSUPPORTED_OPTION' && reason.test(error.message)
  const wanted = { pullRequest: {} }
  const ours = { url: 'https://github.com/acme/demo' }
  assert.doesNotThrow(() => gitWith(TOKEN).check(ours, wanted))
  assert.throws(() => gitWith('').check(ours, wanted), refused(/no token for the host "github.com"/))
  assert.doesNotThrow(() => gitWith('').check({ ...ours, sealedCredentials: 'sealed' }, wanted))
  assert.doesNotThrow(() => gitWith('').check(ours, {}))
  const other = { url: 'https://git.example.com/acme/demo' }
  assert.throws(() => gitWith(TOKEN).check(other, wanted), refused(/no API is known for the host "git.example.com"/))
  assert.throws(() => gitWith(TOKEN).check({ url: 'file:///srv/demo.git' }, wanted), refused(/of this machine/))
})
