import type { FileHandle } from 'node:fs/promises'

export interface FileTail {
  /** What was appended since; `truncated` when that is the end of what is told. Undefined when there is nothing new. */
  read(): Promise<{ text: string; truncated: boolean } | undefined>
  /** All that was told. */
  text(): string
  close(): Promise<void>
}

const CHUNK_BYTES = 64 * 1024
/** A file that is no longer told is emptied when it has grown so far; its writer appends, so it goes on at the start. */
const EMPTY_AT_BYTES = 8 * 1024 * 1024

/**
 * Follows a growing file of UTF-8 text, which it closes. `maxBytes` are told, then a last piece says that the rest is cut off.
 * `skip`: characters that were told before.
 */
export function createTail(handle: FileHandle, options: { maxBytes: number; skip: number }): FileTail {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const buffer = Buffer.alloc(CHUNK_BYTES)
  let told = ''
  let position = 0
  let skip = options.skip
  let cut = false

  const overflowed = async (): Promise<boolean> => {
    const { size } = await handle.stat()
    if (cut && size > EMPTY_AT_BYTES) await handle.truncate(0)
    return size > options.maxBytes
  }

  return {
    text: () => told,
    async read() {
      if (cut) {
        await overflowed()
        return undefined
      }
      let text = ''
      for (;;) {
        const bytes = await readChunk(handle, buffer, position, options.maxBytes)
        if (bytes === 0) break
        position += bytes
        text += decoder.decode(buffer.subarray(0, bytes), { stream: true })
      }
      cut = position >= options.maxBytes && (await overflowed())
      told += text
      const fresh = text.slice(skip)
      skip = Math.max(0, skip - text.length)
      return fresh === '' && !cut ? undefined : { text: fresh, truncated: cut }
    },
    close: () => handle.close(),
  }
}

async function readChunk(handle: FileHandle, buffer: Buffer, position: number, maxBytes: number): Promise<number> {
  const length = Math.min(buffer.length, maxBytes - position)
  if (length <= 0) return 0
  return (await handle.read(buffer, 0, length, position)).bytesRead
}
