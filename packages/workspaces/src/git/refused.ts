import { ExecutorError } from '@opencode-gateway/contracts'

export type RefusedField = 'repository' | 'submodules' | 'lfs' | 'branch' | 'work_branch' | 'pull_request.base'

/** `field` is the one of the request. What was given is not repeated: it may hold a secret. */
export function refused(field: RefusedField, reason: string): ExecutorError {
  return new ExecutorError('REPOSITORY_REFUSED', `${field} ${reason}`, { details: { field, reason } })
}
