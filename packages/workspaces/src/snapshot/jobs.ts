import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { WorkspaceSize } from '@opencode-gateway/contracts'
import {
  alias,
  checkpointOf,
  checkpointsIn,
  forgetOld,
  giveUpCheckpoints,
  holdSame,
  nextCheckpoint,
} from './checkpoints.ts'
import { copyDirectory, type CopyLimits } from '../copy/copy-directory.ts'
import { compare, type Comparison } from './compare.ts'
import { openContentFile, type ContentFile } from './content-file.ts'
import { formatSnapshot, parseSnapshot, shownPath, type Snapshot } from './entry.ts'
import { holdDirectory, type HeldDirectory } from './held-directory.ts'
import { createImportStream } from './import-stream.ts'
import { contentsIn, listIn, START, WORK } from './place.ts'
import { measure, type Measured } from './measure.ts'
import { record } from './record.ts'
import { restore } from './restore.ts'
import { isSecretPath } from './secret-path.ts'
import { SnapshotError } from './snapshot-error.ts'

/** What a thread is asked to do; everything in it is plain. */
export type Job =
  | SnapshotJob
  | { kind: 'copy'; from: string; to: string; limits: CopyLimits }
  | ({ kind: 'measure' } & Measured)

type SnapshotJob = { directory: string; root: string; limits: JobLimits } & (
  | { kind: 'take'; name: string }
  | { kind: 'checkpoint'; runId: string; max: number }
  | { kind: 'compare'; name: string | undefined; secrets: boolean; output: string }
  | { kind: 'reset'; name: string | undefined }
)

export interface JobLimits {
  maxFileBytes: number
  maxFiles: number
  /** Of all contents together. */
  maxBytes: number
}

export interface JobResults {
  take: undefined
  checkpoint: undefined
  compare: Comparison
  reset: undefined
  copy: undefined
  measure: WorkspaceSize
}

/** Blocks: for a thread of its own. */
export function perform(job: Job): JobResults[Job['kind']] {
  if (job.kind === 'copy') {
    using from = holdDirectory(job.from)
    using to = holdDirectory(job.to)
    copyDirectory(from, to, job.limits)
    return undefined
  }
  if (job.kind === 'measure') return measure(job)
  using held = holdDirectory(job.directory)
  return performOn(held, job)
}

function performOn(held: HeldDirectory, job: SnapshotJob): Comparison | undefined {
  const { root, limits } = job
  using contents = openContentFile(contentsIn(root))
  if (job.kind === 'take') {
    const { name } = job
    const base = name === START ? {} : { base: read(root, existsSync(listIn(root, START)) ? START : undefined) }
    write(root, name, record(held, contents, { ...base, ...limits, isShown: isSecretPath }))
    return undefined
  }
  if (job.kind === 'checkpoint') {
    checkpoint(held, contents, job)
    return undefined
  }
  const snapshot = read(root, job.name)
  if (job.kind === 'compare') {
    using pair = createImportStream(job.output)
    const isWithheld = job.secrets ? () => false : isSecretPath
    const options = { base: snapshot, ...limits, isShown: isSecretPath, isWithheld }
    const comparison = compare(held, { contents, pair }, options)
    pair.end()
    return comparison
  }
  if (snapshot.truncated)
    throw lost('It had more files than a snapshot takes, so nobody knows what belongs to it: nothing was changed.')
  const missing = restore(held, snapshot, contents, limits.maxFileBytes)
  if (missing.length > 0)
    throw lost(`${missing.length} files were too large to be kept, the first is "${shownPath(missing[0] ?? '')}".`)
  return undefined
}

function checkpoint(held: HeldDirectory, contents: ContentFile, job: Extract<Job, { kind: 'checkpoint' }>): void {
  const { root, runId, max, limits } = job
  const start = existsSync(listIn(root, START)) ? START : undefined
  const base = read(root, start)
  giveUpCheckpoints(root, base, contents, limits.maxBytes)
  const names = checkpointsIn(root)
  if (checkpointOf(names, runId) !== undefined) return
  const latest = names.at(-1) ?? start
  const previous = latest === start ? base : read(root, latest)
  const snapshot = record(held, contents, { base, previous, ...limits, isShown: isSecretPath })
  const name = nextCheckpoint(names, runId)
  if (latest !== undefined && holdSame(snapshot, previous)) alias(root, latest, name)
  else write(root, name, snapshot)
  forgetOld(root, max)
}

/** Appears whole or not at all. */
function write(root: string, name: string, snapshot: Snapshot): void {
  const staged = path.join(root, `${WORK}list`)
  writeFileSync(staged, formatSnapshot(snapshot), { mode: 0o600, flush: true })
  renameSync(staged, listIn(root, name))
}

/** Without a name it is an empty directory. */
function read(root: string, name: string | undefined): Snapshot {
  if (name === undefined) return { entries: new Map(), truncated: false }
  const file = listIn(root, name)
  if (!existsSync(file)) throw lost(`There is no snapshot "${name}" of it.`)
  return parseSnapshot(readFileSync(file, 'utf8'))
}

const lost = (reason: string): SnapshotError =>
  new SnapshotError(`The workspace cannot be compared with or put back to what it was. ${reason}`)
