import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { connect, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { createFaultProxy, createGitServer, lines } from '@opencode-gateway/executor-testing'
import { startGatewayProcess } from '../gateway-process.ts'
import { startRealGateway, type RealGateway } from '../real-engine.ts'

const execute = promisify(execFile)
const IMAGE = process.env['TEST_ENGINE_IMAGE'] ?? 'opencode-engine:1.18.33'
const HOST = process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock'
const LIMIT = { timeout: 240_000 }

const docker = async (...args: readonly string[]): Promise<string> =>
  (await execute('docker', ['--host', HOST, ...args])).stdout.trim()

/** Why tests with containers cannot run here, or false. */
const missing = await docker('image', 'inspect', '--format', '{{.Id}}', IMAGE).then(
  () => false,
  (error: Error) => `${error.message.trim()}; see scripts/docker`,
)

const env = { EXECUTOR: 'docker', OPENCODE_IMAGE: IMAGE, DOCKER_HOST: HOST }

async function call(url: string, path: string, body?: object): Promise<Record<string, unknown>> {
  const response = await fetch(url + path, {
    signal: AbortSignal.timeout(120_000),
    ...(body === undefined
      ? {}
      : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  const text = await response.text()
  assert.ok(response.ok, `${path} was answered with ${response.status}: ${text}`)
  return JSON.parse(text)
}

/** Ids of the containers of one gateway. */
async function containersOf({ workspaceRoot }: Pick<RealGateway, 'workspaceRoot'>): Promise<readonly string[]> {
  const owner = await readFile(join(workspaceRoot, '.engine', '.owner'), 'utf8')
  const ids = await docker('ps', '--all', '--quiet', '--filter', `label=opencode-gateway.owner=${owner}`)
  return ids.split('\n').filter((id) => id !== '')
}

/** The daemon at a port, behind what can take it away. */
async function daemonThatGoesAway(t: TestContext) {
  const socketPath = HOST.replace(/^unix:\/\//, '')
  const bridge = createServer((client) => {
    const daemon = connect(socketPath)
    client.pipe(daemon).pipe(client)
    client.on('error', () => daemon.destroy()).on('close', () => daemon.destroy())
    daemon.on('error', () => client.destroy()).on('close', () => client.destroy())
  }).listen(0, '127.0.0.1')
  await once(bridge, 'listening')
  t.after(() => bridge.close())
  const { port } = bridge.address() as AddressInfo
  const proxy = createFaultProxy({ target: `http://127.0.0.1:${port}` })
  const url = await proxy.listen()
  t.after(() => proxy.close())
  return { host: url.replace('http:', 'tcp:'), proxy }
}

/** The test's own limit ends it otherwise. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(100)
}

describe('EXECUTOR=docker', { skip: missing }, () => {
  test(
    'E2: a prompt is answered from a container that has no key, and nothing is left in the end',
    LIMIT,
    async (t) => {
      const asked: string[] = []
      const outside = createHttpServer(({ url }, response) => {
        asked.push(url ?? '')
        response.end()
      }).listen(0, '127.0.0.1')
      await once(outside, 'listening')
      t.after(() => outside.close())
      const registry = `localhost:${(outside.address() as AddressInfo).port}`
      await using gateway = await startRealGateway({
        env: { ...env, API_KEY: '', DOCKER_EGRESS_PRIVATE: registry },
        provider: { apiKey: 'sk-the-real-key' },
      })
      const { engine, executor } = await call(gateway.url, '/capabilities')
      assert.equal(Object(executor).isolation, 'container')
      assert.match(String(Object(engine).image), /^sha256:/)
      const ask = `curl --noproxy none -s http://${registry}/allowed`
      // Not with `cat`, which the engine refuses to give what is outside of the workspace, and the whole command with it.
      const look = 'env; grep -rahoE "sk-[a-z-]+" $HOME /proc/[0-9]*/environ'
      const prompt = [lines.run(look), lines.run(ask), lines.say('-hello')].join('\n')
      const answer = await call(gateway.url, '/run', { prompt })
      assert.equal(answer['outcome'], 'completed', JSON.stringify(answer))
      assert.match(String(answer['output']), /-hello/)
      const events = await call(gateway.url, `/sessions/${String(answer['session_id'])}/events?after=0&limit=1000`)
      assert.match(JSON.stringify(events), /HOME=\/home\/node/, 'the agent did not see its environment')
      assert.doesNotMatch(JSON.stringify(events), /sk-the-real-key/)
      assert.deepEqual(asked, ['/allowed'], 'the container did not reach the host that is allowed')
      t.diagnostic(JSON.stringify(answer['timings']))
      for (const step of ['wait_ms', 'create_ms', 'start_ms', 'engine_ready_ms'])
        assert.equal(typeof Object(answer['timings'])[step], 'number', step)
      await gateway.process.stop()
      assert.deepEqual(await containersOf(gateway), [])
    },
  )

  test('D4: a repository is cloned, worked on in a container, and pushed', LIMIT, async (t) => {
    const server = await createGitServer({ path: process.env['PATH'] ?? '' })
    t.after(() => server.close())
    const url = await server.addRepository('demo', { 'README.md': 'Demo\n' })
    await using gateway = await startRealGateway({ env: { ...env, GIT_ALLOWED_HOSTS: server.host } })
    const answer = await call(gateway.url, '/run', {
      prompt: [
        lines.run('git status --porcelain && echo more >>README.md && git diff --stat'),
        lines.write('new.txt', 'new'),
      ].join('\n'),
      repository: url,
      work_branch: 'opencode/docker',
      push: true,
    })
    assert.equal(answer['outcome'], 'completed', JSON.stringify(answer))
    assert.equal(await server.git('demo', 'show', 'opencode/docker:README.md'), 'Demo\nmore')
    assert.equal(await server.git('demo', 'show', 'opencode/docker:new.txt'), 'new')
  })

  test(
    'B5: a run goes on while the gateway is killed, and the next one, whose daemon is away at first, tells it to its end',
    LIMIT,
    async (t) => {
      const { host, proxy } = await daemonThatGoesAway(t)
      await using gateway = await startRealGateway({ env })
      const steps = [lines.say('begun'), lines.run('sleep 5; echo slept'), lines.say('done')].join('\n')
      const { session_id: id } = await call(gateway.url, '/sessions', { prompt: steps })
      const path = `/sessions/${String(id)}`
      const logOf = async (url: string): Promise<string> =>
        JSON.stringify(await call(url, `${path}/events?after=0&limit=1000`))
      await until(async () => (await logOf(gateway.url)).includes('tool_call'))
      await gateway.process.stop('SIGKILL')
      assert.equal((await containersOf(gateway)).length, 1)
      // It goes away between the start of the executor and the look for what its sessions left.
      const look = new RegExp(`/containers/opencode-gateway-\\w+-${String(id)}/json`)
      proxy.set({ kind: 'refuse' }, { request: look })
      await using next = await startGatewayProcess({
        dataDir: gateway.dataDir,
        env: { ...env, DOCKER_HOST: host, OPENCODE_CONFIG_JSON: gateway.configJson },
      })
      await proxy.until(() => proxy.requests.some((request) => look.test(request)), AbortSignal.timeout(180_000))
      proxy.set({ kind: 'refuse' })
      await until(async () => (await fetch(`${next.url}/ready`)).status === 503 && next.logged().includes('waited for'))
      proxy.set({ kind: 'pass' })
      await until(async () => (await logOf(next.url)).includes('"complete"'))
      const log = await logOf(next.url)
      assert.match(log, /"outcome":"completed"/)
      assert.match(log, /slept/)
      assert.equal(log.match(/"complete"/g)?.length, 1)
      await fetch(next.url + path, { method: 'DELETE' })
      await next.stop()
      assert.deepEqual(await containersOf(gateway), [])
    },
  )
})
