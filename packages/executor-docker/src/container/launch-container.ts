import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ExecutorError } from '@opencode-gateway/contracts'
import type { BootSteps } from './boot-steps.ts'
import { containerName, containerSpec, isOwned } from './container-spec.ts'
import type { ContainerSpecOptions } from './container-spec.ts'
import { createContainer } from './create-container.ts'
import type { Daemon } from '../daemon/daemon.ts'
import { isSocketThere } from '../engine/engine-socket.ts'
import { examineContainer } from './examine-container.ts'
import { inside, socketNames } from './inside.ts'
import { watchExit } from './watch-exit.ts'

/** A container whose engine answers. */
export interface RunningContainer {
  id: string
  password: string
  engineSocket: string
  /** Absent when it was found running. */
  steps?: BootSteps
}

export interface LaunchOptions {
  daemon: Daemon
  spec: Omit<ContainerSpecOptions, 'environment' | 'epoch'>
  /** More of the environment than the engine's own. */
  environment: Readonly<Record<string, string>>
  /** What it takes is noted there. */
  steps: BootSteps
  startTimeoutMs: number
  /** Sees to it that there is no container of this name, now or as soon as the daemon can be reached. */
  discard(name: string, epoch: number): Promise<void>
}

const POLL_MS = 20
const PASSWORD = 'OPENCODE_SERVER_PASSWORD'

/** Makes and starts the session's container and waits until its engine can answer. Leaves nothing when it fails. */
export async function launchContainer(options: LaunchOptions, signal: AbortSignal): Promise<RunningContainer> {
  const { daemon, spec, environment, steps } = options
  const name = containerName(spec.owner, spec.sessionId)
  const password = randomBytes(24).toString('base64url')
  const own = { HOME: inside.home, ENGINE_SOCKETS: inside.sockets, [PASSWORD]: password }
  const epoch = Date.now()
  const body = containerSpec({ ...spec, epoch, environment: { ...environment, ...own } })
  try {
    const id = await createContainer(daemon, { name, owner: spec.owner }, body, signal)
    steps.done('createMs')
    await daemon.start(id, signal)
    steps.done('startMs')
    const container = { id, password, steps, engineSocket: socketOf(spec.directories.sockets) }
    await untilListening(options, container, signal)
    return container
  } catch (error) {
    // A call that was given up may have made it all the same.
    await options.discard(name, epoch)
    throw error
  }
}

/** The session's container when it runs already: that of a gateway that is no more. */
export async function findContainer(
  daemon: Daemon,
  { owner, name, sockets }: { owner: string; name: string; sockets: string },
  signal: AbortSignal,
): Promise<RunningContainer | undefined> {
  const facts = await daemon.inspect(name, signal)
  const password = facts?.environment[PASSWORD]
  if (!facts?.running || password === undefined || !isOwned(facts.labels, owner)) return undefined
  return { id: facts.id, password, engineSocket: socketOf(sockets) }
}

export function socketOf(sockets: string): string {
  return path.join(sockets, socketNames.engine)
}

/** The entry point makes the socket once the engine can answer: one that comes before it would wait for ever. */
async function untilListening(
  { daemon, startTimeoutMs }: LaunchOptions,
  { id, engineSocket }: RunningContainer,
  signal: AbortSignal,
): Promise<void> {
  const deadline = AbortSignal.timeout(startTimeoutMs)
  const over = new AbortController()
  const within = AbortSignal.any([signal, deadline, over.signal])
  let ended = false
  const watching = watchExit(daemon, id, within).then(() => {
    ended = !within.aborted
  })
  try {
    while (!(await isSocketThere(engineSocket))) {
      if (ended) throw await examineContainer(daemon, id, signal)
      await sleep(POLL_MS, undefined, { signal: within })
    }
  } catch (error) {
    signal.throwIfAborted()
    if (!deadline.aborted) throw error
    const { message } = await examineContainer(daemon, id, signal)
    throw new ExecutorError(
      'EXECUTOR_UNAVAILABLE',
      `the container was not ready within ${startTimeoutMs} ms: ${message}`,
    )
  } finally {
    over.abort()
    await watching
  }
}
