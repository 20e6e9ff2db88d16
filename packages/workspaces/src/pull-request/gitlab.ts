import { addressIn, answerFailed, callApi } from './api-call.ts'
import type { ApiTarget, PullRequest } from './request.ts'

export async function askGitlab(request: PullRequest, target: ApiTarget): Promise<string> {
  const open = await findOpen(request, target)
  if (open !== undefined) return open
  const body = {
    source_branch: request.head,
    target_branch: request.base,
    title: request.draft ? `Draft: ${request.title}` : request.title,
    description: request.body,
  }
  const answer = await callApi(target, { method: 'POST', path: pathOf(target), body })
  const url = answer.status === 201 ? addressIn(answer.body, 'web_url') : undefined
  if (url !== undefined) return url
  // 409: it may have been opened by somebody else meanwhile.
  const others = answer.status === 409 ? await findOpen(request, target) : undefined
  if (others !== undefined) return others
  throw answerFailed(answer, target.token)
}

async function findOpen({ head, base }: PullRequest, target: ApiTarget): Promise<string | undefined> {
  const query = new URLSearchParams({ state: 'opened', source_branch: head, target_branch: base, per_page: '1' })
  const answer = await callApi(target, { method: 'GET', path: `${pathOf(target)}?${query.toString()}` })
  if (answer.status !== 200 || !Array.isArray(answer.body)) throw answerFailed(answer, target.token)
  return addressIn(answer.body[0], 'web_url')
}

function pathOf({ project }: ApiTarget): string {
  return `/projects/${encodeURIComponent(project)}/merge_requests`
}
