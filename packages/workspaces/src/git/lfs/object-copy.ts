import { createHash } from 'node:crypto'
import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import path from 'node:path'
import type { Pointer } from './pointer.ts'

/** What a file would be as an object. */
export async function pointerOf(file: FileHandle, signal: AbortSignal): Promise<Pointer> {
  return await read(file, signal, async () => undefined)
}

/** Keeps what is read of a file, somebody's who may change it meanwhile, under the name of just that content. */
export async function copyObject(file: FileHandle, directory: string, signal: AbortSignal): Promise<Pointer> {
  const draft = path.join(directory, 'draft')
  try {
    await using target = await open(draft, 'w', 0o600)
    const pointer = await read(file, signal, async (chunk) => await target.writeFile(chunk))
    await rename(draft, path.join(directory, pointer.oid))
    return pointer
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}

async function read(
  file: FileHandle,
  signal: AbortSignal,
  onChunk: (chunk: Buffer) => Promise<void>,
): Promise<Pointer> {
  const hash = createHash('sha256')
  const whole = (await file.stat()).size
  let size = 0
  if (whole > 0) {
    // No further: it may grow all the time.
    const stream = file.createReadStream({ autoClose: false, start: 0, end: whole - 1, signal })
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      hash.update(chunk)
      size += chunk.length
      await onChunk(chunk)
    }
  }
  return { oid: hash.digest('hex'), size }
}
