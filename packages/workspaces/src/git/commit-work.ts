import { ExecutorError } from '@opencode-gateway/contracts'
import type { AgentRefs } from './agent-refs.ts'
import { commitMessage } from './commit-message.ts'
import type { GitRunner } from './runner.ts'

export interface CommitOptions {
  /** A git directory of ours that has the agent's objects. */
  gitDirectory: string
  /** The agent's directory, of which only the files are looked at. */
  workTree: string
  refs: AgentRefs
  workBranch: string
  message: string
  runId: string
  signal: AbortSignal
}

export interface CommittedWork {
  /** Head of the work branch with everything in it. */
  commit: string
  /** Whether a commit was made for it; the index that it leaves in `gitDirectory` fits it. */
  made: boolean
  /** Repositories within the work tree, whose content was left out. */
  nested: readonly string[]
}

/** Puts what is not committed yet on top of the agent's own commits. */
export async function commitWork(git: GitRunner, options: CommitOptions): Promise<CommittedWork> {
  const { gitDirectory, workTree, refs, workBranch, signal } = options
  const within = [`--git-dir=${gitDirectory}`, `--work-tree=${workTree}`]
  const read = async (args: readonly string[], input?: Buffer): Promise<string> =>
    await git.read([...within, ...args], { signal, encoding: 'latin1', ...(input === undefined ? {} : { input }) })

  const { from, onto } = await whereWorkIs(git, options)
  await read(['read-tree', from])
  // Its exit code says that something differs, which is what is asked next.
  await git.run([...within, 'update-index', '-q', '--refresh'], { signal })
  const { paths, nested } = parseChanges(
    await read(['ls-files', '-z', '--stage']),
    await read(['ls-files', '-z', '--modified', '--deleted', '--others', '--exclude-standard']),
  )
  // Not `git add`: that would run git in repositories within the work tree, with their configuration.
  if (paths.length > 0) {
    const names = Buffer.from(`${paths.join('\0')}\0`, 'latin1')
    await read(['update-index', '-z', '--add', '--remove', '--replace', '--stdin'], names)
  }
  const tree = (await read(['write-tree'])).trim()
  if (tree === (await read(['rev-parse', '--verify', `${from}^{tree}`])).trim()) {
    return { commit: onto, made: false, nested }
  }
  if (from !== onto) {
    throw new ExecutorError(
      'WORKSPACE_ERROR',
      `the agent left uncommitted changes on "${refs.head.branch ?? refs.head.commit ?? 'HEAD'}", which is not the work branch ` +
        `"${workBranch}"; they are kept in the workspace`,
      { retryable: false },
    )
  }
  const message = Buffer.from(commitMessage(options.message, options.runId))
  const commit = (await read(['commit-tree', tree, '-p', onto, '-F', '-'], message)).trim()
  return { commit, made: true, nested }
}

/**
 * `from`: what the files are compared with, `onto`: what the work branch has. The same, unless the agent has gone to a
 * commit that does not build upon the work branch.
 */
async function whereWorkIs(git: GitRunner, options: CommitOptions): Promise<{ from: string; onto: string }> {
  const { gitDirectory, refs, workBranch, signal } = options
  const { head, work } = refs
  for (const commit of new Set([head.commit, work])) {
    if (commit === undefined) continue
    const { exitCode, stdout } = await git.run([`--git-dir=${gitDirectory}`, 'cat-file', '-t', commit], { signal })
    if (exitCode === 0 && stdout.toString('utf8').trim() === 'commit') continue
    throw new ExecutorError('WORKSPACE_ERROR', `the workspace's repository does not have its own commit ${commit}`, {
      retryable: false,
    })
  }
  const from = head.commit ?? work
  if (from === undefined) {
    throw new ExecutorError('WORKSPACE_ERROR', `the workspace's repository has no branch "${workBranch}" any more`, {
      retryable: false,
    })
  }
  if (work === undefined || from === work) return { from, onto: from }
  const args = [`--git-dir=${gitDirectory}`, 'merge-base', '--is-ancestor', work, from]
  return { from, onto: (await git.run(args, { signal })).exitCode === 0 ? from : work }
}

/** Submodules stay as they are; a repository that the agent put into the work tree is named and left out. */
export function parseChanges(staged: string, changed: string): { paths: readonly string[]; nested: readonly string[] } {
  const submodules = new Set(
    staged
      .split('\0')
      .filter((line) => line.startsWith('160000 '))
      .map((line) => line.slice(line.indexOf('\t') + 1)),
  )
  const names = [...new Set(changed.split('\0'))].filter((name) => name !== '' && !submodules.has(name))
  return {
    paths: names.filter((name) => !name.endsWith('/')),
    nested: names
      .filter((name) => name.endsWith('/'))
      .map((name) => Buffer.from(name.slice(0, -1), 'latin1').toString('utf8')),
  }
}
