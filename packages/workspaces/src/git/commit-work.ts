import { ExecutorError } from '@opencode-gateway/contracts'
import type { AgentRefs } from './agent-refs.ts'
import { commitMessage } from './commit-message.ts'
import { forcedFiles } from './forced-files.ts'
import { asIndexed } from './lfs/as-indexed.ts'
import { stageObjects } from './lfs/stage-objects.ts'
import type { GitRunner } from './runner.ts'

export interface CommitOptions {
  /** A git directory of ours that has the agent's objects. */
  gitDirectory: string
  /** The agent's directory, of which only the files are looked at. */
  workTree: string
  refs: AgentRefs
  /** What the agent has put into its index, in latin1. */
  staged: readonly string[]
  workBranch: string
  message: string
  runId: string
  /** Where the content of large files goes; unless given, all files are put into the commit as they are. */
  lfs?: { objects: string; maxBytes: number }
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
  const { gitDirectory, workTree, refs, workBranch, lfs, signal } = options
  const within = [`--git-dir=${gitDirectory}`, `--work-tree=${workTree}`, ...(lfs ? asIndexed : [])]
  const read = async (args: readonly string[], input?: Buffer): Promise<string> =>
    await git.read([...within, ...args], { signal, encoding: 'latin1', ...(input === undefined ? {} : { input }) })

  const { from, onto } = await whereWorkIs(git, options)
  await read(['read-tree', from])
  // Its exit code says that something differs, which is what is asked next.
  await git.run([...within, 'update-index', '-q', '--refresh'], { signal })
  const known = new Set((await read(['ls-files', '-z'])).split('\0'))
  const forced = await forcedFiles(options.staged, known, workTree)
  const nested = await stage(read, forced, async (others) =>
    lfs === undefined ? new Set() : await stageObjects(git, { gitDirectory, workTree, others, ...lfs, signal }),
  )
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

/**
 * Puts the files of the work tree into the index; the repositories within it that were left out. Not `git add`: that
 * would run git in them, with their configuration. Submodules stay as they are. `large` sees to files of its own.
 */
async function stage(
  read: (args: readonly string[], input?: Buffer) => Promise<string>,
  forced: readonly string[],
  large: (others: readonly string[]) => Promise<ReadonlySet<string>>,
): Promise<readonly string[]> {
  const update = async (option: '--force-remove' | '--replace', names: readonly string[]): Promise<void> => {
    if (names.length === 0) return
    await read(
      ['update-index', '-z', '--add', '--remove', option, '--stdin'],
      Buffer.from(`${names.join('\0')}\0`, 'latin1'),
    )
  }
  const diff = ['diff-files', '-z', '--name-status', '--no-renames', '--ignore-submodules=all']
  const { changed, gone } = parseNameStatus(await read(diff))
  // First, for what took their place would be in their way: a directory or a link where a file was.
  await update('--force-remove', gone)
  const others = (await read(['ls-files', '-z', '--others', '--exclude-standard']))
    .split('\0')
    .filter((name) => name !== '')
  const files = [...forced, ...others.filter((name) => !name.endsWith('/'))]
  const done = await large(files)
  await update(
    '--replace',
    [...changed, ...files].filter((name) => !done.has(name)),
  )
  return others
    .filter((name) => name.endsWith('/'))
    .map((name) => Buffer.from(name.slice(0, -1), 'latin1').toString('utf8'))
}

function parseNameStatus(text: string): { changed: readonly string[]; gone: readonly string[] } {
  const fields = text.split('\0')
  const changed: string[] = []
  const gone: string[] = []
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const name = fields[index + 1] ?? ''
    if (fields[index] === 'D') gone.push(name)
    else changed.push(name)
  }
  return { changed, gone }
}
