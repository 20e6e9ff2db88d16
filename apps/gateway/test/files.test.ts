import assert from 'node:assert/strict'
import { mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually, startGateway } from './gateway.ts'
import { as, at, startFilesGateway } from './workspaces.ts'

const content = (path: string): string => `/files/content${at(path)}`

test('files over HTTP', async (t) => {
  const { root, files, url, session, logged } = await startFilesGateway(t, { env: { MAX_FILE_SIZE: '2048' } })

  await t.test('a file is written, read and written again with what the answer says', async () => {
    const made = await files('PUT', content('src/a.ts'), 'let a = 1\n')
    assert.equal(made.status, 201, made.text)
    const { etag, modified_at, ...info } = made.json()
    assert.deepEqual(info, { path: 'src/a.ts', type: 'file', size: 10, mode: '0644', text: true })
    assert.equal(made.headers.get('etag'), etag)
    assert.match(String(modified_at), /Z$/)
    const read = await files('GET', content('src/a.ts'))
    assert.equal(read.text, 'let a = 1\n')
    assert.equal(read.headers.get('etag'), etag)
    assert.equal(read.headers.get('content-length'), '10')
    assert.equal((await files('PUT', content('src/a.ts'), 'let a = 2\n')).status, 200)
    assert.equal(await readFile(join(root, 'src/a.ts'), 'utf8'), 'let a = 2\n')
  })

  await t.test('a body of any type is the content, and so is none', async () => {
    for (const type of ['application/json', 'text/plain', 'multipart/form-data; boundary=x', 'x/y', '']) {
      const headers: Record<string, string> = type === '' ? {} : { 'content-type': type }
      const answer = await files('PUT', content('any'), Buffer.from('{"not json'), headers)
      assert.ok(answer.status < 300, `${type}: ${answer.text}`)
      assert.equal(await readFile(join(root, 'any'), 'utf8'), '{"not json')
    }
    assert.equal((await files('PUT', content('none'))).status, 201)
    assert.equal(await readFile(join(root, 'none'), 'utf8'), '')
  })

  await t.test('what an agent wrote is sent as text or bytes, to be saved, and never as a page', async () => {
    await writeFile(join(root, 'page.html'), '<script>alert(1)</script>')
    await writeFile(join(root, 'image.svg'), Buffer.from([0, 1, 2]))
    for (const [path, type] of [
      ['page.html', 'text/plain; charset=utf-8'],
      ['image.svg', 'application/octet-stream'],
    ] as const) {
      const { headers } = await files('GET', content(path))
      assert.equal(headers.get('content-type'), type)
      assert.equal(headers.get('x-content-type-options'), 'nosniff')
      assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'.*sandbox/)
      assert.equal(headers.get('content-disposition'), `attachment; filename="${path}"; filename*=UTF-8''${path}`)
    }
    const strange = 'a "b"\r\nx: y;\\ü.txt'
    await writeFile(join(root, strange), 'x')
    const disposition = (await files('GET', content(strange))).headers.get('content-disposition')
    assert.equal(
      disposition,
      `attachment; filename="a _b___x: y;__.txt"; filename*=UTF-8''${encodeURIComponent(strange)}`,
    )
  })

  await t.test('a range is the part, and what is none is the whole or refused', async () => {
    await writeFile(join(root, 'ten'), '0123456789')
    const etag = (await files('GET', content('ten'))).headers.get('etag') ?? ''
    const part = async (range: string, headers: Record<string, string> = {}) => {
      const answer = await files('GET', content('ten'), undefined, { range, ...headers })
      return [answer.status, answer.status < 300 ? answer.text : '', answer.headers.get('content-range')]
    }
    assert.deepEqual(await part('bytes=2-4'), [206, '234', 'bytes 2-4/10'])
    assert.deepEqual(await part('bytes=8-'), [206, '89', 'bytes 8-9/10'])
    assert.deepEqual(await part('bytes=8-99'), [206, '89', 'bytes 8-9/10'])
    assert.deepEqual(await part('bytes=-3'), [206, '789', 'bytes 7-9/10'])
    assert.deepEqual(await part('bytes=-30'), [206, '0123456789', 'bytes 0-9/10'])
    assert.deepEqual(await part('bytes=0-0'), [206, '0', 'bytes 0-0/10'])
    assert.deepEqual(await part('bytes=2-4', { 'if-range': etag }), [206, '234', 'bytes 2-4/10'])
    for (const whole of [
      'bytes=4-2',
      'bytes=-',
      'bytes=0-1,3-4',
      'lines=1-2',
      'bytes=a-b',
      'x',
      'bytes=1-99999999999999999',
    ])
      assert.deepEqual(await part(whole), [200, '0123456789', null], whole)
    assert.deepEqual(await part('bytes=2-4', { 'if-range': '"other"' }), [200, '0123456789', null])
    for (const beyond of ['bytes=10-', 'bytes=10-12', 'bytes=-0'])
      assert.deepEqual(await part(beyond), [416, '', 'bytes */10'], beyond)
    assert.equal((await files('GET', content('none'), undefined, { range: 'bytes=0-' })).status, 416)
  })

  await t.test('what a client has is not sent again', async () => {
    const etag = (await files('GET', content('ten'))).headers.get('etag') ?? ''
    for (const known of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const answer = await files('GET', content('ten'), undefined, { 'if-none-match': known })
      assert.deepEqual([answer.status, answer.text, answer.headers.get('etag')], [304, '', etag])
    }
    assert.equal((await files('GET', content('ten'), undefined, { 'if-none-match': '"x"' })).status, 200)
    const head = await files('HEAD', content('ten'))
    assert.deepEqual([head.status, head.text, head.headers.get('content-length')], [200, '', '10'])
    assert.equal((await files('HEAD', content('nothing'))).status, 404)
  })

  await t.test('a writer says what is expected to be there', async () => {
    const etag = (await files('GET', content('ten'))).headers.get('etag') ?? ''
    const put = async (path: string, headers: Record<string, string>) => {
      const answer = await files('PUT', content(path), 'new', headers)
      return answer.status < 300 ? answer.status : answer.json().code
    }
    assert.equal(await put('ten', { 'if-match': '"x"' }), 'PRECONDITION_FAILED')
    assert.equal(await put('ten', { 'if-none-match': '*' }), 'PRECONDITION_FAILED')
    assert.equal(await put('absent', { 'if-match': '*' }), 'PRECONDITION_FAILED')
    for (const bad of ['x', `W/${etag}`, `${etag}, "x"`, ''])
      assert.equal(await put('ten', { 'if-match': bad }), 'INVALID_REQUEST', bad)
    assert.equal(await put('ten', { 'if-none-match': etag }), 'INVALID_REQUEST')
    assert.equal(await readFile(join(root, 'ten'), 'utf8'), '0123456789')
    assert.equal(await put('ten', { 'if-match': etag }), 200)
    assert.equal(await put('ten', { 'if-match': etag }), 'PRECONDITION_FAILED')
    assert.equal(await put('fresh', { 'if-none-match': '*' }), 201)
  })

  await t.test('a file over the limit is refused, announced or not, and the connection goes on', async () => {
    const big = Buffer.alloc(2049, 'x')
    const announced = await files('PUT', content('ten'), big)
    assert.deepEqual([announced.status, announced.json().code], [413, 'PAYLOAD_TOO_LARGE'])
    const unannounced = await fetch(`${url}${session}${content('ten')}`, {
      method: 'PUT',
      headers: as('all'),
      body: new Blob([big]).stream(),
      duplex: 'half',
      signal: t.signal,
    })
    assert.equal(unannounced.status, 413)
    await unannounced.arrayBuffer()
    assert.equal(await readFile(join(root, 'ten'), 'utf8'), 'new')
    assert.equal((await files('PUT', content('ten'), big.subarray(1))).status, 200)
  })

  await t.test('an upload that breaks off leaves what was there', async () => {
    await writeFile(join(root, 'kept'), 'before')
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    socket.write(
      `PUT ${session}${content('kept')} HTTP/1.1\r\nhost: x\r\nx-api-key: all\r\ncontent-length: 100\r\n\r\nhalf`,
    )
    const staged = join(root, '..', '.aside', session.replace('/sessions/', ''), 'files')
    const waiting = () =>
      readdir(staged, { recursive: true }).then(
        (names) => names.filter((name) => name.includes('upload-')).length,
        () => 0,
      )
    await eventually(t, async () => (await waiting()) === 1)
    socket.destroy()
    await eventually(t, async () => (await waiting()) === 0)
    assert.equal(await readFile(join(root, 'kept'), 'utf8'), 'before')
    assert.ok(!logged().includes('"level":50'), 'a client that leaves is no error')
  })

  await t.test('a directory is listed, made, moved and removed', async () => {
    assert.equal((await files('POST', '/files/mkdir', { path: 'd/e' })).status, 201)
    const again = await files('POST', '/files/mkdir', { path: 'd/e' })
    assert.deepEqual([again.status, again.json().type], [200, 'directory'])
    await writeFile(join(root, 'd/e/f'), 'x')
    await mkdir(join(root, 'd/.git'))
    await symlink('/etc', join(root, 'd/link'))
    const list = (await files('GET', `/files${at('d')}&depth=9`)).json() as { entries: Record<string, unknown>[] }
    assert.deepEqual(
      list.entries.map(({ path, type }) => [path, type]),
      [
        ['d/.git', 'directory'],
        ['d/e', 'directory'],
        ['d/e/f', 'file'],
        ['d/link', 'link'],
      ],
    )
    assert.equal((await files('GET', `/files${at('d')}&limit=3`)).json().truncated, false)
    assert.equal((await files('GET', `/files${at('d')}&limit=2`)).json().truncated, true)
    const moved = await files('POST', '/files/move', { from: 'd/e/f', to: 'd/g' })
    assert.deepEqual([moved.status, moved.json().path], [200, 'd/g'])
    assert.equal((await files('POST', '/files/move', { from: 'd/g', to: 'd/e' })).json().code, 'FILE_EXISTS')
    assert.equal((await files('DELETE', `/files${at('d')}`)).json().code, 'DIRECTORY_NOT_EMPTY')
    assert.equal((await files('DELETE', `/files${at('d')}&recursive=true`)).status, 204)
    assert.equal((await files('GET', `/files/info${at('d')}`)).json().code, 'FILE_NOT_FOUND')
  })

  await t.test('bad parameters are refused with their field', async () => {
    for (const [method, path, body] of [
      ['GET', '/files?depth=0'],
      ['GET', '/files?depth=65'],
      ['GET', '/files?limit=50001'],
      ['GET', '/files?limit=x'],
      ['GET', '/files?path=a&path=b'],
      ['GET', '/files?nothing=1'],
      ['GET', '/files/info'],
      ['GET', '/files/content'],
      ['PUT', '/files/content'],
      ['DELETE', '/files'],
      ['DELETE', '/files?path=x&recursive=maybe'],
      ['POST', '/files/mkdir', {}],
      ['POST', '/files/mkdir', { path: 1 }],
      ['POST', '/files/mkdir', { path: 'x', mode: 7 }],
      ['POST', '/files/move', { from: 'x' }],
      ['GET', '/archive?git=maybe'],
    ] as const) {
      const answer = await files(method, path, body)
      assert.deepEqual([answer.status, answer.json().code], [400, 'INVALID_REQUEST'], `${method} ${path}`)
    }
  })

  await t.test('a tenant does not reach the files of another, a reader changes nothing', async () => {
    assert.equal((await files('GET', '/files', undefined, as('reader'))).status, 200)
    for (const [method, path] of [
      ['PUT', content('x')],
      ['DELETE', `/files${at('ten')}`],
      ['PUT', '/archive'],
    ] as const)
      assert.equal((await files(method, path, 'x', as('reader'))).json().code, 'FORBIDDEN')
    assert.equal((await files('GET', '/files', undefined, { 'x-api-key': 'nobody' })).status, 401)
  })
})

