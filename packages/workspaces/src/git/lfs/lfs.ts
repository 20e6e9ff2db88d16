import type { CallContext, OnGit } from '@opencode-gateway/contracts'
import type { Remote } from '../remote.ts'
import type { GitRunner } from '../runner.ts'
import { fillObjects } from './fill-objects.ts'
import type { CallTo } from './http.ts'
import { pushObjects, type PushObjectsOptions } from './push-objects.ts'
import { openLfs } from './way.ts'

export interface LfsOrder {
  onGit: OnGit
}

interface LfsParts {
  git: GitRunner
  callTo: CallTo
}

/** Brings the large files of a checkout in; what they take is no longer left. */
export async function fillLfs(
  { git, callTo }: LfsParts,
  left: { maxBytes: number },
  { remote, directory, commit }: { remote: Remote; directory: string; commit: string },
  { onGit }: LfsOrder,
  signal: AbortSignal,
): Promise<void> {
  using way = await openLfs(remote, { callTo, code: 'CLONE_FAILED', signal })
  left.maxBytes -= await fillObjects(git, { directory, commit, maxBytes: left.maxBytes, way, onGit })
}

/** Stores the large files of a branch, before it is pushed. */
export async function pushLfs(
  { git, callTo }: LfsParts,
  what: Omit<PushObjectsOptions, 'objects'> & { lfsObjects: string },
  remote: Remote,
  { signal }: Pick<CallContext, 'signal'>,
  onGit: OnGit,
): Promise<void> {
  using way = await openLfs(remote, { callTo, code: 'PUSH_REJECTED', signal })
  await pushObjects(git, { ...what, objects: what.lfsObjects }, way, onGit)
}
