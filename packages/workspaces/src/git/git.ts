import { randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { GatewayError } from '@opencode-gateway/contracts'
import type {
  CallContext,
  Delivered,
  Delivery,
  Log,
  OnGit,
  RepositorySource,
  WorkspaceRepository,
} from '@opencode-gateway/contracts'
import { obstacleOf, openPullRequest } from '../pull-request/pull-request.ts'
import { fromOrder } from '../pull-request/request.ts'
import { addressesOf, resolveHost } from './addresses.ts'
import { credentialFor, secretsOf, type GitCredential, type GitCredentials } from './credentials.ts'
import { createDrafts } from './drafts.ts'
import type { RemoteCall } from './remote-call.ts'
import { fillDirectory } from './fill.ts'
import type { GitOptions, GitPlace } from './git-options.ts'
import { gatherWork } from './gather-work.ts'
import { createLocks } from './lock.ts'
import { createMirrors } from './mirrors.ts'
import { pushBranch } from './push.ts'
import { checkBranchName } from './ref-name.ts'
import { pushLfs } from './lfs/lfs.ts'
import { parseRemote, type Remote, type RemoteRules } from './remote.ts'
import { createGitRunner } from './runner.ts'
import { runStep } from './step.ts'

/** Repositories into workspaces, and what was made of them out again. */
export interface Git {
  /**
   * The checks that need no network, so that a request can be refused before anything starts: form, scheme, host by name,
   * names of branches (REPOSITORY_REFUSED), and whether the host takes a pull request (UNSUPPORTED_OPTION).
   */
  check(source: RepositorySource, delivery?: Pick<Delivery, 'pullRequest'>): void
  /**
   * Clones into the empty directory and checks the work branch out. Whatever goes wrong, an abort included, the
   * directory is empty again and the next clone is as good as this one would have been. REPOSITORY_REFUSED,
   * REPOSITORY_NOT_FOUND, REPOSITORY_AUTH, REPOSITORY_EMPTY, BRANCH_NOT_FOUND, CLONE_FAILED, WORKSPACE_FULL.
   */
  fill(
    source: RepositorySource,
    place: GitPlace & { workBranch: string },
    ctx: CallContext,
    onGit: OnGit,
  ): Promise<WorkspaceRepository>
  /**
   * Commits all changes on the work branch, pushes it and opens the pull request as ordered; a pull request needs the
   * push. Doing it twice does nothing twice. WORKSPACE_ERROR, PUSH_REJECTED, REPOSITORY_AUTH, PULL_REQUEST_FAILED; the
   * work is kept.
   */
  deliver(
    repository: WorkspaceRepository,
    place: GitPlace,
    delivery: Delivery,
    ctx: CallContext,
    onGit: OnGit,
  ): Promise<Delivered>
  /** Removes what calls had not completed when the gateway before this one was killed. Never rejects. */
  clearLeftovers(log: Log): Promise<void>
}

/** Others hold the lock of a mirror for as long as they fetch. */
const TRIM_TIMEOUT_MS = 5_000

export function createGit(options: GitOptions): Git {
  const { cacheDirectory, credentials, author, limits, pullRequests: apis = {} } = options
  const rules: RemoteRules = {
    allowFile: options.allowFile ?? false,
    ...(options.allowedHosts === undefined ? {} : { allowedHosts: options.allowedHosts }),
  }
  const home = path.join(cacheDirectory, 'home')
  const git = createGitRunner({ path: options.path, home, author })
  const life = randomUUID()
  const root = path.join(cacheDirectory, 'mirrors')
  const newMirrors = createDrafts(root, life)
  const drafts = createDrafts(path.join(cacheDirectory, 'drafts'), life)
  const mirrors = createMirrors({
    root,
    git,
    locks: createLocks(path.join(cacheDirectory, 'locks')),
    drafts: newMirrors,
    limits: limits.mirrors ?? { maxBytes: Number.POSITIVE_INFINITY, maxAgeMs: Number.POSITIVE_INFINITY },
  })

  const credentialOf = (remote: Remote, own: GitCredentials | undefined): GitCredential | undefined =>
    (own && credentialFor(own, remote)) ?? credentialFor(credentials, remote)

  async function callTo(
    url: string,
    own: GitCredentials | undefined,
    code: 'CLONE_FAILED' | 'PUSH_REJECTED',
  ): Promise<RemoteCall> {
    const remote = parseRemote(url, rules)
    const addresses = await addressesOf(remote, options.resolve ?? resolveHost, code)
    const credential = credentialOf(remote, own)
    return { remote, addresses, credential, knownHostsFile: path.join(cacheDirectory, 'known_hosts') }
  }

  const secretsWith = (own: GitCredentials | undefined): readonly string[] =>
    [...credentials.values(), ...(own?.values() ?? [])].flatMap(secretsOf)
  const check: Git['check'] = (source, delivery) => {
    const remote = parseRemote(source.url, rules)
    if (source.branch !== undefined) checkBranchName(source.branch, 'branch')
    if (source.workBranch !== undefined) checkBranchName(source.workBranch, 'work_branch')
    if (delivery?.pullRequest === undefined) return
    const hasToken = source.sealedCredentials !== undefined || credentialOf(remote, undefined)?.password !== undefined
    const obstacle = obstacleOf(remote, { hasToken, apis })
    if (obstacle === undefined) return
    throw new GatewayError('UNSUPPORTED_OPTION', `No pull request can be opened: ${obstacle}.`, {
      details: { field: 'pull_request', reason: obstacle },
    })
  }

  return {
    check,
    async clearLeftovers(log) {
      await newMirrors.clear(log)
      await drafts.clear(log)
    },

    async fill(source, place, ctx, onGit) {
      check({ ...source, workBranch: place.workBranch })
      await mkdir(home, { recursive: true, mode: 0o700 })
      const cloning = {
        action: 'clone',
        code: 'CLONE_FAILED',
        timeoutMs: limits.cloneTimeoutMs,
        url: source.url,
        secrets: secretsWith(place.credentials),
      } as const
      return await runStep(cloning, ctx, onGit, async (ctx) => {
        const call = await callTo(source.url, place.credentials, 'CLONE_FAILED')
        const parts = {
          git,
          mirrors,
          author,
          maxBytes: limits.maxBytes,
          callTo: async (url: string) => await callTo(url, place.credentials, 'CLONE_FAILED'),
        }
        return await fillDirectory(parts, source, place, call, ctx, onGit)
      }).finally(async () => {
        // It matters to the next clones, not to this one.
        await mirrors.trim(AbortSignal.timeout(TRIM_TIMEOUT_MS)).catch((error: unknown) => {
          ctx.log.warn({ err: error }, 'mirrors of repositories could not be removed')
        })
      })
    },

    async deliver(repository, { directory, credentials: own }, delivery, ctx, onGit) {
      const { url, branch, baseBranch, baseCommit } = repository
      checkBranchName(branch, 'work_branch')
      const remote = parseRemote(url, rules)
      const order = delivery.pullRequest
      if (order?.base !== undefined) checkBranchName(order.base, 'pull_request.base')
      await mkdir(home, { recursive: true, mode: 0o700 })
      const step = { timeoutMs: limits.pushTimeoutMs, url, secrets: secretsWith(own) }
      using mirror = await mirrors.hold(remote, repository.depth)
      const parts = {
        git,
        drafts,
        mirror: mirror.directory,
        maxBytes: limits.maxBytes,
      }
      await using work = await runStep(
        { ...step, action: 'commit', code: 'WORKSPACE_ERROR' },
        ctx,
        onGit,
        async (ctx) => {
          return await gatherWork(parts, repository, directory, delivery, ctx, onGit)
        },
      )
      const { commit } = work
      if (commit === baseCommit) return { branch, baseCommit, pushed: false }
      if (!delivery.push && order === undefined) return { branch, baseCommit, commit, pushed: false }
      await runStep({ ...step, action: 'push', code: 'PUSH_REJECTED' }, ctx, onGit, async (ctx) => {
        if (repository.lfs === true) {
          const toHost = async (url: string): Promise<RemoteCall> => await callTo(url, own, 'PUSH_REJECTED')
          const what = { ...work, directory, base: baseCommit, maxBytes: limits.maxBytes }
          await pushLfs({ git, callTo: toHost }, what, remote, ctx, onGit)
        }
        await pushBranch(git, { ...work, branch }, await callTo(url, own, 'PUSH_REJECTED'), ctx, onGit)
      })
      if (order === undefined) return { branch, baseCommit, commit, pushed: true }
      const pullRequestUrl = await runStep(
        { ...step, action: 'pull_request', code: 'PULL_REQUEST_FAILED' },
        ctx,
        onGit,
        async (ctx) => {
          const request = fromOrder(order, { branch, baseBranch, message: delivery.message })
          const token = credentialOf(remote, own)?.password
          return await openPullRequest(request, { remote, token, apis }, ctx, onGit)
        },
      )
      return { branch, baseCommit, commit, pushed: true, pullRequestUrl }
    },
  }
}
