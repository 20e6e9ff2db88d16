import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { ExecutorError } from '@opencode-gateway/contracts'

/**
 * Reads what the daemon says of a pull, to its end. The daemon answers with success and tells of a failure in what
 * follows. Throws IMAGE_UNAVAILABLE.
 */
export async function followPull(
  stream: NodeJS.ReadableStream,
  onStatus: (status: string) => void,
  { signal, silenceMs }: { signal: AbortSignal; silenceMs: number },
): Promise<void> {
  const input = stream as Readable
  const giveUp = (why: Error): void => void input.destroy(why)
  const aborted = (): void => giveUp(new Error('the pull is no longer wanted'))
  const timer = setTimeout(() => giveUp(new Error(`nothing came for ${silenceMs} ms`)), silenceMs)
  signal.addEventListener('abort', aborted, { once: true })
  try {
    for await (const line of createInterface({ input })) {
      timer.refresh()
      const { status, error } = readLine(line)
      if (error !== undefined) throw new Error(error)
      if (status !== undefined) onStatus(status)
    }
    if (input.errored) throw input.errored
  } catch (cause) {
    signal.throwIfAborted()
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new ExecutorError('IMAGE_UNAVAILABLE', why, { cause })
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', aborted)
    input.destroy()
  }
}

function readLine(line: string): { status?: string; error?: string } {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value !== 'object' || value === null) return {}
    const { status, error }: { status?: unknown; error?: unknown } = value
    return {
      ...(typeof status === 'string' ? { status } : {}),
      ...(typeof error === 'string' ? { error } : {}),
    }
  } catch {
    return {}
  }
}
