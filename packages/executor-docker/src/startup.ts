import { ExecutorError } from '@opencode-gateway/contracts'
import type { Directories, OwnedWorkspaces } from '@opencode-gateway/workspaces'
import type { Daemon } from './daemon/daemon.ts'
import { createEngineImage } from './daemon/image.ts'
import { requireNewEnough } from './daemon/new-enough.ts'
import type { DockerExecutorOptions } from './options.ts'
import type { Places } from './session-place.ts'

/** What containers are made with. */
export interface Started {
  owner: string
  /** Id of the image. */
  image: string
  version: string
}

/** The way from nothing to an executor that makes containers, and what it finds on it. */
export interface Startup {
  /** Undefined until it is known that containers can be made. */
  started(): Started | undefined
  /** Throws EXECUTOR_UNAVAILABLE before the start and after the end. */
  require(): Started
  /** Idempotent. */
  start(signal: AbortSignal): Promise<void>
  /** Throws when the daemon is not there, or its image has gone. */
  check(signal: AbortSignal): Promise<Started>
  /** Has the image again that has gone, where it can be had. IMAGE_UNAVAILABLE. */
  renewImage(signal: AbortSignal): Promise<void>
}

export interface StartupOptions {
  daemon: Daemon
  directories: Pick<Directories, 'prepare'>
  places: Pick<Places, 'prepare'>
  workspaces: Pick<OwnedWorkspaces, 'clearLeftovers'>
  executor: Pick<DockerExecutorOptions, 'image' | 'pull' | 'log'>
  /** Brings a container up and ends it; settles with the version of its engine. */
  prove(signal: AbortSignal): Promise<string>
  /** Containers can be made from now on. */
  onStarted(): void
  /** Ends containers that could not be ended before. Never throws. */
  retry(): Promise<void>
  closing: AbortSignal
}

export function createStartup(options: StartupOptions): Startup {
  const { daemon, closing } = options
  const { image: reference, pull = 'never', log } = options.executor
  const engineImage = createEngineImage({ daemon, reference, pull, log, closing })
  let started: Started | undefined

  const require = (): Started => {
    if (!started || closing.aborted) throw unavailable()
    return started
  }

  const renewImage: Startup['renewImage'] = async (signal) => {
    const image = await engineImage.provide(signal)
    if (started) started.image = image
  }

  return {
    started: () => started,
    require,
    renewImage,
    async start(signal) {
      if (closing.aborted) throw unavailable()
      if (started) return
      await options.directories.prepare()
      const { owner } = await options.places.prepare()
      await options.workspaces.clearLeftovers(log)
      await requireNewEnough(daemon, signal)
      const image = await engineImage.provide(signal)
      started = { owner, image, version: 'unknown' }
      try {
        started.version = await options.prove(signal)
      } catch (error) {
        started = undefined
        throw error
      }
      log.info({ daemon: daemon.address, image, version: started.version }, 'containers can be made')
      options.onStarted()
    },
    async check(signal) {
      const found = require()
      await daemon.ping(signal)
      if (!(await daemon.findImage(found.image, signal))) {
        // A pull takes longer than those wait who ask whether all is well.
        renewImage(closing).catch((err: unknown) => {
          if (!closing.aborted) log.error({ err }, 'the engine image is gone and cannot be had again')
        })
        const text = `the engine image "${reference}" is gone, and is looked for; build or pull it`
        throw new ExecutorError('IMAGE_UNAVAILABLE', text)
      }
      // What hangs is not for those to wait for who ask whether the daemon is well.
      void options.retry()
      return found
    },
  }
}

export function unavailable(): ExecutorError {
  return new ExecutorError('EXECUTOR_UNAVAILABLE', 'the executor was not started or is closed')
}