test('files that look like secrets need a key with a scope of their own', async (t) => {
  const { files, root } = await startFilesGateway(t)
  await writeFile(join(root, '.env'), 'hush')
  await writeFile(join(root, 'plain'), 'x')
  const code = async (method: string, path: string, body?: unknown) => {
    const answer = await files(method, path, body, as('usual'))
    return answer.status < 300 ? answer.status : answer.json().code
  }
  assert.equal(await code('GET', content('.env')), 'SECRET_FILE_DENIED')
  assert.equal((await files('HEAD', content('.env'), undefined, as('usual'))).status, 403)
  assert.equal(await code('PUT', content('.env'), 'x'), 'SECRET_FILE_DENIED')
  assert.equal(await code('POST', '/files/move', { from: '.env', to: 'open' }), 'SECRET_FILE_DENIED')
  assert.equal(await code('GET', '/archive?secrets=true'), 'SECRET_FILE_DENIED')
  assert.equal(await code('GET', `/files/info${at('.env')}`), 200)
  assert.equal((await files('GET', content('.env'))).text, 'hush')
  assert.equal((await files('PUT', content('.env'), 'new')).status, 200)
})

test('a gateway without keys gives no secrets out either', async (t) => {
  const { call, session, root } = await startFilesGateway(t, { app: {} })
  await writeFile(join(root, '.env'), 'hush')
  const answer = await call('GET', `${session}${content('.env')}`)
  assert.deepEqual([answer.status, answer.json().code], [403, 'SECRET_FILE_DENIED'])
})

test('a session without a workspace has no files, and gets one by what fills it', async (t) => {
  const { call } = await startFilesGateway(t)
  const made = await call('POST', '/sessions', {}, as('all'))
  const path = `/sessions/${String(made.json().session_id)}`
  for (const [method, route] of [
    ['GET', '/files'],
    ['GET', content('x')],
    ['DELETE', `/files${at('x')}`],
    ['GET', '/archive'],
    ['GET', '/files/watch'],
  ] as const) {
    const answer = await call(method, path + route, undefined, as('all'))
    assert.deepEqual([answer.status, answer.json().code], [404, 'WORKSPACE_NOT_FOUND'], route)
  }
  assert.equal((await call('PUT', path + content('task.md'), '# Task', as('all'))).status, 201)
  assert.equal((await call('GET', path + content('task.md'), undefined, as('all'))).text, '# Task')
})

test('an executor whose files cannot be reached says so', async (t) => {
  const { call } = await startGateway(t)
  const made = await call('POST', '/sessions', {})
  const answer = await call('GET', `/sessions/${String(made.json().session_id)}/files`)
  assert.deepEqual([answer.status, answer.json().code], [422, 'UNSUPPORTED_OPTION'])
})
