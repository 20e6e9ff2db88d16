import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, readdir, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { createGit } from '../../src/index.ts'
import { delivery, gitScene, PATH } from './scene.ts'

const SECRET = 'canary-of-lfs'
const CONTENT = 'content'

/** Somebody else's server; `answer` is for the tests. */
async function other(t: TestContext, answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const seen: IncomingMessage[] = []
  const server = createServer((request, response) => {
    seen.push(request)
    request.resume()
    answer(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { seen, host: `127.0.0.1:${(server.address() as AddressInfo).port}` }
}

async function hostileScene(t: TestContext, more: readonly string[] = []) {
  const scene = await gitScene(t)
  const { server, cacheDirectory } = scene
  const url = await server.addRepository('demo', {
    '.gitattributes': '*.bin filter=lfs\n',
    'a.bin': server.lfs.add('demo', CONTENT),
  })
  server.requireAuth({ username: 'x-access-token', password: SECRET })
  const git = createGit({
    cacheDirectory,
    path: PATH,
    allowedHosts: [server.host, ...more],
    credentials: new Map([[server.host, { password: SECRET }]]),
    author: { name: 'Gateway', email: 'gateway@example.com' },
    limits: { cloneTimeoutMs: 60_000, pushTimeoutMs: 60_000, maxBytes: 1_000_000 },
  })
  const elsewhere = (href: string, header?: Record<string, string>) =>
    server.lfs.tamper((answer, operation) => ({
      ...answer,
      actions: { [operation]: { href, ...(header === undefined ? {} : { header }) } },
    }))
  return { ...scene, git, elsewhere, source: { url, lfs: true } }
}

test('addresses that a host of large files names are those a repository may be at, or nothing is asked of them', async (t) => {
  const stranger = await other(t, (_, response) => void response.end(CONTENT))
  const { git, server, elsewhere, source, place, ctx, onGit } = await hostileScene(t)
  const { port } = new URL(`http://${stranger.host}`)
  const at = await place()
  const hrefs = [
    `http://${stranger.host}/a`,
    `http://localhost:${port}/a`,
    `http://[::1]:${port}/a`,
    `http://[::ffff:127.0.0.1]:${port}/a`,
    `http://2130706433:${port}/a`,
    `http://0x7f.1:${port}/a`,
    `http://x@${stranger.host}/a`,
    `http://x:y@${server.host}/demo.git/a`,
    'http://169.254.169.254/latest/meta-data/',
    'https://10.0.0.1/a',
    'https://metadata.google.internal/a',
    'file:///etc/passwd',
    'ssh://git@127.0.0.1/a',
    'data:text/plain,content',
    'javascript:1',
  ]
  for (const href of hrefs) {
    elsewhere(href)
    await assert.rejects(git.fill(source, at, ctx(), onGit), { code: 'REPOSITORY_REFUSED' }, href)
    assert.deepEqual(await readdir(at.directory), [], href)
  }
  // The same by a redirect, and by the settings that a repository brings.
  server.lfs.tamper(undefined)
  const object = /GET \/demo\.git\/info\/lfs\/objects\/[0-9a-f]/
  server.redirect(object, `http://${stranger.host}/a`)
  await assert.rejects(git.fill(source, at, ctx(), onGit), { code: 'REPOSITORY_REFUSED' })
  server.redirect(object, undefined)
  const there = `http://${stranger.host}/demo`
  await server.commit('demo', 'main', {
    '.lfsconfig': `[lfs]\n\turl = ${there}\n\tpushurl = ${there}\n[remote "origin"]\n\tlfsurl = ${there}\n`,
  })
  await git.fill(source, at, ctx(), onGit)
  assert.deepEqual(stranger.seen, [])
})

test('the credentials of a host are for no other one, and what a host says of the connection is not taken', async (t) => {
  const friend = await other(t, (_, response) => void response.end(CONTENT))
  const { git, server, elsewhere, source, place, ctx, onGit } = await hostileScene(t, [friend.host])
  elsewhere(`http://${friend.host}/a`, { 'X-Token': 'of the host', Host: 'evil', 'Transfer-Encoding': 'chunked' })
  await git.fill(source, await place('one'), ctx(), onGit)
  server.lfs.tamper(undefined)
  server.redirect(/GET \/demo\.git\/info\/lfs\/objects\/[0-9a-f]/, `http://${friend.host}/b`)
  await git.fill(source, await place('two'), ctx(), onGit)
  const [first, second] = friend.seen.map(({ headers }) => headers)
  assert.equal(first?.['x-token'], 'of the host')
  for (const headers of [first, second]) {
    assert.equal(headers?.host, friend.host)
    assert.equal(headers?.['transfer-encoding'], undefined)
    assert.ok(!JSON.stringify(headers).includes(Buffer.from(`x-access-token:${SECRET}`).toString('base64')))
    assert.equal(headers?.authorization, undefined)
  }
})

test('what is not the object that was asked for does not come in', async (t) => {
  const bodies = ['CONTENT', `${CONTENT} and more`, '']
  const friend = await other(t, (request, response) => void response.end(bodies[Number(request.url?.slice(1))]))
  const { git, server, elsewhere, source, place, ctx, onGit } = await hostileScene(t, [friend.host])
  const at = await place()
  const refused = async (what: string) => {
    await assert.rejects(git.fill(source, at, ctx(), onGit), { code: 'CLONE_FAILED' }, what)
    assert.deepEqual(await readdir(at.directory), [], what)
  }
  for (const index of bodies.keys()) {
    elsewhere(`http://${friend.host}/${index}`)
    await refused(bodies[index] ?? '')
  }
  elsewhere(`http://${friend.host}/0`, { 'X-Token': 'a\r\nb: c' })
  await refused('header')
  elsewhere('http://:x')
  await refused('address')
  server.lfs.tamper((answer) => ({ oid: answer.oid, size: answer.size }))
  await refused('no action')
  server.lfs.tamper((answer) => ({ ...answer, oid: 'another' }))
  await refused('another object')
  server.lfs.tamper((answer) => ({ ...answer, error: { code: 404, message: `no ${SECRET}` } }))
  await assert.rejects(git.fill(source, at, ctx(), onGit), ({ message }: Error) => {
    return /404, 404 no \*\*\*/.test(message) && !message.includes(SECRET)
  })
})

test('who no longer wants a clone ends it while a host is silent, and nothing is left', async (t) => {
  const asked = Promise.withResolvers<void>()
  const silent = await other(t, () => asked.resolve())
  const { git, elsewhere, source, place, ctx, onGit } = await hostileScene(t, [silent.host])
  elsewhere(`http://${silent.host}/a`)
  const stop = new AbortController()
  const at = await place()
  const filled = git.fill(source, at, ctx(stop.signal), onGit)
  await Promise.race([asked.promise, filled])
  stop.abort(new Error('enough'))
  await assert.rejects(filled, { message: 'enough' })
  assert.deepEqual(await readdir(at.directory), [])
})

test('what an agent makes of the place of its objects leads nowhere', async (t) => {
  const { git, server, source, place, root, ctx, onGit } = await hostileScene(t)
  const at = await place()
  const repository = await git.fill(source, at, ctx(), onGit)
  const objects = path.join(at.directory, '.git', 'lfs', 'objects')
  const outside = path.join(root, 'outside')
  await mkdir(outside)
  await rm(objects, { recursive: true })
  await symlink(outside, objects)
  await writeFile(path.join(at.directory, 'b.bin'), 'new')
  const deliver = async () => await git.deliver(repository, at, delivery({ push: true }), ctx(), onGit)
  await assert.rejects(deliver(), { code: 'WORKSPACE_ERROR' })
  assert.deepEqual(await readdir(outside), [])

  // A pointer to a secret of ours, and an object that is not what it is called.
  await rm(objects)
  const oid = 'ab'.repeat(32)
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize 6\n`
  await writeFile(path.join(at.directory, 'c.bin'), pointer)
  await mkdir(path.join(objects, 'ab', 'ab'), { recursive: true })
  await writeFile(path.join(outside, 'secret'), 'secret')
  await symlink(path.join(outside, 'secret'), path.join(objects, 'ab', 'ab', oid))
  await assert.rejects(deliver(), { code: 'WORKSPACE_ERROR' })
  await rm(path.join(objects, 'ab', 'ab', oid))
  await writeFile(path.join(objects, 'ab', 'ab', oid), 'secret')
  await assert.rejects(deliver(), { code: 'PUSH_REJECTED' })
  await rm(path.join(at.directory, 'c.bin'))
  await truncate(path.join(at.directory, 'a.bin'), 2 ** 40)
  await assert.rejects(deliver(), { code: 'WORKSPACE_FULL' })
  assert.ok(![...server.lfs.objectsOf('demo').values()].map(String).includes('secret'))
})
