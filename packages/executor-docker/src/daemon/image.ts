import { ExecutorError } from '@opencode-gateway/contracts'
import type { Log } from '@opencode-gateway/contracts'
import type { Daemon } from './daemon.ts'

export interface ImageOptions {
  reference: string
  pull: 'never' | 'missing'
  log: Log
}

const PROGRESS_MS = 5_000

/** The id of the image that containers are made from; pulls it first when it is not there and may be. IMAGE_UNAVAILABLE. */
export async function provideImage(
  daemon: Daemon,
  { reference, pull, log }: ImageOptions,
  signal: AbortSignal,
): Promise<string> {
  const found = await daemon.findImage(reference, signal)
  if (found) return found.id
  if (pull === 'missing' && !isId(reference)) {
    log.info({ image: reference }, 'the engine image is not there; it is pulled')
    let toldAt = Date.now()
    await daemon.pull(
      reference,
      (status) => {
        if (Date.now() - toldAt < PROGRESS_MS) return
        toldAt = Date.now()
        log.info({ image: reference, status }, 'the engine image is being pulled')
      },
      signal,
    )
    const pulled = await daemon.findImage(reference, signal)
    if (pulled) return pulled.id
  }
  const text = `the engine image "${reference}" is not there; build or pull it, or set OPENCODE_IMAGE`
  throw new ExecutorError('IMAGE_UNAVAILABLE', text)
}

/** An image of this machine alone, by its content. */
function isId(reference: string): boolean {
  return /^sha256:[0-9a-f]{64}$/.test(reference)
}
