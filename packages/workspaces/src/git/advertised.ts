import { ExecutorError } from '@opencode-gateway/contracts'
import type { RemoteCall } from './remote-call.ts'
import { gitFailure } from './failure.ts'
import type { GitRunner } from './runner.ts'

/** What a remote says it has. */
export interface Advertised {
  /** The branch that HEAD names. */
  head: string | undefined
  /** Commit by branch. */
  branches: ReadonlyMap<string, string>
}

/** Asks the remote, with the credentials of this call: what it answers is what this call may see. */
export async function lookAtRemote(
  git: GitRunner,
  call: RemoteCall,
  signal: AbortSignal,
  step: 'look' | 'push' = 'look',
): Promise<Advertised> {
  const args = ['ls-remote', '--symref', '--', call.remote.url, 'HEAD', 'refs/heads/*']
  const { exitCode, stdout, stderr } = await git.run(args, { signal, call })
  if (exitCode !== 0) throw gitFailure(step, call.remote, call.credential, stderr)
  return parseAdvertised(stdout.toString('utf8'))
}

function parseAdvertised(text: string): Advertised {
  let head: string | undefined
  const branches = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [value = '', name = ''] = line.split('\t')
    if (name === 'HEAD' && value.startsWith('ref: refs/heads/')) head = value.slice('ref: refs/heads/'.length)
    if (name.startsWith('refs/heads/') && /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(value)) {
      branches.set(name.slice('refs/heads/'.length), value)
    }
  }
  return { head, branches }
}

/** The branch to begin with. REPOSITORY_EMPTY, BRANCH_NOT_FOUND. */
export function chooseBranch(
  url: string,
  { head, branches }: Advertised,
  asked: string | undefined,
): { branch: string; commit: string } {
  if (branches.size === 0) {
    throw new ExecutorError('REPOSITORY_EMPTY', `the repository "${url}" has no branch; push a first commit to it`)
  }
  const branch = asked ?? head
  if (branch === undefined) {
    throw new ExecutorError(
      'BRANCH_NOT_FOUND',
      `the HEAD of the repository "${url}" names no branch; say which with "branch"`,
    )
  }
  const commit = branches.get(branch)
  if (commit === undefined) {
    throw new ExecutorError('BRANCH_NOT_FOUND', `the repository "${url}" has no branch "${branch}"`)
  }
  return { branch, commit }
}
