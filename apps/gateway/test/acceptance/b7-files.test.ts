import assert from 'node:assert/strict'
import { readFile, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { lines } from '@opencode-gateway/executor-testing'
import { digestOf } from '../../src/config/api-keys.ts'
import { readEvents } from '../event-source.ts'
import { callOf, eventually, temporaryDirectory } from '../gateway.ts'
import { startRealGateway } from '../real-engine.ts'

const EACH = { timeout: 60_000 }
const at = (path: string): string => `?path=${encodeURIComponent(path)}`
const key = (id: string) => ({ 'x-api-key': id })

test('B7: the files of a workspace, with a real engine', { timeout: 300_000 }, async (t) => {
  const keysFile = join(await temporaryDirectory(t), 'keys.json')
  const keys = [
    { id: 'usual', tenant: 'one', hash: digestOf('usual').toString('hex') },
    {
      id: 'trusted',
      tenant: 'one',
      hash: digestOf('trusted').toString('hex'),
      scopes: ['read', 'write', 'files:secrets'],
    },
    { id: 'other', hash: digestOf('other').toString('hex') },
  ]
  await writeFile(keysFile, JSON.stringify(keys))
  const real = await startRealGateway({ env: { API_KEYS_FILE: keysFile } })
  t.after(() => real[Symbol.asyncDispose]())
  const send = callOf(t, real.url)
  const call = (method: string, path: string, body?: unknown, headers = {}) =>
    send(method, path, body, { ...key('usual'), ...headers })

  async function begin(t: TestContext, body: Record<string, unknown> = {}) {
    const made = await call('POST', '/sessions', body)
    assert.equal(made.status, 201, made.text)
    const id = String(made.json().session_id)
    t.after(() => call('DELETE', `/sessions/${id}`))
    const files = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
      call(method, `/sessions/${id}${path}`, body, headers)
    return { id, files, root: join(real.workspaceRoot, id) }
  }

  const pathsIn = async (files: Awaited<ReturnType<typeof begin>>['files']) => {
    const { entries } = (await files('GET', '/files?depth=9')).json() as { entries: { path: string }[] }
    return entries.map(({ path }) => path)
  }

  await t.test(
    'changes by the agent are seen while it works, and those of the client by the agent',
    EACH,
    async (t) => {
      const { id, files } = await begin(t)
      await files('PUT', `/files/content${at('task.md')}`, 'before the first prompt')
      await using watch = await readEvents(`${real.url}/sessions/${id}/files/watch`, t.signal, {
        headers: key('usual'),
      })
      await watch.until(({ event }) => event === 'ready')
      const prompt = [
        lines.run('cat task.md > seen && mkdir -p made/by && echo shell > made/by/shell'),
        lines.write('made/by/tool.txt', 'tool\n'),
        lines.gate('halfway'),
        lines.run('cat answer'),
        lines.say('done'),
      ].join('\n')
      assert.equal((await files('POST', '/messages', { prompt })).status, 202)
      await real.model.waitForGate('halfway', t.signal)
      assert.equal((await files('GET', '/status')).json().status, 'running')
      assert.deepEqual(await pathsIn(files), [
        'made',
        'made/by',
        'made/by/shell',
        'made/by/tool.txt',
        'seen',
        'task.md',
      ])
      assert.equal((await files('GET', `/files/content${at('seen')}`)).text, 'before the first prompt')
      assert.equal((await files('GET', `/files/content${at('made/by/tool.txt')}`)).text, 'tool\n')
      assert.equal((await files('PUT', `/files/content${at('answer')}`, 'from the client')).status, 201)
      const told = new Set<unknown>()
      while (!told.has('answer')) told.add((await watch.next())?.data.path)
      for (const path of ['made/by/shell', 'made/by/tool.txt', 'seen'])
        assert.ok(told.has(path), `${path} was not told`)
      real.model.release('halfway')
      await using stream = await readEvents(`${real.url}/sessions/${id}/stream`, t.signal, { headers: key('usual') })
      const events = await stream.rest()
      const results = events.filter(({ event }) => event === 'tool_result')
      assert.match(JSON.stringify(results.at(-1)?.data), /from the client/)
      assert.equal((await files('GET', `/files/content${at('made/by/shell')}`)).text, 'shell\n', 'after the end')
    },
  )

  await t.test('tree, info, content, write, delete, mkdir', EACH, async (t) => {
    const { files, root } = await begin(t)
    assert.equal((await files('POST', '/files/mkdir', { path: 'src/deep' })).status, 201)
    assert.equal((await files('PUT', `/files/content${at('src/a.txt')}`, 'one')).status, 201)
    assert.equal((await files('PUT', `/files/content${at('src/a.txt')}`, 'two')).status, 200)
    const info = (await files('GET', `/files/info${at('src/a.txt')}`)).json()
    assert.deepEqual([info.type, info.size, info.mode, info.text], ['file', 3, '0644', true])
    assert.deepEqual(await pathsIn(files), ['src', 'src/a.txt', 'src/deep'])
    assert.equal(await readFile(join(root, 'src/a.txt'), 'utf8'), 'two')
    assert.equal((await files('DELETE', `/files${at('src/a.txt')}`)).status, 204)
    assert.equal((await files('DELETE', `/files${at('src')}&recursive=true`)).status, 204)
    assert.deepEqual(await readdir(root), [])
  })

  await t.test('10 MiB is the limit of a file unless it is set', EACH, async (t) => {
    const { files } = await begin(t)
    const limit = Buffer.alloc(10 * 1024 * 1024, 'x')
    assert.equal((await files('PUT', `/files/content${at('most')}`, limit)).status, 201)
    const more = await files('PUT', `/files/content${at('more')}`, Buffer.concat([limit, Buffer.from('x')]))
    assert.deepEqual([more.status, more.json().code], [413, 'PAYLOAD_TOO_LARGE'])
    assert.deepEqual(await pathsIn(files), ['most'])
  })

  await t.test('the workspace itself cannot be deleted', EACH, async (t) => {
    const { files, root } = await begin(t)
    await files('PUT', `/files/content${at('kept')}`, 'x')
    for (const [path, code] of [
      ['', 'FORBIDDEN'],
      ['.', 'FORBIDDEN'],
      ['./', 'FORBIDDEN'],
      ['x/..', 'PARENT_DIRECTORY_DENIED'],
    ] as const)
      assert.equal((await files('DELETE', `/files${at(path)}&recursive=true`)).json().code, code)
    assert.deepEqual(await readdir(root), ['kept'])
  })

  await t.test('traversal and links lead nowhere', EACH, async (t) => {
    const { files, root } = await begin(t)
    const outside = await temporaryDirectory(t)
    await writeFile(join(outside, 'precious'), 'kept')
    await files('POST', '/files/mkdir', { path: 'd' })
    await symlink(outside, join(root, 'd/out'))
    await symlink(join(outside, 'precious'), join(root, 'file'))
    for (const [method, route, body] of [
      ['GET', `/files${at('d/out')}`],
      ['GET', `/files/content${at('d/out/precious')}`],
      ['GET', `/files/content${at('file')}`],
      ['PUT', `/files/content${at('d/out/precious')}`, 'x'],
      ['PUT', `/files/content${at('d/out/new')}`, 'x'],
      ['PUT', `/files/content${at('file')}`, 'x'],
      ['DELETE', `/files${at('d/out/precious')}`],
      ['POST', '/files/mkdir', { path: 'd/out/new' }],
      ['POST', '/files/move', { from: 'd/out/precious', to: 'x' }],
    ] as const) {
      const answer = await files(method, route, body)
      assert.deepEqual([answer.status, answer.json().code], [403, 'LINK_DENIED'], `${method} ${route}`)
    }
    assert.equal((await files('GET', `/files/content${at('../../precious')}`)).json().code, 'PARENT_DIRECTORY_DENIED')
    assert.equal((await files('DELETE', `/files${at('d')}&recursive=true`)).status, 204)
    assert.deepEqual(await readdir(outside), ['precious'])
    assert.equal(await readFile(join(outside, 'precious'), 'utf8'), 'kept')
  })

  await t.test('secrets are for keys that may have them', EACH, async (t) => {
    const { files, root } = await begin(t)
    await files('PUT', `/files/content${at('x')}`, 'x')
    await writeFile(join(root, '.env'), 'TOKEN=hush')
    for (const [method, route, body] of [
      ['GET', `/files/content${at('.env')}`],
      ['PUT', `/files/content${at('tls/server.key')}`, 'x'],
      ['POST', '/files/move', { from: '.env', to: 'open' }],
      ['GET', '/archive?secrets=true'],
    ] as const) {
      const answer = await files(method, route, body)
      assert.deepEqual([answer.status, answer.json().code], [403, 'SECRET_FILE_DENIED'], `${method} ${route}`)
    }
    assert.deepEqual(await pathsIn(files), ['.env', 'x'])
    assert.equal((await files('GET', `/files/content${at('.env')}`, undefined, key('trusted'))).text, 'TOKEN=hush')
    assert.ok(!real.process.logged().includes('hush'))
  })

  await t.test('another tenant sees no session and no file', EACH, async (t) => {
    const { files } = await begin(t)
    await files('PUT', `/files/content${at('x')}`, 'mine')
    for (const [method, route, body] of [
      ['GET', '/files'],
      ['GET', `/files/content${at('x')}`],
      ['PUT', `/files/content${at('x')}`, 'x'],
      ['DELETE', `/files${at('x')}`],
      ['POST', '/files/mkdir', { path: 'd' }],
      ['POST', '/files/move', { from: 'x', to: 'y' }],
      ['GET', '/files/watch'],
      ['GET', '/archive'],
      ['PUT', '/archive', 'x'],
    ] as const) {
      const answer = await files(method, route, body, key('other'))
      assert.deepEqual([answer.status, answer.json().code], [404, 'SESSION_NOT_FOUND'], `${method} ${route}`)
    }
    assert.equal((await files('GET', `/files/content${at('x')}`)).text, 'mine')
  })

  await t.test('a watch tells of new, changed, moved and removed files, until its reader leaves', EACH, async (t) => {
    const { id, files, root } = await begin(t)
    await files('POST', '/files/mkdir', { path: 'd' })
    await using watch = await readEvents(`${real.url}/sessions/${id}/files/watch`, t.signal, { headers: key('usual') })
    await watch.until(({ event }) => event === 'ready')
    const told = (change: string, path: string) =>
      watch.until(({ event, data }) => event === 'file' && data.change === change && data.path === path)
    await writeFile(join(root, 'd/f'), 'one')
    await told('created', 'd/f')
    await writeFile(join(root, 'd/f'), 'two')
    await told('modified', 'd/f')
    await rename(join(root, 'd'), join(root, 'e'))
    await told('created', 'e/f')
    await rm(join(root, 'e'), { recursive: true })
    await told('deleted', 'e/f')
    watch.close()
    await eventually(t, async () => {
      const metrics = await send('GET', '/metrics', undefined, key('usual'))
      return /^\w*streams?_open\w* 0$/m.test(metrics.text)
    })
  })
})
