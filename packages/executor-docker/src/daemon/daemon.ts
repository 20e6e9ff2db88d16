import { setTimeout as sleep } from 'node:timers/promises'
import Docker from 'dockerode'
import { withSignal } from '@opencode-gateway/opencode'
import { containerEnds } from '../container/container-ends.ts'
import type { ContainerBody } from '../container/container-spec.ts'
import { daemonError, isStatus, lateError } from './daemon-error.ts'
import type { DaemonAddress } from '../options.ts'
import { followPull } from './follow-pull.ts'
import { readLog } from './read-log.ts'
import { waitForExit } from '../container/wait-for-exit.ts'

export interface ContainerFacts {
  id: string
  running: boolean
  exitCode: number
  /** The kernel ended a process of it for want of memory. */
  outOfMemory: boolean
  /** Why it could not be started, in the daemon's words. */
  error: string
  labels: Readonly<Record<string, string>>
  environment: Readonly<Record<string, string>>
  /** Id of its image. */
  image: string
}

export interface ListedContainer {
  id: string
  name: string
  running: boolean
  labels: Readonly<Record<string, string>>
}

/** The calls of the Docker daemon that we use. Each has a deadline, and throws `DaemonError` when it failed. */
export interface Daemon {
  ping(signal: AbortSignal): Promise<void>
  /** The newest of its API that it speaks, such as "1.41". */
  apiVersion(signal: AbortSignal): Promise<string>
  /** Undefined when there is no such image. */
  findImage(reference: string, signal: AbortSignal): Promise<{ id: string } | undefined>
  pull(reference: string, onStatus: (status: string) => void, signal: AbortSignal): Promise<void>
  create(name: string, body: ContainerBody, signal: AbortSignal): Promise<string>
  start(id: string, signal: AbortSignal): Promise<void>
  /** By id or name; undefined when it is gone. */
  inspect(id: string, signal: AbortSignal): Promise<ContainerFacts | undefined>
  kill(id: string, signal: AbortSignal): Promise<void>
  /** Ends it if it runs, and settles when it is gone. */
  remove(id: string, signal: AbortSignal): Promise<void>
  /** With this label. */
  list(label: string, value: string, signal: AbortSignal): Promise<readonly ListedContainer[]>
  /** Processes of a running container, as the machine numbers them; the command as the kernel names it. */
  processes(id: string, signal: AbortSignal): Promise<readonly { pid: number; parent: number; command: string }[]>
  /** The end of what it wrote, at most so many lines of bounded length. */
  logTail(id: string, lines: number, signal: AbortSignal): Promise<string>
  /** Settles when it has exited; rejects when the connection breaks before. Has no deadline. */
  exited(id: string, signal: AbortSignal): Promise<void>
  /**
   * Ids of containers with this label that end from now on, until the connection breaks. Being told has a deadline, the
   * stream has none.
   */
  ends(label: string, value: string, signal: AbortSignal): Promise<AsyncIterable<string>>
  readonly address: string
}

/** What the types of dockerode leave out. */
interface AbortableDocker {
  ping(options: { abortSignal: AbortSignal }): Promise<unknown>
  version(options: { abortSignal: AbortSignal }): Promise<Docker.DockerVersion>
}
interface AbortableImage {
  inspect(options: { abortSignal: AbortSignal }): Promise<Docker.ImageInspectInfo>
}

/** A pull that says nothing for so long is over. */
const PULL_SILENCE_MS = 60_000
const REMOVAL_POLL_MS = 50

