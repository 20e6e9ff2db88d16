import { ExecutorError, type WorkspaceRepository } from '@opencode-gateway/contracts'
import { holdGitDirectory, readAgentRefs } from './agent-refs.ts'

/** The branch that a session works on when none was asked for. */
export function workBranchOf(sessionId: string): string {
  return `opencode/${sessionId.slice(0, 8)}`
}

/**
 * The repository of a copied workspace, on a branch of its own from where the other one's is: two sessions that push to
 * one branch would reject each other. One that was asked for by name stays.
 */
export async function ownBranch(
  repository: WorkspaceRepository,
  { from, to, directory }: { from: string; to: string; directory: string },
): Promise<WorkspaceRepository> {
  if (repository.branch !== workBranchOf(from)) return repository
  const branch = workBranchOf(to)
  await makeBranch(directory, repository.branch, branch)
  return { ...repository, branch }
}

/**
 * In a repository that an agent had, as the new name of what it is on. Where that cannot be, nothing is lost: the first
 * delivery makes the branch from what is checked out, or says what is wrong.
 */
async function makeBranch(directory: string, former: string, branch: string): Promise<void> {
  try {
    await using git = await holdGitDirectory(directory)
    const { head, work } = await readAgentRefs(git, former)
    if (work === undefined) return
    const names = branch.split('/')
    await using folder = await git.make('refs', 'heads', ...names.slice(0, -1))
    await folder.replace(names.at(-1) ?? '', `${work}\n`, 0o644)
    if (head.branch === former) await git.replace('HEAD', `ref: refs/heads/${branch}\n`, 0o644)
  } catch (error) {
    if (!(error instanceof ExecutorError)) throw error
  }
}
