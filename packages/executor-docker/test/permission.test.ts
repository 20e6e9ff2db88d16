import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { silentLog } from '@opencode-gateway/executor-testing'
import { createDaemon } from '../src/daemon/daemon.ts'
import { createDockerExecutor } from '../src/index.ts'
import { image, socketOfTests, soon, until } from './scene.ts'

const NOBODY = 65_534
const daemon = createDaemon({ address: { socketPath: socketOfTests() }, timeoutMs: 10_000 })

/** Why there is no socket here that another user may not open, or false. */
const missing =
  process.getuid?.() === 0
    ? await daemon.ping(soon()).then(
        () => false,
        (error: Error) => error.message,
      )
    : 'only root can become somebody who may not'

/** Loads as root what it needs, is a user without any group from then on, and goes on. */
const asNobody = (load: string, goOn: string): string =>
  `${load}; process.setgroups([]); process.setgid(${NOBODY}); process.setuid(${NOBODY}); ${goOn}`

function run(t: TestContext, script: string, env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  t.after(async () => {
    child.kill('SIGKILL')
    await exited
  })
  return child
}

async function directoryOf(t: TestContext): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'permission-'))
  await chown(directory, NOBODY, NOBODY)
  t.after(() => rm(directory, { recursive: true, force: true }))
  return directory
}

const sourceOf = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href)

test('a socket of the daemon that may not be opened is told as such, with what to do', { skip: missing }, async (t) => {
  const options = {
    workspaceRoot: path.join(await directoryOf(t), 'workspaces'),
    daemon: { socketPath: socketOfTests() },
    image,
  }
  const script = asNobody(
    `import { createDockerExecutor } from ${sourceOf('../src/index.ts')}`,
    `const log = { child: () => log, trace() {}, debug() {}, info() {}, warn() {}, error() {}, fatal() {} }
    const executor = createDockerExecutor({ ...${JSON.stringify(options)}, log, openModels: () => Promise.reject(new Error('nobody asks')) })
    await executor.start(AbortSignal.timeout(20_000)).catch(({ code, message }) => console.log(JSON.stringify({ code, message })))
    await executor.close()`,
  )
  const told = JSON.parse((await run(t, script).stdout.toArray()).join(''))
  assert.equal(told.code, 'EXECUTOR_UNAVAILABLE')
  assert.match(told.message, /may not open the socket; add it to the group.*DOCKER_GID/)
  assert.ok(told.message.includes(socketOfTests()), told.message)
})

test('so is one that the gate before the daemon may not open', { skip: missing }, async (t) => {
  const directory = await directoryOf(t)
  const socketPath = path.join(directory, 'gate.sock')
  const workspaceRoot = path.join(directory, 'workspaces')
  const gate = asNobody(`await import(${sourceOf('../../../apps/docker-gate/src/server.ts')})`, '')
  run(t, gate, {
    LISTEN: `unix://${socketPath}`,
    DOCKER_HOST: `unix://${socketOfTests()}`,
    OPENCODE_IMAGE: image,
    WORKSPACE_ROOT: workspaceRoot,
  }).stdout.resume()
  const executor = createDockerExecutor({
    workspaceRoot,
    daemon: { socketPath },
    image,
    log: silentLog,
    openModels: () => Promise.reject(new Error('nobody asks')),
  })
  t.after(() => executor.close())
  let reason = ''
  await until(async () => {
    const error = await executor.start(soon()).catch((error: Error) => error)
    reason = error?.message ?? 'it has started'
    return !/is Docker running/.test(reason)
  })
  assert.match(reason, /could not.*HTTP 502.*the gate may not open the socket.*group.*DOCKER_GID/)
  assert.ok(!reason.includes(socketOfTests()), reason)
})
