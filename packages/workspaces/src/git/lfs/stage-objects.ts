import { createHash } from 'node:crypto'
import { mkdir, writeFile, type FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { ExecutorError } from '@opencode-gateway/contracts'
import { holdDirectory, type HeldDirectory } from '../held-directory.ts'
import type { GitRunner } from '../runner.ts'
import { copyObject, pointerOf } from './object-copy.ts'
import { looksLikePointer, pointerText, POINTER_LIMIT_BYTES } from './pointer.ts'
import { trackedFiles } from './tracked.ts'

export interface StageObjectsOptions {
  gitDirectory: string
  workTree: string
  /** Files besides those of the index, in latin1. */
  others: readonly string[]
  /** Where the content of new objects goes, each by its oid. */
  objects: string
  /** What new objects may have. */
  maxBytes: number
  signal: AbortSignal
}

interface Entry {
  mode: string
  blob: string
}

/**
 * Puts pointers into the index for the files that Git LFS has; their content is kept as objects. The files that are done
 * with, in latin1: nothing else is to put them there.
 */
export async function stageObjects(git: GitRunner, options: StageObjectsOptions): Promise<ReadonlySet<string>> {
  const { gitDirectory, workTree, others, objects, signal } = options
  const within = [`--git-dir=${gitDirectory}`, `--work-tree=${workTree}`]
  const index = parseStages(await git.read([...within, 'ls-files', '-z', '--stage'], { signal, encoding: 'latin1' }))
  const tracked = await trackedFiles(git, within, [...new Set([...index.keys(), ...others])], signal)
  const done = new Set<string>()
  const changed: { name: string; mode: string; file: string }[] = []
  let bytes = 0
  await mkdir(objects, { recursive: true, mode: 0o700 })
  await using root = await holdDirectory(workTree)
  for (const name of tracked) {
    signal.throwIfAborted()
    await using file = await openPlain(root, name)
    if (file === undefined) continue
    done.add(name)
    const found = await file.stat()
    const mode = (found.mode & 0o100) === 0 ? '100644' : '100755'
    // A file can say that it is as large as no disk is.
    if (found.size > options.maxBytes) throw tooMuch(options.maxBytes)
    const known = index.get(name)
    const whole = await asItStands(file)
    const text = whole ?? pointerText(await pointerOf(file, signal))
    if (known?.mode === mode && known.blob === blobName(text, known.blob.length)) continue
    bytes += found.size
    if (bytes > options.maxBytes) throw tooMuch(options.maxBytes)
    const kept = path.join(objects, `pointer-${changed.length}`)
    await writeFile(kept, whole ?? pointerText(await copyObject(file, objects, signal)), 'latin1')
    changed.push({ name, mode, file: kept })
  }
  if (changed.length === 0) return done
  const input = changed.map(({ file }) => `${file}\n`).join('')
  const args = [`--git-dir=${gitDirectory}`, 'hash-object', '-w', '--no-filters', '--stdin-paths']
  const blobs = (await git.read(args, { signal, input })).split('\n')
  const entries = changed.map(({ name, mode }, at) => `${mode} ${blobs[at] ?? ''}\t${name}\0`).join('')
  await git.read([...within, 'update-index', '-z', '--add', '--replace', '--index-info'], {
    signal,
    input: Buffer.from(entries, 'latin1'),
  })
  return done
}

/** Undefined for what is no plain file, which git puts into the index as it is. */
async function openPlain(root: HeldDirectory, name: string): Promise<FileHandle | undefined> {
  const names = Buffer.from(name, 'latin1').toString('utf8').split('/')
  const last = names.pop() ?? ''
  try {
    if (names.length === 0) return await root.open(last)
    await using folder = await root.enter(...names)
    return await folder?.open(last)
  } catch (error) {
    if (error instanceof ExecutorError) return undefined
    throw error
  }
}

/** The text of what is no content: nothing, or a pointer whose content never came in; in latin1. */
async function asItStands(file: FileHandle): Promise<string | undefined> {
  const { size } = await file.stat()
  if (size === 0) return ''
  if (size >= POINTER_LIMIT_BYTES) return undefined
  const buffer = Buffer.alloc(POINTER_LIMIT_BYTES)
  const { bytesRead } = await file.read(buffer, 0, POINTER_LIMIT_BYTES, 0)
  const text = buffer.toString('latin1', 0, bytesRead)
  return looksLikePointer(text) ? text : undefined
}

function tooMuch(maxBytes: number): ExecutorError {
  const text = `the changed files of Git LFS have more than ${maxBytes} bytes, which is the limit; they are kept in the workspace`
  return new ExecutorError('WORKSPACE_FULL', text, { retryable: false })
}

function blobName(text: string, length: number): string {
  const bytes = Buffer.from(text, 'latin1')
  return createHash(length === 64 ? 'sha256' : 'sha1')
    .update(`blob ${bytes.length}\0`)
    .update(bytes)
    .digest('hex')
}

function parseStages(text: string): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>()
  for (const line of text.split('\0')) {
    const [, mode = '', blob = '', name] = /^(100\d+) ([0-9a-f]+) 0\t(.*)$/s.exec(line) ?? []
    if (name !== undefined) entries.set(name, { mode, blob })
  }
  return entries
}
