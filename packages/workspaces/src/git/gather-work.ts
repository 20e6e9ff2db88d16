import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { CallContext, Delivery, OnGit, WorkspaceRepository } from '@opencode-gateway/contracts'
import { stagedNames, takeShallow } from './agent-index.ts'
import { giveObjects, takeObjects } from './agent-objects.ts'
import { holdGitDirectory, readAgentRefs } from './agent-refs.ts'
import type { Drafts } from './drafts.ts'
import { commitWork, type CommittedWork } from './commit-work.ts'
import { giveLfsObjects } from './lfs/push-objects.ts'
import type { GitRunner } from './runner.ts'

export interface DeliverParts {
  git: GitRunner
  /** For git directories of ours; best on the file system of the workspaces. */
  drafts: Drafts
  /** The copy of the remote, if there is one: what it has need not be taken from the agent. */
  mirror: string
  /** Of new files of Git LFS. */
  maxBytes: number
}

/** What is on the work branch, in a git directory of ours that is removed at the end. */
export interface Work extends AsyncDisposable {
  commit: string
  gitDirectory: string
  /** Content of new objects of Git LFS. */
  lfsObjects: string
}

/**
 * Commits what the agent left, in a git directory of ours with a configuration of ours, and tells the agent's own
 * repository about it. The agent's configuration, hooks and filters are never read.
 */
export async function gatherWork(
  parts: DeliverParts,
  repository: WorkspaceRepository,
  directory: string,
  delivery: Pick<Delivery, 'message' | 'runId'>,
  ctx: Pick<CallContext, 'signal'>,
  onGit: OnGit,
): Promise<Work> {
  const { git } = parts
  const { signal } = ctx
  const startedAt = performance.now()
  const draft = parts.drafts.next()
  const remove = async (): Promise<void> => await rm(draft, { recursive: true, force: true, maxRetries: 3 })
  try {
    await mkdir(path.dirname(draft), { recursive: true, mode: 0o700 })
    const gitDirectory = path.join(draft, '.git')
    const lfsObjects = path.join(draft, 'lfs')
    const known = path.join(parts.mirror, 'objects')
    await using agent = await holdGitDirectory(directory)
    await makeGitDirectory(git, draft, repository.baseCommit, known, signal)
    const refs = await readAgentRefs(agent, repository.branch)
    await takeShallow(agent, gitDirectory)
    const staged = await stagedNames(git, agent, gitDirectory, signal)
    const taken = await takeObjects(agent, path.join(gitDirectory, 'objects'), known, signal)
    const work = await commitWork(git, {
      gitDirectory,
      workTree: directory,
      refs,
      staged,
      workBranch: repository.branch,
      message: delivery.message,
      runId: delivery.runId,
      ...(repository.lfs === true ? { lfs: { objects: lfsObjects, maxBytes: parts.maxBytes } } : {}),
      signal,
    })
    if (work.made) await giveLfsObjects(lfsObjects, agent)
    if (work.made) await giveObjects(path.join(gitDirectory, 'objects'), taken, agent)
    if (work.commit !== refs.work) {
      const names = ['refs', 'heads', ...repository.branch.split('/')]
      await using folder = await agent.make(...names.slice(0, -1))
      await folder.replace(names.at(-1) ?? '', `${work.commit}\n`, 0o644)
    }
    if (work.made) {
      await agent.replace('HEAD', `ref: refs/heads/${repository.branch}\n`, 0o644)
      await agent.replace('index', await readFile(path.join(gitDirectory, 'index')), 0o644)
      const took = Math.round(performance.now() - startedAt)
      onGit({
        action: 'commit',
        state: 'done',
        branch: repository.branch,
        commit: work.commit,
        duration_ms: took,
        ...leftOut(work),
      })
    }
    return { commit: work.commit, gitDirectory, lfsObjects, [Symbol.asyncDispose]: remove }
  } catch (error) {
    await remove()
    throw error
  }
}

async function makeGitDirectory(
  git: GitRunner,
  draft: string,
  base: string,
  known: string,
  signal: AbortSignal,
): Promise<void> {
  const format = base.length === 64 ? 'sha256' : 'sha1'
  await git.read(['init', '--quiet', '--template=', `--object-format=${format}`, '--', draft], { signal })
  const isKnown = await stat(known).then(
    () => true,
    () => false,
  )
  if (!isKnown) return
  await mkdir(path.join(draft, '.git', 'objects', 'info'), { recursive: true })
  await writeFile(path.join(draft, '.git', 'objects', 'info', 'alternates'), `${known}\n`)
}

function leftOut({ nested }: CommittedWork): { message?: string } {
  if (nested.length === 0) return {}
  const more = nested.length > 5 ? ` and ${nested.length - 5} more` : ''
  return { message: `left out, being repositories of their own: ${nested.slice(0, 5).join(', ')}${more}` }
}
