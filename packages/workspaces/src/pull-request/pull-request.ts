import type { CallContext, OnGit } from '@opencode-gateway/contracts'
import type { Remote } from '../git/remote.ts'
import { askGithub } from './github.ts'
import { askGitlab } from './gitlab.ts'
import { failed, type PullRequest } from './request.ts'

/** Base URLs of APIs by host (or host:port) of the repositories. github.com and gitlab.com are known. */
export interface PullRequestApis {
  /** Such as "https://github.example.com/api/v3". */
  githubApi?: Readonly<Record<string, string>>
  /** Such as "https://gitlab.example.com/api/v4". */
  gitlabApi?: Readonly<Record<string, string>>
}

const GITHUB = { 'github.com': 'https://api.github.com' }
const GITLAB = { 'gitlab.com': 'https://gitlab.com/api/v4' }
/** Opens a pull request, or finds the one that is open for the same branches; its address. PULL_REQUEST_FAILED. */
export async function openPullRequest(
  request: PullRequest,
  place: { remote: Remote; token: string | undefined; apis: PullRequestApis },
  ctx: Pick<CallContext, 'signal'>,
  onGit: OnGit,
): Promise<string> {
  const { remote, token, apis } = place
  const startedAt = performance.now()
  const { github, gitlab } = apisOf(remote, apis)
  const baseUrl = github ?? gitlab
  if (baseUrl === undefined) throw failed(noApi(remote))
  if (token === undefined) throw failed(noToken(remote))
  if (request.head === request.base) throw failed(`the work is on "${request.base}" itself`)
  const event = {
    action: 'pull_request',
    repository: remote.url,
    branch: request.head,
    base_branch: request.base,
  } as const
  onGit({ ...event, state: 'started' })
  const project = remote.path.replace(/^\/+|\/+$/g, '').replace(/\.git$/, '')
  const target = { baseUrl: baseUrl.replace(/\/+$/, ''), project, token, signal: ctx.signal }
  const url = await (github === undefined ? askGitlab : askGithub)(request, target)
  const took = Math.round(performance.now() - startedAt)
  onGit({ ...event, state: 'done', pull_request_url: url, duration_ms: took })
  return url
}

/** What keeps pull requests from being opened at the host of a repository; undefined when nothing is known to. */
export function obstacleOf(
  remote: Remote,
  { hasToken, apis }: { hasToken: boolean; apis: PullRequestApis },
): string | undefined {
  const { github, gitlab } = apisOf(remote, apis)
  if (github === undefined && gitlab === undefined) return noApi(remote)
  return hasToken ? undefined : noToken(remote)
}

const apisOf = (remote: Remote, { githubApi, gitlabApi }: PullRequestApis) => ({
  github: apiFor({ ...GITHUB, ...githubApi }, remote),
  gitlab: apiFor({ ...GITLAB, ...gitlabApi }, remote),
})

const noToken = ({ host }: Remote): string => `there is no token for the host "${host}"`

const noApi = ({ host }: Remote): string =>
  host === ''
    ? 'a repository of this machine has none'
    : `no API is known for the host "${host}"; set GITHUB_API_URLS or GITLAB_API_URLS`

function apiFor(apis: Readonly<Record<string, string>>, { host, port }: Remote): string | undefined {
  const find = (name: string): string | undefined => (Object.hasOwn(apis, name) ? apis[name] : undefined)
  return find(`${host}:${port}`) ?? find(host)
}
