import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { GatewayError, type FileDiff } from '@opencode-gateway/contracts'
import { parseDiffRows, type DiffRow } from './diff-rows.ts'
import { ended, makeBareRepository, startGit, type BareRepository } from './git.ts'
import { AFTER, BEFORE } from './import-stream.ts'
import { patchSections } from './patch-sections.ts'

const COMPARE = ['diff-tree', '-r', '-M', '-l1000', '--no-ext-diff', '--no-textconv', '--no-color']
const TREES = [BEFORE, AFTER]
const MAX_LIST_BYTES = 64 * 1024 * 1024
/** Of all patches in one list together. */
const MAX_PATCHES_BYTES = 16 * 1024 * 1024

/** Makes a repository of the two trees that a file describes. */
export async function importTrees(repository: BareRepository, file: string, signal: AbortSignal): Promise<void> {
  await makeBareRepository(repository.directory)
  const input = await open(file)
  try {
    const git = startGit(repository, ['fast-import', '--quiet', '--done', '--depth=0'], { input: input.fd }, signal)
    git.stdout?.resume()
    await ended(git, signal)
  } finally {
    await input.close()
  }
}

/** Every path in which the trees differ, without patches. */
export async function listDifferences(repository: BareRepository, signal: AbortSignal): Promise<readonly DiffRow[]> {
  const git = startGit(repository, [...COMPARE, '-z', '--raw', '--numstat', ...TREES], {}, signal)
  const end = ended(git, signal)
  // Who reads hears of the failure below; until then nobody waits for it.
  end.catch(() => {})
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of git.stdout ?? []) {
    bytes += chunk.length
    if (bytes <= MAX_LIST_BYTES) chunks.push(chunk)
  }
  await end
  if (bytes > MAX_LIST_BYTES) throw new GatewayError('WORKSPACE_ERROR', 'Too many files differ.', { retryable: false })
  return parseDiffRows(Buffer.concat(chunks).toString('latin1'))
}

/** The patches of the first paths in which the trees differ. */
export async function withPatches(
  repository: BareRepository,
  rows: readonly DiffRow[],
  maxBytes: number,
  signal: AbortSignal,
): Promise<readonly FileDiff[]> {
  if (rows.length === 0 || maxBytes === 0) return rows.map((row) => fileDiff(row, [undefined], 0))
  const stopping = new AbortController()
  const git = startGit(repository, [...COMPARE, '--patch', ...TREES], {}, AbortSignal.any([signal, stopping.signal]))
  const end = ended(git, signal)
  end.catch(() => {})
  const sections = patchSections(git.stdout ?? emptyOutput(), maxBytes)
  const files: FileDiff[] = []
  let room = MAX_PATCHES_BYTES
  try {
    for (const row of rows) {
      const parts: (Buffer | undefined)[] = []
      for (let part = 0; part < row.patches; part += 1) {
        const { value, done } = await sections.next()
        // It has told less than it has listed: why is what its end says.
        if (done) await end
        parts.push(value ?? undefined)
      }
      files.push(fileDiff(row, parts, Math.min(maxBytes, room)))
      room -= files.at(-1)?.patch?.length ?? 0
    }
  } finally {
    stopping.abort()
    // Nothing is closed while something in it waits to be read.
    git.stdout?.destroy()
    await end.catch(() => {})
  }
  signal.throwIfAborted()
  return files
}

function fileDiff(
  { patches: _patches, ...row }: DiffRow,
  parts: readonly (Buffer | undefined)[],
  maxBytes: number,
): FileDiff {
  if (row.binary) return { ...row, truncated: false }
  const whole = parts.filter((part) => part !== undefined)
  const bytes = whole.reduce((sum, { length }) => sum + length, 0)
  if (whole.length < parts.length || bytes > maxBytes) return { ...row, truncated: true }
  return { ...row, patch: Buffer.concat(whole).toString('utf8'), truncated: false }
}

async function* emptyOutput(): AsyncGenerator<Buffer> {}

/** Writes one patch for all of it that `git apply` takes. */
export async function writePatch(repository: BareRepository, output: FileHandle, signal: AbortSignal): Promise<void> {
  const args = [...COMPARE, '--patch', '--binary', '--full-index', ...TREES]
  await ended(startGit(repository, args, { output: output.fd }, signal), signal)
}
