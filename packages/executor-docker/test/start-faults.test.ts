import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, test } from 'node:test'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { silentLog } from '@opencode-gateway/executor-testing'
import { daemonError } from '../src/daemon/daemon-error.ts'
import { createDiscarded } from '../src/container/discard.ts'
import { createDockerExecutor } from '../src/index.ts'
import type { DockerExecutorOptions } from '../src/index.ts'
import { createBootSteps } from '../src/container/boot-steps.ts'
import { launchContainer } from '../src/container/launch-container.ts'
import { defaultLimits } from '../src/options.ts'
import { noOwnDaemon, startOwnDaemon } from './own-daemon.ts'
import { leftBelow, soon } from './scene.ts'

const run = promisify(execFile)

async function directoryOf(t: TestContext): Promise<string> {
  const directory = await realpath(await mkdtemp(path.join(tmpdir(), 'start-faults-')))
  t.after(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }))
  return directory
}

async function executorOf(t: TestContext, options: Pick<DockerExecutorOptions, 'daemon' | 'image'>) {
  const workspaceRoot = path.join(await directoryOf(t), 'workspaces')
  const executor = createDockerExecutor({
    ...options,
    workspaceRoot,
    log: silentLog,
    startTimeoutMs: 1_000,
    async openModels(_sessionId, socketPath) {
      await writeFile(socketPath, '')
      return { close: async () => {} }
    },
  })
  t.after(() => executor.close())
  return { executor, left: () => leftBelow(workspaceRoot) }
}

test('a disk of the daemon that is full is told as such', () => {
  const reason = { message: 'write /var/lib/docker/x: no space left on device' }
  const full = daemonError('create a container', '/s', Object.assign(new Error('x'), { statusCode: 500, json: reason }))
  assert.equal(full.code, 'DISK_FULL')
})

test('a daemon that is too old is refused for good, with what it speaks', async (t) => {
  const asked: string[] = []
  const server = createServer(({ method, url }, response) => {
    asked.push(`${method} ${url}`)
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ ApiVersion: '1.24' }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const { executor, left } = await executorOf(t, { daemon: { host: '127.0.0.1', port }, image: 'x' })
  const refused = { code: 'EXECUTOR_UNAVAILABLE', retryable: false, message: /"1\.24".*1\.30/ }
  await assert.rejects(executor.start(soon()), refused)
  assert.deepEqual(asked, ['GET /version'])
  assert.deepEqual(await left(), [])
})

describe('what cannot become a container', { skip: await noOwnDaemon() }, () => {
  test('each is told with its reason, and leaves nothing', async (t) => {
    const { daemon, socketPath, containers } = await startOwnDaemon(t)
    const address = { socketPath }
    const directory = await directoryOf(t)
    const places = { workspace: 'w', home: 'h', shell: 's', sockets: 'k', models: 'm' }
    const directories = { ...places }
    for (const [name, short] of Object.entries(places)) {
      directories[name as keyof typeof places] = path.join(directory, short)
      await mkdir(path.join(directory, short))
    }
    const { discard } = createDiscarded({ daemon, log: silentLog, timeoutMs: 5_000 })
    const spec = {
      image: 'sleep',
      user: { uid: 1000, gid: 1000 },
      network: 'none',
      runtime: undefined,
      limits: defaultLimits,
      owner: 'me',
      sessionId: 'one',
      directories,
    }
    const launch = (more: Partial<typeof spec>) =>
      launchContainer(
        {
          daemon,
          spec: { ...spec, ...more },
          environment: {},
          steps: createBootSteps(),
          startTimeoutMs: 1_000,
          discard,
        },
        soon(),
      )
    const unavailable = (message: RegExp) => ({ code: 'EXECUTOR_UNAVAILABLE', message })
    await t.test('a network that is not there, once the container is made', () =>
      assert.rejects(launch({ network: 'no-such-network' }), unavailable(/no-such-network/)),
    )
    await t.test('a network that has no address left', async () => {
      const docker = (...args: readonly string[]) => run('docker', ['--host', `unix://${socketPath}`, ...args])
      await docker('network', 'create', '--subnet', '10.254.254.0/30', 'small')
      await docker('run', '--detach', '--name', 'neighbour', '--network', 'small', 'sleep')
      const full = { code: 'TOO_MANY_CONTAINERS', message: /no available.*address.*DOCKER_NETWORK/ }
      await assert.rejects(launch({ network: 'small' }), full)
      await docker('rm', '--force', 'neighbour')
    })
    await t.test('a limit that is out of range', () =>
      assert.rejects(launch({ limits: { ...defaultLimits, memoryBytes: 4096 } }), unavailable(/memory/i)),
    )
    await t.test('a directory that the daemon does not see', () =>
      assert.rejects(
        launch({ directories: { ...directories, workspace: '/no/such/place' } }),
        unavailable(/must see WORKSPACE_ROOT under the same path/),
      ),
    )
    await t.test('an image by a digest that it does not have', async () => {
      const { executor, left } = await executorOf(t, { daemon: address, image: `sleep@sha256:${'0'.repeat(64)}` })
      await assert.rejects(executor.start(soon()), { code: 'IMAGE_UNAVAILABLE', message: /sleep@sha256:0000/ })
      assert.deepEqual(await left(), [])
    })
    await t.test('an image without an engine', async () => {
      const { executor, left } = await executorOf(t, { daemon: address, image: 'sleep' })
      await assert.rejects(executor.start(soon()), unavailable(/not ready within 1000 ms: it runs/))
      assert.equal((await executor.check(soon())).ok, false)
      assert.deepEqual(await left(), [])
    })
    assert.deepEqual(await containers(), [])
  })
})
