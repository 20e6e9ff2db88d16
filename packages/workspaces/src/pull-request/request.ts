import { ExecutorError } from '@opencode-gateway/contracts'
import type { PullRequestOrder } from '@opencode-gateway/contracts'

export interface PullRequest {
  title: string
  body: string
  draft: boolean
  /** The branch to merge. */
  head: string
  /** The branch to merge into. */
  base: string
}

/** Where and as whom. */
export interface ApiTarget {
  baseUrl: string
  /** `owner/name`, without ".git". */
  project: string
  token: string
  signal: AbortSignal
}

const MAX_TITLE = 250

/** The order with what it leaves open: the title and body are those of the commit message. */
export function fromOrder(
  order: PullRequestOrder,
  work: { branch: string; baseBranch: string; message: string },
): PullRequest {
  const [first = '', ...rest] = work.message.trim().split('\n')
  return {
    title: (order.title ?? first).trim().slice(0, MAX_TITLE) || `Changes on ${work.branch}`,
    body: order.body ?? rest.join('\n').trim(),
    draft: order.draft ?? false,
    head: work.branch,
    base: order.base ?? work.baseBranch,
  }
}

export function failed(reason: string, retryable = false): ExecutorError {
  return new ExecutorError('PULL_REQUEST_FAILED', `the pull request could not be opened: ${reason}`, { retryable })
}
