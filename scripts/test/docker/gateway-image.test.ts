import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gatewayCommand, leanCommand, type Command } from '../../toolchain/gateway-command.mjs'
import { docker, gateImage, gatewayImage, missing, startContainer } from './docker.ts'

const OPTIONS = { timeout: 60_000, skip: (await missing(gatewayImage)) || (await missing(gateImage)) }
const CONFINED =
  '--network=none --read-only --cap-drop=ALL --tmpfs=/tmp --tmpfs=/data:uid=1000 --tmpfs=/run/docker-gate:uid=1000'
const root = '/app'

test('the gateway in its image is started as by npm start, and Node compiles nothing of it', OPTIONS, async (t) => {
  const settings = ['API_KEY=a-key-of-the-test', 'OPENCODE_SERVER_URL=http://127.0.0.1:9']
  const id = await start(t, gatewayImage, settings)
  await assertStartedBy(id, gatewayCommand({ root }))
  await docker('stop', id)
  assertNothingCompiled((await docker('logs', id)).stderr, /apps\/gateway\/src\/server\.ts/, 200)
  const thread = leanCommand({ root, entry: 'packages/workspaces/src/snapshot/thread-entry.ts' })
  const variables = Object.entries({ ...thread.env, NODE_DEBUG_NATIVE: 'COMPILE_CACHE' }).flatMap(([name, value]) => [
    '--env',
    `${name}=${value}`,
  ])
  const node = ['--entrypoint=node', gatewayImage, ...thread.flags, thread.entry]
  const { stderr } = await docker('run', '--rm', '--read-only', '--network=none', ...variables, ...node)
  assertNothingCompiled(stderr, /thread-entry\.ts/, 1)
})

test('so is the gate in its own', OPTIONS, async (t) => {
  const settings = ['OPENCODE_IMAGE=none', 'WORKSPACE_ROOT=/tmp', 'LISTEN=unix:///run/docker-gate/docker.sock']
  const id = await start(t, gateImage, settings)
  await assertStartedBy(id, leanCommand({ root, entry: 'apps/docker-gate/src/server.ts' }))
  const { code, stderr } = await docker('exec', id, 'docker-gate-health')
  assert.equal(code, 22)
  assert.match(stderr, /error: 502/)
  await docker('stop', id)
  assertNothingCompiled((await docker('logs', id)).stderr, /apps\/docker-gate\/src\/server\.ts/, 50)
})

/** A container of the image, once its program listens; Node tells of each module whether it was compiled before. */
async function start(t: TestContext, image: string, settings: readonly string[]): Promise<string> {
  const env = ['NODE_DEBUG_NATIVE=COMPILE_CACHE', ...settings].flatMap((setting) => ['--env', setting])
  const id = await startContainer(t, ...CONFINED.split(' '), ...env, image)
  for (;;) {
    const { stdout, stderr } = await docker('logs', id)
    if (/listening/i.test(stdout)) return id
    const { stdout: running } = await docker('inspect', '--format', '{{.State.Running}}', id)
    assert.equal(running.trim(), 'true', stdout + stderr)
    await sleep(100, undefined, { signal: t.signal })
  }
}

async function assertStartedBy(id: string, { flags, entry, env }: Command): Promise<void> {
  const { stdout } = await docker('exec', id, 'cat', '/proc/1/cmdline')
  assert.deepEqual(stdout.split('\0'), ['node', ...flags, entry, ''])
  const { stdout: environment } = await docker('exec', id, 'cat', '/proc/1/environ')
  for (const [name, value] of Object.entries(env)) assert.ok(environment.split('\0').includes(`${name}=${value}`), name)
}

/** In the words of NODE_DEBUG_NATIVE=COMPILE_CACHE. */
function assertNothingCompiled(said: string, among: RegExp, atLeast: number): void {
  const read = [...said.matchAll(/reading cache from \S+ for (\S+ \S+?)\.\.\.(.*)/g)]
  const found = read.filter(([, , result = '']) => result.includes('success'))
  const names = found.map(([, name = '']) => name)
  assert.ok(
    found.length >= atLeast && names.some((name) => among.test(name)),
    `only ${names.length}: ${said.slice(0, 2000)}`,
  )
  assert.deepEqual(
    read.filter((one) => !found.includes(one)).map(([, name]) => name),
    [],
  )
  assert.doesNotMatch(said, /was rejected/)
}
