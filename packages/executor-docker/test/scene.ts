import { mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import Docker from 'dockerode'
import { shareExecutor, silentLog, type SharedExecutor } from '@opencode-gateway/executor-testing'
import type { CallContext, Executor } from '@opencode-gateway/contracts'
import { createScriptedModel, scriptedEngineConfig } from '@opencode-gateway/scripted-model'
import type { ScriptedModel } from '@opencode-gateway/scripted-model'
import { createDockerExecutor } from '../src/index.ts'
import type { DaemonAddress, DockerExecutorOptions, OpenSocket } from '../src/index.ts'
import { createDaemon } from '../src/daemon/daemon.ts'
import type { Daemon, ListedContainer } from '../src/daemon/daemon.ts'
import { labels } from '../src/container/container-spec.ts'

/** Directories of their own, a model that plays scripts, and the daemon of the tests. */
export interface Place {
  readonly directory: string
  readonly workspaceRoot: string
  readonly model: ScriptedModel
  readonly address: DaemonAddress
  readonly daemon: Daemon
  options(overrides?: Partial<DockerExecutorOptions>): DockerExecutorOptions
  /** The containers of the place's executors. */
  containers(): Promise<readonly ListedContainer[]>
  /** A container that some other program made; removed with the test. Settles with its id. */
  lookAlike(t: TestContext, labels: Readonly<Record<string, string>>): Promise<string>
  /** All that runs in the container hangs from now on. */
  pause(containerId: string): Promise<void>
  /** An executor that is closed with the place. */
  executor(overrides?: Partial<DockerExecutorOptions>): Executor
  /** To be closed before the place is, the latest first. */
  defer(close: () => Promise<void>): void
  close(): Promise<void>
}

export const image = process.env['TEST_ENGINE_IMAGE'] ?? 'opencode-engine:1.18.33'

export const ctx = (signal = AbortSignal.timeout(120_000)): CallContext => ({ signal, log: silentLog })

export const soon = (): AbortSignal => AbortSignal.timeout(20_000)

/** Waits until it is so; the test's own limit ends it otherwise. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(50)
}

/** Why tests with containers cannot run here, or false. */
export async function missingImage(): Promise<string | false> {
  const daemon = createDaemon({ address: daemonAddress(), timeoutMs: 10_000 })
  try {
    const found = await daemon.findImage(image, AbortSignal.timeout(10_000))
    return found ? false : `there is no image "${image}"; see scripts/docker`
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

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
    config: scriptedEngineConfig({ baseURL: 'http://127.0.0.1:4010/v1', apiKey: 'none' }),
    openModels: passOn(Number(modelUrl.port)),
    ...overrides,
  })
  const daemon = createDaemon({ address, timeoutMs: 10_000 })
  const docker = new Docker({ ...('socketPath' in address ? { socketPath: address.socketPath } : address) })
  return {
    directory,
    workspaceRoot,
    model,
    address,
    daemon,
    options,
    async containers() {
      const owner = await readFile(path.join(workspaceRoot, '.engine', '.owner'), 'utf8')
      return await daemon.list(labels.owner, owner, AbortSignal.timeout(10_000))
    },
    async lookAlike(t, labels) {
      const container = await docker.createContainer({ Image: image, Labels: labels, NetworkDisabled: true })
      t.after(() => daemon.remove(container.id, soon()))
      return container.id
    },
    pause: async (containerId) => void (await docker.getContainer(containerId).pause()),
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
  return { socketPath: socketOfTests() }
}

/** Of the daemon of the tests. */
export function socketOfTests(): string {
  return (process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock').replace(/^unix:\/\//, '')
}

/** Passes what comes to a socket on to a port of this machine. */
function passOn(port: number): OpenSocket {
  return async (_sessionId, socketPath) => {
    const server = createServer((socket) => {
      const model = connect(port, '127.0.0.1')
      socket.pipe(model).pipe(socket)
      socket.on('error', () => model.destroy()).on('close', () => model.destroy())
      model.on('error', () => socket.destroy()).on('close', () => socket.destroy())
      open.add(socket)
      socket.on('close', () => open.delete(socket))
    })
    const open = new Set<Socket>()
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

export type Scene = SharedExecutor

export async function startScene(place: Place, overrides?: Partial<DockerExecutorOptions>): Promise<Scene> {
  const executor = place.executor(overrides)
  await executor.start(AbortSignal.timeout(120_000))
  return shareExecutor(executor, { gates: place.model, leftovers: () => leftoversOf(place) })
}

/**
 * Containers of the place's executors, and whatever lies below the root of its workspaces that is not always there.
 * Containers that wait for a session are no leftovers, and neither are their directories.
 */
export async function leftoversOf(place: Place): Promise<readonly string[]> {
  const names = await readdir(place.workspaceRoot, { recursive: true })
  const waiting = names.flatMap((name) => /^\.engine\/(warm-[^/]+)$/.exec(name)?.[1] ?? [])
  const containers = (await place.containers()).filter(
    ({ labels: { [labels.session]: id = '' } }) => !waiting.includes(id),
  )
  const left = (await leftBelow(place.workspaceRoot)).filter((name) => !name.startsWith('.engine/warm-'))
  return [...containers.map(({ name }) => name), ...left]
}

/** Whatever lies below a root of workspaces that is not always there. */
export async function leftBelow(workspaceRoot: string): Promise<readonly string[]> {
  const always = ['.aside', '.sessions', '.shell', '.engine', '.engine/.owner']
  return (await readdir(workspaceRoot, { recursive: true })).filter((name) => !always.includes(name))
}
