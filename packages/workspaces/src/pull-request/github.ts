import { addressIn, answerFailed, callApi } from './api-call.ts'
import type { ApiTarget, PullRequest } from './request.ts'

const HEADERS = { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' }

export async function askGithub(request: PullRequest, target: ApiTarget): Promise<string> {
  const open = await findOpen(request, target)
  if (open !== undefined) return open
  const { title, body, head, base, draft } = request
  const path = `/repos/${target.project}/pulls`
  const answer = await callApi(target, {
    method: 'POST',
    path,
    body: { title, body, head, base, draft },
    headers: HEADERS,
  })
  const url = answer.status === 201 ? addressIn(answer.body, 'html_url') : undefined
  if (url !== undefined) return url
  // 422: it may have been opened by somebody else meanwhile.
  const others = answer.status === 422 ? await findOpen(request, target) : undefined
  if (others !== undefined) return others
  throw answerFailed(answer, target.token)
}

async function findOpen({ head, base }: PullRequest, target: ApiTarget): Promise<string | undefined> {
  const owner = target.project.split('/')[0] ?? ''
  const query = new URLSearchParams({ state: 'open', head: `${owner}:${head}`, base, per_page: '1' })
  const answer = await callApi(target, {
    method: 'GET',
    path: `/repos/${target.project}/pulls?${query.toString()}`,
    headers: HEADERS,
  })
  if (answer.status !== 200 || !Array.isArray(answer.body)) throw answerFailed(answer, target.token)
  return addressIn(answer.body[0], 'html_url')
}
