import type { WorkspaceLimits, WorkspaceSize } from '@opencode-gateway/contracts'
import { holdDirectory } from './held-directory.ts'
import { measure } from './measure.ts'
import { runJob } from './thread.ts'

const TIMEOUT_MS = 60_000
/** At most about 5 ms of blocking calls (measured); the start of a thread takes 100 ms. */
const AT_ONCE_FILES = 256

/** What a directory takes on the disk, as `measure` counts it. A small one is counted at once, any other in a thread. */
export async function measureDirectory(
  directory: string,
  limits: WorkspaceLimits,
  caller: AbortSignal,
): Promise<WorkspaceSize> {
  caller.throwIfAborted()
  const size = measureAtOnce(directory, limits)
  if (size) return size
  const signal = AbortSignal.any([caller, AbortSignal.timeout(TIMEOUT_MS)])
  return await runJob<'measure'>({ kind: 'measure', directory, limits }, signal)
}

/** Undefined when there is more than can be counted at once, or it cannot be counted: the thread tells why. */
function measureAtOnce(directory: string, limits: WorkspaceLimits): WorkspaceSize | undefined {
  try {
    using held = holdDirectory(directory)
    const size = measure(held, { ...limits, maxFiles: Math.min(limits.maxFiles, AT_ONCE_FILES) })
    return size.whole ? size : undefined
  } catch {
    return undefined
  }
}
