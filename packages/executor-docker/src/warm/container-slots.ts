import { ExecutorError } from '@opencode-gateway/contracts'
import { withSignal } from '@opencode-gateway/opencode'
import type { ContainerEngine } from '../container/container-engine.ts'

export interface ContainerSlotsOptions {
  /** Containers there may be. */
  max: number
  /** How long a session waits for one. */
  waitMs: number
  /** Containers that are there without a slot. */
  others(): number
  /** Ends a container that nobody works in; false when there is none. */
  makeRoom(): Promise<boolean>
}

/** Sees to it that there are no more containers than there may be. */
export interface ContainerSlots {
  hasRoom(): boolean
  /**
   * Starts a container once there is room for it, which is made by ending one that nobody works in. `counted`: it is
   * there already. Throws TOO_MANY_CONTAINERS when none came to be free in time.
   */
  within<E extends ContainerEngine | undefined>(
    start: () => Promise<E>,
    signal: AbortSignal,
    counted?: boolean,
  ): Promise<E>
  /** Somebody who waits may find room now. */
  changed(): void
}

export function createContainerSlots(options: ContainerSlotsOptions): ContainerSlots {
  const { max, waitMs } = options
  let held = 0
  let change = Promise.withResolvers<void>()

  const hasRoom = (): boolean => held + options.others() < max
  const changed = (): void => {
    change.resolve()
    change = Promise.withResolvers()
  }
  const release = (): void => {
    held -= 1
    changed()
  }

  const untilRoom = async (signal: AbortSignal): Promise<void> => {
    const late = AbortSignal.timeout(waitMs)
    const within = AbortSignal.any([signal, late])
    while (!hasRoom()) {
      const next = change.promise
      // The end of a container takes as long as it takes.
      if (await withSignal(options.makeRoom(), signal)) continue
      try {
        await withSignal(next, within)
      } catch {
        signal.throwIfAborted()
        throw exhausted(max, waitMs)
      }
    }
  }

  return {
    hasRoom,
    changed,
    async within(start, signal, counted = false) {
      signal.throwIfAborted()
      if (!counted) await untilRoom(signal)
      held += 1
      try {
        const engine = await start()
        if (engine) void engine.over.catch(() => undefined).then(release)
        else release()
        return engine
      } catch (error) {
        release()
        throw error
      }
    },
  }
}

function exhausted(max: number, waitMs: number): ExecutorError {
  const text = `all ${max} containers there may be (DOCKER_MAX_CONTAINERS) were at work for ${waitMs} ms; try again later`
  return new ExecutorError('TOO_MANY_CONTAINERS', text)
}
