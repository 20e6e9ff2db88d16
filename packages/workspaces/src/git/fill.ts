import { readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { ExecutorError } from '@opencode-gateway/contracts'
import type { CallContext, OnGit, RepositorySource, WorkspaceRepository } from '@opencode-gateway/contracts'
import { chooseBranch, lookAtRemote } from './advertised.ts'
import { checkOut } from './checkout.ts'
import type { RemoteCall } from './remote-call.ts'
import { tooLargeError } from './mirrors.ts'
import type { FillParts } from './fill-parts.ts'
import { fillLfs } from './lfs/lfs.ts'
import { fillSubmodules, treeBytes } from './submodules.ts'
import { throttled } from './progress.ts'

/** Fills an empty directory; leaves it empty when it fails. */
export async function fillDirectory(
  parts: FillParts,
  source: RepositorySource,
  place: { directory: string; workBranch: string },
  call: RemoteCall,
  ctx: CallContext,
  onGit: OnGit,
): Promise<WorkspaceRepository> {
  const { directory, workBranch } = place
  const { remote } = call
  const { signal } = ctx
  if ((await readdir(directory)).length > 0)
    throw new ExecutorError('WORKSPACE_ERROR', `the directory "${directory}" is not empty`)
  const startedAt = performance.now()
  const took = (): number => Math.round(performance.now() - startedAt)
  const onPercent = throttled((percent) =>
    onGit({ action: 'clone', state: 'progress', repository: remote.url, percent }),
  )
  onGit({ action: 'clone', state: 'started', repository: remote.url })
  try {
    const { branch: baseBranch, commit } = chooseBranch(
      remote.url,
      await lookAtRemote(parts.git, call, signal),
      source.branch,
    )
    const limits = { signal, maxBytes: parts.maxBytes, onPercent }
    using mirror = await parts.mirrors.refresh(call, { branch: baseBranch, commit, depth: source.depth }, limits)
    const bytes = await treeBytes(parts.git, mirror, signal)
    if (bytes > parts.maxBytes) throw tooLargeError(remote, parts.maxBytes)
    await checkOut(parts.git, {
      mirror: mirror.directory,
      directory,
      url: remote.url,
      baseBranch,
      baseCommit: mirror.commit,
      workBranch,
      author: parts.author,
      signal,
      onPercent,
    })
    const left = { maxBytes: parts.maxBytes - bytes, count: 0 }
    const lfs = source.lfs === true ? { onGit } : undefined
    if (lfs) await fillLfs(parts, left, { remote, directory, commit: mirror.commit }, lfs, signal)
    if (source.submodules === true) {
      await fillSubmodules(parts, left, { call, mirror, directory, workBranch, lfs, level: 1 }, signal)
    }
    const repository = {
      url: remote.url,
      branch: workBranch,
      baseBranch,
      baseCommit: mirror.commit,
      ...(source.depth === undefined ? {} : { depth: source.depth }),
      ...(lfs ? { lfs: true } : {}),
    }
    const base = { base_branch: baseBranch, base_commit: mirror.commit }
    onGit({ action: 'clone', state: 'done', repository: remote.url, ...base, duration_ms: took() })
    onGit({ action: 'branch', state: 'done', branch: workBranch, ...base })
    return repository
  } catch (error) {
    for (const name of await readdir(directory))
      await rm(path.join(directory, name), { recursive: true, force: true, maxRetries: 3 })
    throw error
  }
}
