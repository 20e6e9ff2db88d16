import type { WorkspaceLimits, WorkspaceSize } from '@opencode-gateway/contracts'
import { measure, type Measured } from './measure.ts'
import { runJob } from './thread.ts'

const TIMEOUT_MS = 60_000
/** At most about 5 ms of blocking calls (measured); the start of a thread takes 100 ms. */
const AT_ONCE_FILES = 256
/** Of what lies beside a workspace so much is not counted: the state of an engine that was given little work. */
const free: WorkspaceLimits = { maxBytes: 32 * 1024 ** 2, maxFiles: 1000 }

/**
 * What a workspace takes on the disk, as `measure` counts it, with what is in the directories beside it beyond 32 MiB
 * or 1000 files; of these one that is missing is empty. Few files are counted at once, more in a thread.
 */
export async function measureDirectory(
  directory: string,
  { beside, limits }: { beside: readonly string[]; limits: WorkspaceLimits },
  caller: AbortSignal,
): Promise<WorkspaceSize> {
  caller.throwIfAborted()
  const signal = AbortSignal.any([caller, AbortSignal.timeout(TIMEOUT_MS)])
  const own = await count({ directories: [directory], optional: false, limits }, signal)
  if (!own.whole) return own
  const left = {
    maxBytes: limits.maxBytes - own.bytes + free.maxBytes,
    maxFiles: limits.maxFiles - own.files + free.maxFiles,
  }
  const more = await count({ directories: beside, optional: true, limits: left }, signal)
  return {
    bytes: own.bytes + Math.max(0, more.bytes - free.maxBytes),
    files: own.files + Math.max(0, more.files - free.maxFiles),
    whole: more.whole,
  }
}

async function count(measured: Measured, signal: AbortSignal): Promise<WorkspaceSize> {
  return countAtOnce(measured) ?? (await runJob<'measure'>({ kind: 'measure', ...measured }, signal))
}

/** Undefined when there is more than can be counted at once, or it cannot be counted: the thread tells why. */
function countAtOnce(measured: Measured): WorkspaceSize | undefined {
  const { limits } = measured
  try {
    const size = measure({ ...measured, limits: { ...limits, maxFiles: Math.min(limits.maxFiles, AT_ONCE_FILES) } })
    return size.whole ? size : undefined
  } catch {
    return undefined
  }
}