export function createDaemon(options: { address: DaemonAddress; timeoutMs: number }): Daemon {
  const { address, timeoutMs } = options
  const docker = new Docker(clientOptions(address))
  const abortable = docker as unknown as AbortableDocker
  const where = 'socketPath' in address ? address.socketPath : `${address.host}:${address.port}`

  /** dockerode itself may wait for ever: when the connection breaks in the middle of an answer, for one. */
  const call = async <T>(
    what: string,
    signal: AbortSignal,
    send: (abortSignal: AbortSignal) => Promise<T>,
    withinMs = timeoutMs,
  ): Promise<T> => {
    signal.throwIfAborted()
    const deadline = AbortSignal.timeout(withinMs)
    const both = AbortSignal.any([signal, deadline])
    try {
      return await withSignal(send(both), both)
    } catch (error) {
      signal.throwIfAborted()
      throw deadline.aborted ? lateError(what, where, withinMs) : daemonError(what, where, error)
    }
  }

  const missing = async <T>(answer: Promise<T>): Promise<T | undefined> => {
    try {
      return await answer
    } catch (error) {
      if (isStatus(error, 404)) return undefined
      throw error
    }
  }

  const inspect = async (id: string, signal: AbortSignal): Promise<ContainerFacts | undefined> => {
    const found = await missing(
      call('describe a container', signal, (abortSignal) => docker.getContainer(id).inspect({ abortSignal })),
    )
    if (!found) return undefined
    return {
      id: found.Id,
      running: found.State.Running,
      exitCode: found.State.ExitCode,
      outOfMemory: found.State.OOMKilled,
      error: found.State.Error ?? '',
      labels: found.Config.Labels ?? {},
      environment: Object.fromEntries((found.Config.Env ?? []).map(splitEntry)),
      image: found.Image,
    }
  }

  return {
    address: where,
    inspect,
    async ping(signal) {
      await call('answer', signal, (abortSignal) => abortable.ping({ abortSignal }))
    },
    async apiVersion(signal) {
      const answer = await call('tell its version', signal, (abortSignal) => abortable.version({ abortSignal }))
      return answer.ApiVersion
    },
    async findImage(reference, signal) {
      const found = await missing(
        call('describe an image', signal, (abortSignal) =>
          (docker.getImage(reference) as unknown as AbortableImage).inspect({ abortSignal }),
        ),
      )
      return found && { id: found.Id }
    },
    async pull(reference, onStatus, signal) {
      const stream = await call(
        'pull an image',
        signal,
        (abortSignal) => docker.pull(reference, { abortSignal }),
        PULL_SILENCE_MS,
      )
      await followPull(stream, onStatus, { signal, silenceMs: PULL_SILENCE_MS })
    },
    async create(name, body, signal) {
      // Otherwise the whole body, the password in it, would be in the URL, too.
      const options = { _query: { name }, _body: body }
      const container = await call('create a container', signal, (abortSignal) =>
        docker.createContainer({ ...options, abortSignal }),
      )
      return container.id
    },
    async start(id, signal) {
      await call('start a container', signal, (abortSignal) => docker.getContainer(id).start({ abortSignal })).catch(
        (error: unknown) => {
          // It runs already.
          if (!isStatus(error, 304)) throw error
        },
      )
    },
    async kill(id, signal) {
      await call('end a container', signal, (abortSignal) => docker.getContainer(id).kill({ abortSignal })).catch(
        (error: unknown) => {
          // It is gone, or does not run.
          if (!isStatus(error, 404, 409)) throw error
        },
      )
    },
    async remove(id, signal) {
      for (;;) {
        try {
          await call('remove a container', signal, (abortSignal) =>
            docker.getContainer(id).remove({ force: true, v: true, abortSignal }),
          )
          return
        } catch (error) {
          if (isStatus(error, 404)) return
          // Somebody else removes it at the moment.
          if (!isStatus(error, 409)) throw error
        }
        await sleep(REMOVAL_POLL_MS, undefined, { signal })
      }
    },
    async list(label, value, signal) {
      const found = await call('list containers', signal, (abortSignal) =>
        docker.listContainers({ all: true, filters: { label: [`${label}=${value}`] }, abortSignal }),
      )
      return found.map(({ Id: id, Names: [name = id], State, Labels }) => ({
        id,
        name: name.replace(/^\//, ''),
        running: State === 'running',
        labels: Labels,
      }))
    },
    async processes(id, signal) {
      const { Titles, Processes }: { Titles: string[]; Processes: string[][] | null } = await call(
        'list the processes of a container',
        signal,
        (abortSignal) => docker.getContainer(id).top({ ps_args: '-eo pid,ppid,comm', abortSignal }),
      )
      const [pid, parent, command] = ['PID', 'PPID', 'COMMAND'].map((title) => Titles.indexOf(title))
      return (Processes ?? []).map((row) => ({
        pid: Number(row[pid ?? -1]),
        parent: Number(row[parent ?? -1]),
        command: row[command ?? -1] ?? '',
      }))
    },
    async logTail(id, lines, signal) {
      const output = await call('show what a container wrote', signal, (abortSignal) =>
        docker.getContainer(id).logs({ stdout: true, stderr: true, tail: lines, follow: false, abortSignal }),
      )
      return readLog(output)
    },
    exited: (id, signal) => waitForExit(docker, id, signal),
    ends: (label, value, signal) =>
      call('tell its events', signal, () => containerEnds(docker, `${label}=${value}`, signal)),
  }
}

function clientOptions(address: DaemonAddress): Docker.DockerOptions {
  // dockerode adds what DOCKER_HOST says to whatever is not named here.
  const nothing = { host: undefined, port: undefined, socketPath: undefined, timeout: undefined }
  return { ...nothing, protocol: 'http', ...address }
}

function splitEntry(entry: string): [string, string] {
  const at = entry.indexOf('=')
  return [entry.slice(0, at), entry.slice(at + 1)]
}
