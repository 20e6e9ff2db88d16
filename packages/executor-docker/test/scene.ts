import { mkdtemp, readdir, realpath, rm } from 'node:fs/promises'
import { createServer, connect } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Executor, Log } from '@opencode-gateway/contracts'
import type { ExecutorFixture } from '@opencode-gateway/executor-testing'
import { createScriptedModel } from '@opencode-gateway/scripted-model'
import type { ScriptedModel } from '@opencode-gateway/scripted-model'
import { createDockerExecutor } from '../src/index.ts'
import type { DaemonAddress, DockerExecutorOptions, OpenModels } from '../src/index.ts'
import { createDaemon } from '../src/daemon.ts'
import type { Daemon } from '../src/daemon.ts'
import { labels } from '../src/container-spec.ts'

export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
}

/** Directories of their own, a model that plays scripts, and the daemon of the tests. */
export interface Place {
  readonly directory: string
  readonly workspaceRoot: string
  readonly model: ScriptedModel
  readonly address: DaemonAddress
  readonly daemon: Daemon
  options(overrides?: Partial<DockerExecutorOptions>): DockerExecutorOptions
  /** An executor that is closed with the place. */
  executor(overrides?: Partial<DockerExecutorOptions>): Executor
  /** To be closed before the place is, the latest first. */
  defer(close: () => Promise<void>): void
  close(): Promise<void>
}

export const image = process.env['TEST_ENGINE_IMAGE'] ?? 'opencode-engine:1.18.33'

export async function createPlace(address: DaemonAddress = daemonAddress()): Promise<Place> {
  const directory = await realpath(await mkdtemp(path.join(tmpdir(), 'executor-docker-')))
  const workspaceRoot = path.join(directory, 'workspaces')
  const model = createScriptedModel()
  const modelUrl = new URL(await model.listen())
  const deferred: (() => Promise<void>)[] = []
  const options = (overrides?: Partial<DockerExecutorOptions>): DockerExecutorOptions => ({
    workspaceRoot,
    log: silentLog,
    daemon: address,
    image,
    config: scriptedConfig('http://127.0.0.1:4010/v1'),
    openModels: passOn(Number(modelUrl.port)),
    ...overrides,
  })
  return {
    directory,
    workspaceRoot,
    model,
    address,
    daemon: createDaemon({ address, timeoutMs: 10_000 }),
    options,
    executor(overrides) {
      const executor = createDockerExecutor(options(overrides))
      deferred.push(() => executor.close())
      return executor
    },
    defer: (close) => void deferred.push(close),
    async close() {
      for (const close of deferred.toReversed()) await close()
      await model.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

function daemonAddress(): DaemonAddress {
  const host = process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock'
  return { socketPath: host.replace(/^unix:\/\//, '') }
}

/** Passes what comes to a socket on to a port of this machine. */
function passOn(port: number): OpenModels {
  return async (_sessionId, socketPath) => {
    const server = createServer((socket) => {
      const model = connect(port, '127.0.0.1')
      socket.pipe(model).pipe(socket)
      socket.on('error', () => model.destroy()).on('close', () => model.destroy())
      model.on('error', () => socket.destroy()).on('close', () => socket.destroy())
      open.add(socket)
      socket.on('close', () => open.delete(socket))
    })
    const open = new Set<import('node:net').Socket>()
    server.listen(socketPath)
    await once(server, 'listening')
    return {
      async close() {
        server.close()
        for (const socket of open) socket.destroy()
        await once(server, 'close')
      },
    }
  }
}

function scriptedConfig(baseURL: string): Record<string, unknown> {
  const scripted = {
    tool_call: true,
    reasoning: true,
    temperature: true,
    limit: { context: 200_000, output: 8192 },
    cost: { input: 1, output: 2 },
  }
  return {
    model: 'script/scripted',
    small_model: 'script/scripted',
    provider: {
      script: { npm: '@ai-sdk/openai-compatible', options: { baseURL, apiKey: 'none' }, models: { scripted } },
    },
  }
}

/** An executor that all tests of a file share. */
export interface Scene {
  readonly executor: Executor
  fixture(): ExecutorFixture
}

export async function startScene(place: Place, overrides?: Partial<DockerExecutorOptions>): Promise<Scene> {
  const executor = place.executor(overrides)
  await executor.start(AbortSignal.timeout(60_000))
  return {
    executor,
    fixture: () => ({
      // Proving anew that containers can be made would take most of the time of a case.
      executor: { ...executor, close: async () => {} },
      gates: place.model,
      unknownModel: 'script/no-such-model',
      maxOutputBytes: 1024 * 1024,
      leftovers: () => leftoversOf(place),
      close: async () => {},
    }),
  }
}

/** Containers of the place's executors, and whatever lies below the root of its workspaces that is not always there. */
export async function leftoversOf({ daemon, workspaceRoot }: Place): Promise<readonly string[]> {
  const { readFile } = await import('node:fs/promises')
  const owner = await readFile(path.join(workspaceRoot, '.engine', '.owner'), 'utf8')
  const containers = await daemon.list(labels.owner, owner, AbortSignal.timeout(10_000))
  const names = await readdir(workspaceRoot, { recursive: true })
  const always = ['.aside', '.sessions', '.shell', '.engine', '.engine/.owner']
  return [...containers.map(({ name }) => name), ...names.filter((name) => !always.includes(name))]
}
