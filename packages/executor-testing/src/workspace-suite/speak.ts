import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { FileStat, WorkspaceFiles } from '@opencode-gateway/contracts'
import type { FilesScene } from './harness.ts'

const MIB = 1_048_576

export const bytes = (content: string | Buffer): Readable => Readable.from([Buffer.from(content)])

/** Settles with the tag. */
export async function write(
  { files, signal }: FilesScene,
  path: string,
  content: string | Buffer,
  options: Partial<Parameters<WorkspaceFiles['write']>[2]> = {},
): Promise<FileStat> {
  const { stat } = await files.write(path, bytes(content), { maxBytes: 10 * MIB, ...options }, signal)
  return stat
}

export async function read({ files }: FilesScene, path: string, options: { secrets?: boolean } = {}): Promise<string> {
  const { content } = await files.read(path, options)
  // Not as text, which would lose a byte order mark.
  return (await buffer(content)).toString()
}

/** Paths of all there is. */
export async function paths({ files, signal }: FilesScene): Promise<readonly string[]> {
  const { entries } = await files.list('', { depth: 128, limit: 10_000 }, signal)
  return entries.map(({ path }) => path)
}

export async function archived(
  { files, signal }: FilesScene,
  options: Partial<Parameters<WorkspaceFiles['archive']>[0]> = {},
): Promise<Buffer> {
  return buffer(await files.archive({ git: false, secrets: false, ...options }, signal))
}

export async function refused(attempt: Promise<unknown>, code: string, what: string): Promise<void> {
  const error = await attempt.then(
    () => undefined,
    (error: unknown) => error,
  )
  assert.ok(error instanceof Error, `${what} is not refused`)
  assert.ok('code' in error && error.code === code, `${what} is refused with ${String(error)}, not with ${code}`)
}

/** Everything that can be asked of one path. */
export function attemptsAt(
  { files, signal }: FilesScene,
  path: string,
): Readonly<Record<string, () => Promise<unknown>>> {
  return {
    list: () => files.list(path, { depth: 1, limit: 10 }, signal),
    stat: () => files.stat(path),
    read: () => files.read(path, {}),
    archive: () => files.archive({ paths: [path], git: true, secrets: true }, signal),
    ...changesAt({ files, signal }, path),
  }
}

/** Everything that would change what a path names; `present` is a file that is there. */
export function changesAt(
  { files, signal }: Pick<FilesScene, 'files' | 'signal'>,
  path: string,
): Readonly<Record<string, () => Promise<unknown>>> {
  return {
    write: () => files.write(path, bytes('x'), { maxBytes: 10 }, signal),
    makeDirectory: () => files.makeDirectory(path),
    remove: () => files.remove(path, { recursive: true }),
    'move from': () => files.move(path, 'elsewhere', { overwrite: true }),
    'move to': () => files.move('present', path, { overwrite: true }),
  }
}
