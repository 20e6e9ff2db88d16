import type { CallContext, OnGit } from '@opencode-gateway/contracts'
import { lookAtRemote } from './advertised.ts'
import type { RemoteCall } from './remote-call.ts'
import { gitFailure } from './failure.ts'
import type { GitRunner } from './runner.ts'

/** Pushes a commit as the head of a branch, unless the remote has it there already. Never by force. */
export async function pushBranch(
  git: GitRunner,
  what: { gitDirectory: string; commit: string; branch: string },
  call: RemoteCall,
  ctx: Pick<CallContext, 'signal'>,
  onGit: OnGit,
): Promise<void> {
  const { gitDirectory, commit, branch } = what
  const { signal } = ctx
  const event = { action: 'push', repository: call.remote.url, branch, commit } as const
  const startedAt = performance.now()
  if ((await lookAtRemote(git, call, signal, 'push')).branches.get(branch) === commit) return
  onGit({ ...event, state: 'started' })
  const args = [`--git-dir=${gitDirectory}`, 'push', '--porcelain', '--no-verify', '--no-follow-tags', '--no-signed']
  const { exitCode, stdout, stderr } = await git.run(
    [...args, '--', call.remote.url, `${commit}:refs/heads/${branch}`],
    { signal, call },
  )
  if (exitCode !== 0) throw gitFailure('push', call.remote, call.credential, `${stdout.toString('utf8')}\n${stderr}`)
  onGit({ ...event, state: 'done', duration_ms: Math.round(performance.now() - startedAt) })
}
