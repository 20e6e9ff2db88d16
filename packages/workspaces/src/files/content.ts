import { constants } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { callbackify } from 'node:util'
import { GatewayError } from '@opencode-gateway/contracts'
import type { Directory } from './directory.ts'
import { quoted } from './path.ts'

/** A file is looked at this far, bytes, to tell text from what is not. */
const SAMPLE = 8192
// A pipe would wait for somebody who writes.
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY

export interface OpenFile {
  handle: FileHandle
  stats: BigIntStats
}

/** Opens a regular file and nothing else; the caller closes it. NOT_A_FILE, and what the system says. */
export async function openFile(directory: Directory, name: string, path: string): Promise<OpenFile> {
  const handle = await open(directory.at(name), FLAGS)
  try {
    await directory.confirm()
    const stats = await handle.stat({ bigint: true })
    if (!stats.isFile()) throw new GatewayError('NOT_A_FILE', `${quoted(path)} is no regular file.`)
    return { handle, stats }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** Whether the beginning of a file is text: UTF-8 without a NUL. */
export async function looksLikeText(handle: FileHandle): Promise<boolean> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(SAMPLE), 0, SAMPLE, 0)
  const sample = buffer.subarray(0, bytesRead)
  if (sample.includes(0)) return false
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(sample, { stream: bytesRead === SAMPLE })
    return true
  } catch {
    return false
  }
}

/**
 * `length` bytes of a file from `start` on, which it closes. A file that becomes shorter meanwhile breaks the stream:
 * whoever was told its length would take the rest for it.
 */
export function contentOf(handle: FileHandle, start: number, length: number): Readable {
  let position = start
  const end = start + length
  return new Readable({
    read(size) {
      if (position >= end) {
        this.push(null)
        return
      }
      const wanted = Math.min(size, end - position)
      handle.read(Buffer.allocUnsafe(wanted), 0, wanted, position).then(
        ({ buffer, bytesRead }) => {
          position += bytesRead
          if (bytesRead > 0) this.push(buffer.subarray(0, bytesRead))
          else this.destroy(new GatewayError('WORKSPACE_ERROR', 'The file became shorter while it was read.'))
        },
        (error: Error) => this.destroy(error),
      )
    },
    destroy: callbackify(async (error: Error | null) => {
      await handle.close()
      if (error !== null) throw error
    }),
    highWaterMark: 65_536,
  })
}
