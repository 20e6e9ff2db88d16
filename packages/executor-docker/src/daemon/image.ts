import { ExecutorError } from '@opencode-gateway/contracts'
import type { Log } from '@opencode-gateway/contracts'
import { withSignal } from '@opencode-gateway/opencode'
import type { Daemon } from './daemon.ts'
import { DaemonError } from './daemon-error.ts'

/** What containers are made from. */
export interface EngineImage {
  /**
   * Its id. One that is not there is pulled first where it may be, once for all who ask meanwhile, and also when they
   * leave. IMAGE_UNAVAILABLE.
   */
  provide(signal: AbortSignal): Promise<string>
}

export interface ImageOptions {
  daemon: Pick<Daemon, 'findImage' | 'pull'>
  reference: string
  pull: 'never' | 'missing'
  log: Log
  /** Ends a pull that nobody can wait for any more. */
  closing: AbortSignal
}

const PROGRESS_MS = 5_000

export function createEngineImage({ daemon, reference, pull, log, closing }: ImageOptions): EngineImage {
  let providing: Promise<string> | undefined

  const pullNow = async (): Promise<void> => {
    log.info({ image: reference }, 'the engine image is not there; it is pulled')
    const beganAt = Date.now()
    let toldAt = beganAt
    const tell = (status: string): void => {
      if (Date.now() - toldAt < PROGRESS_MS) return
      toldAt = Date.now()
      log.info({ image: reference, status }, 'the engine image is being pulled')
    }
    try {
      await daemon.pull(reference, tell, closing)
    } catch (error) {
      closing.throwIfAborted()
      throw notPulled(error, reference)
    }
    log.info({ image: reference, tookMs: Date.now() - beganAt }, 'the engine image was pulled')
  }

  const find = async (): Promise<string> => {
    const found = await daemon.findImage(reference, closing)
    if (found) return found.id
    if (pull === 'missing' && !isId(reference)) {
      await pullNow()
      const pulled = await daemon.findImage(reference, closing)
      if (pulled) return pulled.id
    }
    const text = `the engine image "${reference}" is not there; build or pull it, or set OPENCODE_IMAGE`
    throw new ExecutorError('IMAGE_UNAVAILABLE', text)
  }

  return {
    async provide(signal) {
      providing ??= find().finally(() => {
        providing = undefined
      })
      providing.catch(() => undefined)
      return await withSignal(providing, signal)
    },
  }
}

/** A daemon that cannot be reached says nothing of images. */
function notPulled(error: unknown, reference: string): unknown {
  if (error instanceof DaemonError && error.status === undefined) return error
  const why = error instanceof Error ? error.message : String(error)
  return new ExecutorError('IMAGE_UNAVAILABLE', `the engine image "${reference}" could not be pulled: ${why}`, {
    cause: error,
  })
}

/** An image of this machine alone, by its content. */
function isId(reference: string): boolean {
  return /^sha256:[0-9a-f]{64}$/.test(reference)
}
