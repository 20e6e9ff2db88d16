import { setTimeout as sleep } from 'node:timers/promises'
import { ExecutorError } from '@opencode-gateway/contracts'
import type { EngineBoot, Log } from '@opencode-gateway/contracts'
import { withSignal } from '@opencode-gateway/opencode'
import type { EngineClient } from '@opencode-gateway/opencode'
import type { Daemon } from '../daemon/daemon.ts'
import { watchExit } from './watch-exit.ts'
import { examineContainer } from './examine-container.ts'

/** The engine in one running container. */
export interface ContainerEngine {
  readonly containerId: string
  readonly client: EngineClient
  /** Undefined for one that another gateway had started. */
  readonly boot: EngineBoot | undefined
  /** Throws when the engine does not answer, or not to those who come anew. */
  check(signal: AbortSignal): Promise<void>
  /** Settles when the container has ended and nothing is left of it but the session's directories. */
  readonly over: Promise<void>
  /** Ends the container by force; settles with `over`. Its runs end with this error. */
  end(why: ExecutorError): Promise<void>
  /** Whether a run goes on in it that nobody watches: then it is to outlive us. */
  keep(unwatched: boolean): void
  /** We are done with it: it is ended, or let be when it is to be kept. */
  dismiss(why: ExecutorError): Promise<void>
}

const KILL_AGAIN_MS = 1_000

export interface ContainerEngineOptions {
  daemon: Daemon
  containerId: string
  client: EngineClient
  boot: EngineBoot | undefined
  check(signal: AbortSignal): Promise<void>
  log: Log
  sessionId: string
  /** Called as soon as it is known that the engine is no more. */
  onGone(): void
  /** Removes what is left of the container, as soon as the daemon can be reached. Never throws. */
  discard(containerId: string): Promise<void>
  /** Frees what the engine had besides its container. */
  free(): Promise<void>
  endTimeoutMs: number
}

/** Watches a container to its end, and cleans up after it. */
export function superviseContainer(options: ContainerEngineOptions): ContainerEngine {
  const { daemon, containerId, client, log, sessionId } = options
  const leaving = new AbortController()
  let wanted: ExecutorError | undefined
  let killing: Promise<void> | undefined
  let kept = false

  const examine = async (): Promise<ExecutorError> => {
    try {
      return await examineContainer(daemon, containerId, AbortSignal.timeout(options.endTimeoutMs))
    } catch (cause) {
      return new ExecutorError('CONTAINER_DIED', 'the container ended, and the daemon does not say why', { cause })
    }
  }

  const supervise = async (): Promise<void> => {
    await watchExit(daemon, containerId, leaving.signal)
    if (leaving.signal.aborted) {
      await client.close()
      return await options.free()
    }
    options.onGone()
    const why = wanted ?? (await examine())
    if (!wanted) log.error({ sessionId, containerId, err: why }, 'a container ended by itself')
    client.fail(why)
    await client.close()
    await options.discard(containerId)
    await options.free()
  }

  const over = supervise()
  over.catch((err: unknown) => log.error({ sessionId, containerId, err }, 'a container could not be cleaned up after'))

  /** Until the daemon has done it: one that cannot be reached will be. */
  const kill = async (): Promise<void> => {
    while (!leaving.signal.aborted) {
      try {
        return await daemon.kill(containerId, leaving.signal)
      } catch (err) {
        log.warn({ sessionId, containerId, err }, 'a container could not be ended, which is tried again')
        await sleep(KILL_AGAIN_MS, undefined, { signal: leaving.signal }).catch(() => undefined)
      }
    }
  }

  const end = async (why: ExecutorError): Promise<void> => {
    wanted ??= why
    options.onGone()
    void (killing ??= kill())
    await withSignal(over, AbortSignal.timeout(options.endTimeoutMs))
  }

  return {
    containerId,
    client,
    boot: options.boot,
    check: options.check,
    over,
    end,
    keep(unwatched) {
      kept = unwatched
    },
    async dismiss(why) {
      try {
        if (!kept) await end(why)
      } finally {
        leaving.abort()
        await over
      }
    },
  }
}
