import { hash } from 'node:crypto'
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import type { Blob } from './entry.ts'
import { SnapshotError } from './snapshot-error.ts'

/**
 * The contents of a place's snapshots, one after the other. It only grows: what a snapshot points to stays where it is,
 * and what an interrupted one has left is never pointed to.
 */
export interface ContentFile extends Disposable {
  append(content: Buffer): Blob
  /** WORKSPACE_ERROR when it is not what was appended. */
  read(blob: Blob): Buffer
  /** Settles what was appended. */
  flush(): void
  /** Bytes. */
  size(): number
  /** Gives up all from here on; before anything is appended. */
  truncate(size: number): void
}

const BUFFER_BYTES = 4 * 1024 * 1024

export const hashOf = (content: Buffer): string => hash('sha256', content, 'base64')

/** Blocks: for a thread of its own. One writer at a time. */
export function openContentFile(file: string): ContentFile {
  const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants
  const fd = openSync(file, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600)
  const appended = new Map<string, Blob>()
  let end = fstatSync(fd).size
  let waiting: Buffer[] = []
  let waitingBytes = 0

  function flush(): void {
    const bytes = Buffer.concat(waiting, waitingBytes)
    const start = end - waitingBytes
    for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done, bytes.length - done, start + done)
    waiting = []
    waitingBytes = 0
  }

  return {
    append(content) {
      const digest = hashOf(content)
      const known = appended.get(digest)
      if (known) return known
      const blob = { hash: digest, offset: end, length: content.length }
      appended.set(digest, blob)
      waiting.push(content)
      waitingBytes += content.length
      end += content.length
      if (waitingBytes >= BUFFER_BYTES) flush()
      return blob
    },
    read({ hash: digest, offset, length }) {
      const content = Buffer.alloc(length)
      for (let done = 0, read = -1; read !== 0 && done < length; done += read) {
        read = readSync(fd, content, done, length - done, offset + done)
      }
      if (hashOf(content) === digest) return content
      throw new SnapshotError('The snapshot of the workspace is damaged.')
    },
    flush,
    size: () => end,
    truncate(size) {
      ftruncateSync(fd, size)
      end = size
    },
    [Symbol.dispose]: () => closeSync(fd),
  }
}
