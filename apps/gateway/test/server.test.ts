import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readEvents } from './event-source.ts'
import { compileCache, startGatewayProcess } from './gateway-process.ts'
import { eventually, temporaryDirectory } from './gateway.ts'

const SERVER = fileURLToPath(new URL('../src/server.ts', import.meta.url))

/** Runs the process until it ends by itself. */
async function runServer(t: TestContext, env: Record<string, string>) {
  const complete = { PATH: process.env['PATH'], ...compileCache(), ...env }
  const child = spawn(process.execPath, [SERVER], { env: complete, signal: t.signal })
  const [stderr, , [code]] = await Promise.all([text(child.stderr), text(child.stdout), once(child, 'close')])
  return { code: Number(code), stderr }
}

/** A server that is no engine: it answers everything with a page. */
async function startPage(t: TestContext): Promise<string> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html')
    response.end('<!doctype html><title>hello</title>')
  })
  t.after(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('D5: a configuration that cannot be used is told as a whole, with exit code 78 and without secrets', async (t) => {
  const { code, stderr } = await runServer(t, {
    HOME: await temporaryDirectory(t),
    PORT: 'eighty',
    HOST: '0.0.0.0',
    EXECUTOR: 'kubernetes',
    OPENCODE_AUTH_JSON: 'sk-secret',
    OPENCODE_SEVER_URL: 'http://x',
  })
  assert.equal(code, 78)
  for (const name of ['PORT', 'HOST', 'EXECUTOR', 'OPENCODE_AUTH_JSON'])
    assert.match(stderr, new RegExp(`^  ${name}$`, 'm'))
  assert.match(stderr, /4 problems/)
  assert.match(stderr, /OPENCODE_SEVER_URL .* did you mean OPENCODE_SERVER_URL/)
  assert.equal(stderr.includes('sk-secret'), false)
})

test('directories that cannot be there are told with the rest of the configuration', async (t) => {
  const directory = await temporaryDirectory(t)
  const file = join(directory, 'file')
  await writeFile(file, '')
  const { code, stderr } = await runServer(t, { DATA_DIR: join(file, 'below'), WORKSPACE_ROOT: file, PORT: 'eighty' })
  assert.equal(code, 78, stderr)
  assert.match(stderr, /3 problems/)
  for (const name of ['DATA_DIR', 'WORKSPACE_ROOT', 'PORT']) assert.match(stderr, new RegExp(`^  ${name}$`, 'm'))
  assert.equal(stderr.includes('    at '), false)
})

for (const name of ['DATA_DIR', 'WORKSPACE_ROOT']) {
  const where = { skip: process.platform === 'linux' ? false : 'needs /proc', timeout: 60_000 }
  test(`a ${name} that cannot be made is told in a line`, where, async (t) => {
    const env = { DATA_DIR: await temporaryDirectory(t), PORT: '0', [name]: '/proc/nope/deeper' }
    const { code, stderr } = await runServer(t, env)
    assert.ok(code === 69 || code === 78, `${code} ${stderr}`)
    assert.match(stderr, /"\/proc\/nope/)
    assert.match(stderr, new RegExp(name))
    assert.equal(stderr.includes('    at '), false)
  })
}

test('a port that is taken is told with what to do', async (t) => {
  const taken = Number(new URL(await startPage(t)).port)
  const { code, stderr } = await runServer(t, { DATA_DIR: await temporaryDirectory(t), PORT: String(taken) })
  assert.equal(code, 69)
  assert.match(stderr, new RegExp(`Port ${taken} on 127.0.0.1 is taken`))
})

test('an engine elsewhere that is no engine is told', async (t) => {
  const { code, stderr } = await runServer(t, {
    DATA_DIR: await temporaryDirectory(t),
    PORT: '0',
    OPENCODE_SERVER_URL: await startPage(t),
  })
  assert.equal(code, 69, stderr)
  assert.match(stderr, /ENGINE_INCOMPATIBLE/)
})

test('an engine elsewhere that cannot be reached leaves the gateway alive and not ready', async (t) => {
  await using gateway = await startGatewayProcess({
    dataDir: await temporaryDirectory(t),
    env: { OPENCODE_SERVER_URL: 'http://127.0.0.1:9' },
  })
  const ready = async () => {
    const response = await fetch(`${gateway.url}/ready`, { signal: t.signal })
    return { status: response.status, body: await response.text() }
  }
  await eventually(t, async () => (await ready()).body.includes('did not start'))
  assert.equal((await ready()).status, 503)
  assert.equal((await fetch(`${gateway.url}/health`, { signal: t.signal })).status, 200)
  assert.deepEqual(await gateway.stop(), { code: 0, signal: null })
})

test('a gateway says loudly what it lacks, and two never share their data', async (t) => {
  const dataDir = await temporaryDirectory(t)
  await using gateway = await startGatewayProcess({ dataDir })
  await eventually(t, () => gateway.logged().includes('NO MODEL PROVIDER IS CONFIGURED'))
  await eventually(t, () => gateway.logged().includes('NO API KEY IS CONFIGURED'))
  const { code, stderr } = await runServer(t, { DATA_DIR: dataDir, PORT: '0' })
  assert.equal(code, 69)
  assert.match(stderr, /in use by another gateway \(pid \d+.*\)\. Stop that one.*DATA_DIR is/)
})

test('D6: SIGTERM lets a run finish and its client have the answer', async (t) => {
  await using gateway = await startGatewayProcess({ dataDir: await temporaryDirectory(t) })
  await gateway.ready()
  const answer = fetch(`${gateway.url}/run`, { method: 'POST', body: 'slow: 30 x 50\nsay: finished', signal: t.signal })
  await eventually(t, async () =>
    (await fetch(`${gateway.url}/sessions?status=running`).then((r) => r.text())).includes('run_id'),
  )
  const stopped = gateway.stop()
  await eventually(t, async () => (await fetch(`${gateway.url}/ready`, { signal: t.signal })).status === 503)
  const late = await fetch(`${gateway.url}/run`, { method: 'POST', body: 'say: late', signal: t.signal })
  assert.equal(late.status, 503)
  const response = await answer
  assert.equal(response.status, 200)
  assert.match(await response.text(), /finished/)
  assert.deepEqual(await stopped, { code: 0, signal: null })
})

test('D6: what does not finish in the grace time is handed over, and its clients are told', async (t) => {
  const dataDir = await temporaryDirectory(t)
  const gateway = await startGatewayProcess({ dataDir, env: { SHUTDOWN_GRACE: '4s' } })
  await gateway.ready()
  const made = await fetch(`${gateway.url}/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ prompt: 'say: begun\nhang' }),
    signal: t.signal,
  })
  const { session_id: id } = Object(await made.json())
  const waiting = fetch(`${gateway.url}/sessions/${id}/shell`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', prefer: 'wait=60' },
    body: JSON.stringify({ command: 'true' }),
    signal: t.signal,
  })
  await using reader = await readEvents(`${gateway.url}/sessions/${id}/stream`, t.signal)
  await reader.until(({ data }) => data.status === 'running' && data.snapshot !== true)
  assert.deepEqual(await gateway.stop(), { code: 0, signal: null })
  assert.equal(
    (await reader.rest()).some(({ event }) => event === 'complete'),
    false,
  )
  assert.deepEqual(reader.retries, [2000, 3000])
  const plan = gateway.records().find(({ msg }) => msg === 'the gateway stops')
  assert.equal(Number(plan?.['drainMs']) + Number(plan?.['closeMs']), 4000)
  assert.match(
    gateway.logged(),
    /Stopping: runs that work have [\d.]+s to finish\. A second signal ends them at once\./,
  )
  const late = gateway.records().find(({ msg }) => String(msg).startsWith('runs still work'))
  assert.deepEqual([late?.['drainMs'], late?.['err']], [plan?.['drainMs'], undefined])
  const told = await waiting
  assert.equal(told.status, 503)
  assert.equal(Object(await told.json()).code, 'SHUTTING_DOWN')

  await using next = await startGatewayProcess({ dataDir })
  await next.ready()
  await eventually(t, async () => {
    const status = await fetch(`${next.url}/sessions/${id}`, { signal: t.signal }).then((r) => r.json())
    return Object(status).runs[0].state === 'interrupted'
  })
})
