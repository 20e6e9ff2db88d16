import { randomUUID } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { Readable, Transform, addAbortSignal } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { GatewayError } from '@opencode-gateway/contracts'
import type { ArchiveLimits } from '@opencode-gateway/contracts'
import { extract } from 'tar-stream'
import { createManifest, refused, wantedOf } from './archive-entry.ts'
import type { Tree } from './directory.ts'
import { joined } from './path.ts'
import { placeEntries, requireRoom, type Staged } from './place-entries.ts'
import { stageFile } from './staged-file.ts'

/** More than text is ever compressed by. */
const MAX_RATIO = 250
/** Unpacked bytes from which on the ratio counts; less does no harm. */
const RATIO_FROM = 16 * 1024 * 1024
/** What a tar has besides the files: headers, and padding at its end. */
const OVERHEAD = { perEntry: 4096, whole: 4 * 1024 * 1024 }

/** Everything is read and checked before anything is put into the workspace. */
export async function unpackArchive(
  { tree, aside }: { tree: Tree; aside: string },
  archive: Readable,
  limits: ArchiveLimits,
  signal: AbortSignal,
): Promise<{ files: number; bytes: number }> {
  const staging = path.join(aside, `unpack-${randomUUID()}`)
  await mkdir(staging, { recursive: true, mode: 0o700 })
  try {
    const { staged, bytes } = await stageAll(archive, { staging, limits, signal })
    await requireRoom(tree, staged)
    signal.throwIfAborted()
    await placeEntries(tree, staged)
    return { files: staged.filter(({ wanted }) => wanted.kind === 'file').length, bytes }
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
}

interface Staging {
  staging: string
  limits: ArchiveLimits
  signal: AbortSignal
}

async function stageAll(archive: Readable, { staging, limits, signal }: Staging) {
  const tar = extract()
  const manifest = createManifest(limits.maxEntries)
  const staged = new Map<string, Staged>()
  let [entries, bytes] = [0, 0]
  addAbortSignal(signal, archive)
  let failure: unknown
  const fed = pipeline(archive, ...meters(limits), tar).catch((error: unknown) => {
    failure ??= error
  })
  try {
    for await (const entry of tar) {
      if (++entries > limits.maxEntries) throw refused(`it has more than ${limits.maxEntries} entries`)
      const wanted = wantedOf(entry.header, limits.secrets)
      if (wanted !== undefined) manifest.add(wanted)
      if (wanted?.kind === 'file') {
        const onBytes = (size: number) => requireBytes(bytes + size, limits)
        const file = await stageFile(staging, Readable.from(entry), { mode: wanted.mode, onBytes })
        bytes += file.bytes
        staged.set(joined(wanted.names), { wanted, file: file.path })
      } else {
        if (wanted !== undefined) staged.set(joined(wanted.names), { wanted })
        entry.resume()
      }
    }
  } catch (error) {
    // What was refused here has broken off the rest of it, which may have been told first.
    if (failure === undefined || error instanceof GatewayError) failure = error
    tar.destroy()
    archive.destroy()
  }
  await fed
  if (failure !== undefined) throw asRefusal(failure, signal)
  return { staged: [...staged.values()], bytes }
}

/** Unpacks and counts on both sides of it. */
function meters(limits: ArchiveLimits): [Transform, Transform, Transform] {
  let [packed, unpacked] = [0, 0]
  const before = counting((size) => {
    packed += size
  })
  const after = counting((size) => {
    unpacked += size
    requireBytes(unpacked - OVERHEAD.whole - limits.maxEntries * OVERHEAD.perEntry, limits)
    if (unpacked > RATIO_FROM && unpacked > packed * MAX_RATIO)
      throw refused(`it unpacks to more than ${MAX_RATIO} times its size`)
  })
  return [before, createGunzip(), after]
}

function counting(count: (bytes: number) => void): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        count(chunk.length)
        done(null, chunk)
      } catch (error) {
        done(error instanceof Error ? error : new Error('counting failed', { cause: error }))
      }
    },
  })
}

function requireBytes(bytes: number, { maxBytes }: ArchiveLimits): void {
  if (bytes > maxBytes) throw refused(`it unpacks to more than ${maxBytes} bytes`)
}

/** Errors of the formats are the archive's; what the network or the system says stays what it is. */
function asRefusal(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason
  if (error instanceof GatewayError || !(error instanceof Error)) return error
  const code = 'code' in error ? String(error.code) : ''
  if (code.startsWith('Z_')) return refused('it is no complete gzip', error)
  if (code === '') return refused(`it is no tar (${error.message})`, error)
  return error
}
