import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { lines } from '@opencode-gateway/executor-testing'
import { startGatewayProcess } from '../gateway-process.ts'
import { startRealGateway } from '../real-engine.ts'

const execute = promisify(execFile)
const IMAGE = process.env['TEST_ENGINE_IMAGE'] ?? 'opencode-engine:1.18.33'
const HOST = process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock'
const EACH = { timeout: 200_000 }

const docker = async (...args: readonly string[]): Promise<string> =>
  (await execute('docker', ['--host', HOST, ...args])).stdout.trim()

/** Why tests with containers cannot run here, or false. */
const missing = await docker('image', 'inspect', '--format', '{{.Id}}', IMAGE).then(
  () => false,
  (error: Error) => `${error.message.trim()}; see scripts/docker`,
)

interface Answer {
  status: number
  body: Record<string, unknown>
}

async function send(url: string, path: string, body: object, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(190_000),
  })
  return { status: response.status, body: Object(await response.json()) }
}

test('E2: a container for each task', { skip: missing, timeout: 600_000 }, async (t) => {
  const limits = { DOCKER_MEMORY: '900m', DOCKER_CPUS: '1.5', DOCKER_PIDS_LIMIT: '123', MAX_OUTPUT_SIZE: '5000' }
  const room = { WORKSPACE_MAX_BYTES: '20000000' }
  const encryption = { ENCRYPTION_KEY: randomBytes(32).toString('base64') }
  const executor = { EXECUTOR: 'docker', OPENCODE_IMAGE: IMAGE, DOCKER_HOST: HOST }
  await using gateway = await startRealGateway({ env: { ...executor, ...limits, ...room, ...encryption } })
  const { url, workspaceRoot, model } = gateway
  const { body: made } = await send(url, '/sessions', {})
  const path = `/sessions/${String(made['session_id'])}`
  const shell = (command: string) => send(url, `${path}/shell`, { command }, { prefer: 'wait=180' })
  const containers = async (): Promise<readonly string[]> => {
    const owner = await readFile(join(workspaceRoot, '.engine', '.owner'), 'utf8')
    return (await docker('ps', '--quiet', '--filter', `label=opencode-gateway.owner=${owner}`)).split('\n')
  }

  await t.test('E2: a command that fails has its own exit code', EACH, async () => {
    const { status, body } = await shell('echo out; echo err >&2; exit 3')
    assert.deepEqual([status, body['exit_code'], body['output'], body['stderr']], [200, 3, 'out\n', 'err\n'])
  })

  await t.test('E2: its container has the limits that were set', EACH, async () => {
    const [id = '', ...more] = await containers()
    assert.deepEqual(more, [])
    const [{ HostConfig }] = JSON.parse(await docker('inspect', id))
    const { Memory, NanoCpus, PidsLimit } = HostConfig
    assert.deepEqual([Memory, NanoCpus, PidsLimit], [900 * 1024 ** 2, 1.5e9, 123])
  })

  await t.test('E2: output over the limit is cut, and says so', EACH, async () => {
    const { body } = await shell('head -c 200000 /dev/zero | tr "\\0" x')
    const page = Object(await (await fetch(`${url}${path}/events?after=0&limit=1000`)).json())
    const events: readonly { event: string; data: { text: string; truncated?: boolean; run_id: string } }[] =
      page.events
    const output = events.filter(({ event, data }) => event === 'output' && data.run_id === body['run_id'])
    assert.equal(output.map(({ data }) => data.text).join('').length, 5000)
    assert.equal(output.at(-1)?.data.truncated, true)
  })

  await t.test('E2: a prompt that begins with a dash is a prompt', EACH, async () => {
    const { body } = await send(url, '/run', { prompt: `--help\n${lines.say('not an option')}` })
    assert.equal(body['output'], 'not an option', JSON.stringify(body))
    assert.ok(model.requests.some(({ prompt }) => prompt.startsWith('--help')))
  })

  await t.test('E2: a run that leaves more on the disk than its request allows is stopped', EACH, async () => {
    const prompt = [lines.run('head -c 9000000 /dev/zero >big'), lines.say('left')].join('\n')
    const { status, body } = await send(url, '/run', { prompt, resources: { disk: '1m' } })
    assert.deepEqual([status, body['code']], [507, 'WORKSPACE_FULL'], JSON.stringify(body))
    const more = await send(url, '/run', { prompt, resources: { disk: '9999g' } })
    assert.deepEqual([more.status, more.body['code']], [422, 'RESOURCES_TOO_HIGH'])
  })

  await t.test('E2: whatever else an agent writes on the disk of the host counts, too', EACH, async () => {
    for (const file of ['/home/node/big', '/run/engine/big']) {
      const { body } = await shell(`head -c 60000000 /dev/zero >${file}`)
      assert.deepEqual([body['code'], body['exit_code']], ['WORKSPACE_FULL', 0], file)
      assert.equal((await shell(`rm ${file}`)).body['outcome'], 'completed')
    }
    // Beside the output of the command, until that has ended.
    const { body } = await shell('head -c 60000000 /dev/zero >"$(echo /run/shell/*)/big"; sleep 321')
    assert.equal(body['code'], 'WORKSPACE_FULL', JSON.stringify(body))
    assert.equal((await shell('echo well')).body['output'], 'well\n')
  })

  await t.test('E2: what runs too long is timed out, and ended in its container', EACH, async () => {
    const prompt = [lines.say('begun'), lines.run('sleep 321')].join('\n')
    const { status, body } = await send(url, '/run', { prompt, timeout: '6s' })
    assert.deepEqual([status, body['outcome']], [408, 'timed_out'], JSON.stringify(body))
    for (const id of await containers()) assert.doesNotMatch(await docker('top', id).catch(() => ''), /sleep 321/)
  })

  await t.test('a call that waits at a budget, and the key it is made with, outlive the gateway', EACH, async () => {
    const before = model.requests.length
    await send(url, `${path}/messages`, {
      prompt: [lines.run('echo one'), lines.say('done')].join('\n'),
      model_config: { provider: 'script', model: 'scripted', api_key: 'key-of-the-request' },
      budget: { calls: 1, on_limit: 'ask' },
    })
    const get = async (base: string, what: string) => Object(await (await fetch(`${base}${path}${what}`)).json())
    const askedAt = async (base: string): Promise<{ ask_id: string }[]> => (await get(base, '/asks')).asks
    while ((await askedAt(url)).length === 0) await sleep(50)
    const asked = await askedAt(url)
    await gateway.process.stop('SIGKILL')
    await using next = await startGatewayProcess({
      dataDir: gateway.dataDir,
      env: { ...executor, ...encryption, OPENCODE_CONFIG_JSON: gateway.configJson },
    })
    await next.ready()
    assert.deepEqual(await askedAt(next.url), asked)
    const raise = async () => (await send(next.url, `${path}/asks/${asked[0]?.ask_id}`, { raise: { calls: 5 } })).status
    let status = await raise()
    while (status === 503) status = await raise()
    assert.equal(status, 200)
    while (/running|waiting/.test((await get(next.url, '/status')).status)) await sleep(50)
    const log = JSON.stringify(await get(next.url, '/events?after=0&limit=1000'))
    assert.equal((await get(next.url, '/status')).status, 'completed', log)
    assert.deepEqual(
      model.requests.slice(before).map(({ headers }) => headers['authorization']),
      ['Bearer key-of-the-request', 'Bearer key-of-the-request'],
      'the key is used, and no call is made twice',
    )
  })

  await t.test('E2: an image that is no engine keeps the gateway from being ready, and says why', EACH, async () => {
    const wrong = 'opencode-gateway:no-such-image'
    await gateway.process.stop()
    await using other = await startGatewayProcess({
      dataDir: gateway.dataDir,
      env: { ...executor, OPENCODE_IMAGE: wrong, DOCKER_PULL: 'never' },
    })
    let reason = ''
    while (!reason.includes(wrong)) {
      const ready = await fetch(`${other.url}/ready`)
      assert.equal(ready.status, 503)
      reason = await ready.text()
      await sleep(100)
    }
    const { status, body } = await send(other.url, '/run', { prompt: 'say: never' })
    assert.deepEqual([status, body['code']], [503, 'EXECUTOR_UNAVAILABLE'])
  })
})
