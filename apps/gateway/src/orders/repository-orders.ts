import { GatewayError, type Delivery, type RunRequest, type WorkspaceFill } from '@opencode-gateway/contracts'
import type { ContainerResources, PromptInput } from '@opencode-gateway/contracts'
import type { Sealing } from '@opencode-gateway/sealing'
import { containerResources } from './container-resources.ts'
import { sealCredentials } from './git-credentials.ts'
import { oneOrAll } from '../http/one-or-all.ts'

type FillRequest = Pick<
  RunRequest,
  'repository' | 'branch' | 'work_branch' | 'depth' | 'submodules' | 'lfs' | 'git_credentials' | 'files' | 'resources'
>
type DeliveryRequest = Pick<RunRequest, 'push' | 'pull_request' | 'commit_message'>

const NEEDS_REPOSITORY = [
  'branch',
  'work_branch',
  'depth',
  'submodules',
  'lfs',
  'git_credentials',
  'push',
  'pull_request',
  'commit_message',
] as const

/** What a new session is made of. Options of a repository without one are refused. */
export function fillOrder(
  request: FillRequest & DeliveryRequest,
  {
    sessionId,
    sealing,
    mostResources,
  }: { sessionId: string; sealing: Sealing | undefined; mostResources: Required<ContainerResources> },
): WorkspaceFill | undefined {
  const {
    repository: url,
    branch,
    work_branch: workBranch,
    depth,
    submodules,
    lfs,
    git_credentials: credentials,
    files,
  } = request
  if (url === undefined) refuseWithoutRepository(request)
  const resources = containerResources(request.resources, mostResources)
  if (url === undefined && files === undefined && resources === undefined) return undefined
  return {
    ...(resources === undefined ? {} : { resources }),
    ...(url === undefined
      ? {}
      : {
          repository: {
            url,
            ...(branch === undefined ? {} : { branch }),
            ...(workBranch === undefined ? {} : { workBranch }),
            ...(depth === undefined ? {} : { depth }),
            ...(submodules === undefined ? {} : { submodules }),
            ...(lfs === undefined ? {} : { lfs }),
            ...(credentials === undefined
              ? {}
              : { sealedCredentials: sealCredentials(credentials, sessionId, sealing) }),
          },
        }),
    ...(files === undefined ? {} : { files }),
  }
}

/** What is to become of the work, where the request says anything of it. A pull request needs the branch pushed. */
export function deliveryOrder(request: DeliveryRequest): PromptInput['delivery'] {
  const { push, pull_request: wanted, commit_message: message } = request
  if (push === undefined && wanted === undefined && message === undefined) return undefined
  if (push === false && wanted !== undefined) {
    throw new GatewayError(
      'INVALID_REQUEST',
      'A pull request needs its branch pushed. Leave "push" out, or say true.',
      {
        details: { field: 'push', reason: 'contradicts pull_request' },
      },
    )
  }
  const pullRequest: Delivery['pullRequest'] = wanted === true ? {} : wanted
  return {
    push: push ?? pullRequest !== undefined,
    ...(message === undefined ? {} : { message }),
    ...(pullRequest === undefined ? {} : { pullRequest }),
  }
}

function refuseWithoutRepository(request: FillRequest & DeliveryRequest): void {
  const lost = NEEDS_REPOSITORY.filter((name) => request[name] !== undefined && request[name] !== false)
  if (lost.length === 0) return
  throw new GatewayError('INVALID_REQUEST', `Without a repository there is nothing for ${lost.join(', ')}.`, {
    details: oneOrAll(lost.map((field) => ({ field, reason: 'needs a repository' }))),
  })
}
