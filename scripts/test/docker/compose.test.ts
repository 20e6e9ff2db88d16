import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { statSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startStack, type Stack } from './compose.ts'
import { docker, engineImage, gatewayImage, missing } from './docker.ts'

const execute = promisify(execFile)
const smokeScript = fileURLToPath(new URL('../../stack/smoke.ts', import.meta.url))
const soakScript = fileURLToPath(new URL('../../stack/soak.ts', import.meta.url))
const STEPS = ['identity', 'readiness', 'session', 'echo', 'pwd', 'files', 'exit code', 'events']
const OPTIONS = { timeout: 240_000, skip: await missing(gatewayImage) }

test('A3: compose with EXECUTOR=server comes up, confined, and passes the smoke', OPTIONS, async (t) => {
  const stack = await startStack(t, { EXECUTOR: 'server' })
  assert.deepEqual(await smoke(t, stack), STEPS)
  const ids = (await stack.compose('ps', '-q')).trim().split('\n')
  assert.equal(ids.length, 2)
  for (const id of ids) {
    const [found] = JSON.parse((await docker('inspect', id)).stdout)
    assert.equal(found.Config.User, '1000:1000')
    const { ReadonlyRootfs, CapDrop, SecurityOpt, PidsLimit, Memory, RestartPolicy, LogConfig, Privileged } =
      found.HostConfig
    assert.deepEqual([ReadonlyRootfs, CapDrop, Privileged], [true, ['ALL'], false])
    assert.deepEqual(SecurityOpt, ['no-new-privileges:true'])
    assert.ok(PidsLimit > 0 && Memory > 0)
    assert.equal(RestartPolicy.Name, 'unless-stopped')
    assert.equal(LogConfig.Config['max-size'], '10m')
    assert.equal(
      found.HostConfig.Binds.some((bind: string) => bind.includes('docker.sock')),
      false,
    )
  }
})

test(
  'A3: one variable swaps the executor: with EXECUTOR=docker the same smoke passes, through the gate',
  OPTIONS,
  async (t) => {
    const stack = await startStack(t, { EXECUTOR: 'docker', ...(await dockerSettings()) })
    assert.deepEqual(await smoke(t, stack), STEPS)
    const ids = (await stack.compose('ps', '-q')).trim().split('\n')
    const sees = await Promise.all(
      ids.map(async (id) => {
        const [{ Config, HostConfig }] = JSON.parse((await docker('inspect', id)).stdout)
        const socket = HostConfig.Binds.some((bind: string) => bind.includes('docker.sock:'))
        return { service: Config.Labels['com.docker.compose.service'], socket, network: HostConfig.NetworkMode }
      }),
    )
    const socketOf = sees.filter(({ socket }) => socket)
    assert.deepEqual(socketOf, [{ service: 'docker-gate', socket: true, network: 'none' }])
    assert.equal(sees.length, 2)
    const left = await docker('ps', '--all', '--quiet', '--filter', 'label=opencode-gateway.gate')
    assert.equal(left.stdout, '')
  },
)

test('A4: a soak of ten sessions, five at a time, is right and leaves nothing', OPTIONS, async (t) => {
  const { url, apiKey } = await startStack(t, { EXECUTOR: 'server' })
  const env = { ...process.env, API_KEY: apiKey }
  const args = [soakScript, '--baseUrl', url, '--runs', '10', '--concurrency', '5']
  const report = JSON.parse((await execute(process.execPath, args, { env, signal: t.signal })).stdout)
  assert.deepEqual([report.success, report.failed, report.failures], [10, 0, []])
  assert.deepEqual(report.sse, { opened: 10, complete: 10, disconnects: 0 })
  assert.deepEqual(report.open_sessions, { before: 0, after: 0 })
  assert.deepEqual(Object.keys(report.steps_ms), ['session', 'echo', 'list', 'exit', 'events', 'delete'])
})

/** The socket of the tests' daemon, its group, and the image by its content. */
async function dockerSettings(): Promise<Readonly<Record<string, string>>> {
  const socket = (process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock').replace(/^unix:\/\//, '')
  const { stdout } = await docker('image', 'inspect', '--format', '{{.Id}}', engineImage)
  return { DOCKER_SOCKET: socket, DOCKER_GID: String(statSync(socket).gid), OPENCODE_IMAGE: stdout.trim() }
}

/** Names of the steps that were right. */
async function smoke(t: TestContext, { url, apiKey }: Stack): Promise<readonly string[]> {
  const env = { ...process.env, API_KEY: apiKey }
  const { stdout } = await execute(process.execPath, [smokeScript, '--baseUrl', url], { env, signal: t.signal })
  return [...stdout.matchAll(/^ok +(.+) \(\d+ ms\)$/gm)].map(([, name = '']) => name)
}
