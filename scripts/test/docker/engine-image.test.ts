import assert from 'node:assert/strict'
import { chownSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createScriptedModel } from '@opencode-gateway/scripted-model'
import { Agent, fetch } from 'undici'
import { engineConfig } from '../../bench/lib/lean-engine.ts'
import { docker, engineImage, engineVersion, exitCode, missing, startContainer } from './docker.ts'

const PASSWORD = 'a-password-of-the-test'
const OPTIONS = { timeout: 120_000, skip: await missing(engineImage) }

test('C2: the slim engine image is the pinned engine, not root, with what its tools need', OPTIONS, async () => {
  const look =
    'id -u; opencode --version; for tool in git rg socat curl; do command -v $tool >/dev/null || echo "no $tool"; done'
  const { stdout } = await docker('run', '--rm', '--network', 'none', '--entrypoint', 'bash', engineImage, '-c', look)
  assert.deepEqual(stdout.trim().split('\n'), ['1000', engineVersion])
})

test('an engine without a password does not start', OPTIONS, async () => {
  const { code, stderr } = await docker('run', '--rm', '--network', 'none', engineImage)
  assert.equal(code, 64)
  assert.match(stderr, /OPENCODE_SERVER_PASSWORD is not set/)
})

test('an engine whose socket directory cannot be written does not start', OPTIONS, async () => {
  const settings = ['--env', `OPENCODE_SERVER_PASSWORD=${PASSWORD}`, '--env', 'ENGINE_SOCKETS=/proc']
  const { code, stderr } = await docker('run', '--rm', '--network', 'none', ...settings, engineImage)
  assert.equal(code, 64)
  assert.match(stderr, /"\/proc" of ENGINE_SOCKETS cannot be written/)
})

test('an engine with a network asks for its password', OPTIONS, async (t) => {
  const id = await startContainer(t, '--init', '--env', `OPENCODE_SERVER_PASSWORD=${PASSWORD}`, engineImage)
  await until(async () => (await docker('logs', id)).stdout.includes('opencode server listening on'))
  const status = async (...who: readonly string[]) =>
    (
      await docker(
        'exec',
        id,
        'curl',
        '-s',
        '-o',
        '/dev/null',
        '-w',
        '%{http_code}',
        ...who,
        'http://localhost:4096/config',
      )
    ).stdout
  assert.equal(await status(), '401')
  assert.equal(await status('--user', `opencode:${PASSWORD}`), '200')
})

test('an engine without network, rights and a writable root works through its two sockets', OPTIONS, async (t) => {
  const engine = await startIsolated(t)
  const session = await engine.call('/session?directory=/workspace', { title: 'test' })
  const answer = await engine.call(`/session/${String(session['id'])}/message`, {
    parts: [{ type: 'text', text: 'run: echo made > made.txt\nsay: done so' }],
  })
  assert.match(JSON.stringify(answer['parts']), /done so/)
  assert.equal(existsSync(join(engine.directory, 'workspace', 'made.txt')), true)
})

test('the container of an engine ends with it, and by a signal at once', OPTIONS, async (t) => {
  const [dies, stopped, cut] = await Promise.all([startIsolated(t), startIsolated(t), startIsolated(t)])
  await docker('exec', dies.id, 'bash', '-c', endOf('opencode serve'))
  assert.equal(await exitCode(dies.id), 137)
  await docker('stop', '--time', '60', stopped.id)
  assert.equal(await exitCode(stopped.id), 143)
  await docker('exec', cut.id, 'bash', '-c', endOf('socat TCP-LISTEN:4010'))
  assert.equal(await exitCode(cut.id), 70)
  assert.match((await docker('logs', cut.id)).stderr, /a relay ended before the engine/)
})

/** Kills the process whose command line begins so; the image has no pkill. */
const endOf = (command: string): string =>
  `for p in /proc/[0-9]*; do [[ "$(tr '\\0' ' ' 2>/dev/null <$p/cmdline)" == "${command}"* ]] && kill -KILL \${p#/proc/}; done`

interface IsolatedEngine {
  id: string
  directory: string
  call(path: string, body: object): Promise<Record<string, unknown>>
}

/** An engine as the docker executor runs it: no network, no rights, nothing writable but what it needs. */
async function startIsolated(t: TestContext): Promise<IsolatedEngine> {
  const directory = mkdtempSync(join(tmpdir(), 'engine-image-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  for (const name of ['sockets', 'workspace']) {
    mkdirSync(join(directory, name))
    chownSync(join(directory, name), 1000, 1000)
  }
  await serveModel(t, join(directory, 'sockets', 'models.sock'))
  const id = await startContainer(
    t,
    ...words('--init --network none --read-only --cap-drop ALL --security-opt no-new-privileges --pids-limit 200'),
    ...words(
      '--memory 1g --tmpfs /tmp --tmpfs /home/node:uid=1000,gid=1000,mode=0700 --env ENGINE_SOCKETS=/run/engine',
    ),
    ...words(`--volume ${directory}/sockets:/run/engine --volume ${directory}/workspace:/workspace`),
    ...words(`--env OPENCODE_SERVER_PASSWORD=${PASSWORD} --env`),
    `OPENCODE_CONFIG_CONTENT=${JSON.stringify(engineConfig('http://127.0.0.1:4010/v1'))}`,
    engineImage,
  )
  const socketPath = join(directory, 'sockets', 'engine.sock')
  await until(async () => {
    const { stdout } = await docker('inspect', '--format', '{{.State.Status}}', id)
    if (stdout.trim() !== 'running') throw new Error((await docker('logs', id)).stderr)
    return existsSync(socketPath)
  })
  const dispatcher = new Agent({ connect: { socketPath } })
  t.after(() => dispatcher.destroy())
  return {
    id,
    directory,
    async call(path, body) {
      const authorization = `Basic ${Buffer.from(`opencode:${PASSWORD}`).toString('base64')}`
      const headers = { authorization, 'content-type': 'application/json' }
      const request = { method: 'POST', headers, body: JSON.stringify(body), dispatcher, signal: t.signal }
      const response = await fetch(`http://engine${path}`, request)
      assert.equal(response.status, 200)
      const answer = await response.json()
      assert.ok(typeof answer === 'object' && answer !== null)
      return { ...answer }
    },
  }
}

/** The scripted model on a socket file that everybody may connect to. */
async function serveModel(t: TestContext, socketPath: string): Promise<void> {
  const model = createScriptedModel()
  const { hostname, port } = new URL(await model.listen())
  t.after(() => model.close())
  const server = createServer((socket) => {
    const upstream = connect(Number(port), hostname)
    socket.on('error', () => upstream.destroy())
    upstream.on('error', () => socket.destroy())
    socket.pipe(upstream).pipe(socket)
  })
  t.after(() => new Promise((resolve) => server.close(resolve)))
  await new Promise<void>((resolve) => {
    server.listen({ path: socketPath, writableAll: true, readableAll: true }, resolve)
  })
}

const words = (text: string): readonly string[] => text.split(' ')

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(50)
}
