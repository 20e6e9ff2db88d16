import assert from 'node:assert/strict'
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { archiveOf, hostileArchives } from '@opencode-gateway/executor-testing/workspace-suite'
import { as, at, startFilesGateway, type FilesGateway } from './workspaces.ts'

/** The whole archive, as bytes. */
async function download(t: { signal: AbortSignal }, { url, session }: FilesGateway, query = ''): Promise<Buffer> {
  const response = await fetch(`${url}${session}/archive${query}`, { headers: as('all'), signal: t.signal })
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('content-type'), 'application/gzip')
  assert.match(response.headers.get('content-disposition') ?? '', /^attachment; filename="[0-9a-f-]{36}\.tar\.gz"/)
  return Buffer.from(await response.arrayBuffer())
}

test('a workspace goes out as an archive and comes in as one', async (t) => {
  const from = await startFilesGateway(t)
  await mkdir(join(from.root, 'src/.git'), { recursive: true })
  await writeFile(join(from.root, 'src/a'), 'one')
  await writeFile(join(from.root, 'b'), 'two')
  await writeFile(join(from.root, '.env'), 'hush')
  const whole = await download(t, from)
  const part = gunzipSync(await download(t, from, at('src'))).toString('latin1')
  assert.ok(part.includes('src/a') && !part.includes('two'))
  assert.ok(
    gunzipSync(await download(t, from, '?git=true'))
      .toString('latin1')
      .includes('src/.git/'),
  )
  assert.ok(
    gunzipSync(await download(t, from, '?secrets=true'))
      .toString('latin1')
      .includes('hush'),
  )
  assert.equal((await from.files('GET', `/archive${at('none')}`)).json().code, 'FILE_NOT_FOUND')

  const to = await startFilesGateway(t)
  const answer = await to.files('PUT', '/archive', whole, { 'content-type': 'application/gzip' })
  assert.deepEqual([answer.status, answer.json()], [201, { files: 2, bytes: 6 }])
  assert.deepEqual((await readdir(to.root, { recursive: true })).sort(), ['b', 'src', 'src/a'])
  assert.equal(await readFile(join(to.root, 'src/a'), 'utf8'), 'one')
})

test('an archive that is refused leaves nothing', async (t) => {
  const { files, root } = await startFilesGateway(t, { env: { MAX_ARCHIVE_SIZE: '100000' } })
  // Some are refused for limits that are wider here.
  const limited = /too many|a bomb/
  for (const [what, archive] of hostileArchives.filter(([what]) => !limited.test(what))) {
    const answer = await files('PUT', '/archive', await archive())
    assert.deepEqual([answer.status, answer.json().code], [422, 'ARCHIVE_REFUSED'], what)
  }
  assert.equal((await files('PUT', '/archive', Buffer.alloc(100_001))).json().code, 'PAYLOAD_TOO_LARGE')
  assert.deepEqual(await readdir(root), [])
})

test('a refusal in the midst of a body says why, and the next request on the connection is answered', async (t) => {
  const { url, session } = await startFilesGateway(t)
  const body = await archiveOf(
    { name: 'fine', content: randomBytes(100) },
    { name: '../out', content: randomBytes(8_000_000) },
  )()
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(async () => agent.destroy())
  async function send(method: string, path: string, content?: Buffer) {
    const request = httpRequest(`${url}${session}${path}`, { method, agent, headers: as('all'), signal: t.signal })
    request.end(content)
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    return { status: response.statusCode, text: (await buffer(response)).toString() }
  }
  for (let round = 0; round < 3; round += 1) {
    const refused = await send('PUT', '/archive', body)
    assert.deepEqual([refused.status, JSON.parse(refused.text).code], [422, 'ARCHIVE_REFUSED'])
    assert.equal((await send('GET', '/files')).status, 200)
  }
})
