import type { ErrorCode } from '@opencode-gateway/contracts'
import { errorTable, providerUnreachedStatus } from '@opencode-gateway/contracts'
import type { EngineFault } from './engine-model.ts'

export interface RunFault {
  code: ErrorCode
  message: string
  retryable: boolean
}

/** What an error of the engine means to a client. */
export function judgeFault(fault: EngineFault): RunFault {
  const code = codeOf(fault)
  const retryable = code === 'MODEL_ERROR' ? isPassing(fault) : errorTable[code].retryable
  return { code, message: `${errorTable[code].title}: ${fault.message}`, retryable }
}

function codeOf({ name, message, statusCode }: EngineFault): ErrorCode {
  switch (name) {
    case 'ProviderAuthError':
      return 'MODEL_AUTH'
    case 'ContextOverflowError':
      return 'CONTEXT_OVERFLOW'
    case 'ContentFilterError':
      return 'CONTENT_FILTERED'
    case 'StructuredOutputError':
      return 'OUTPUT_INVALID'
    case 'APIError':
      if (statusCode === 401 || statusCode === 403) return 'MODEL_AUTH'
      return statusCode === 429 ? 'PROVIDER_RATE_LIMITED' : 'MODEL_ERROR'
    case 'MessageAbortedError':
      return 'RUN_INTERRUPTED'
    case 'ProviderModelNotFoundError':
      return 'MODEL_NOT_FOUND'
    default:
      if (/model not found|no providers are available/i.test(message)) return 'MODEL_NOT_FOUND'
      if (/agent not found/i.test(message)) return 'AGENT_NOT_FOUND'
      return 'RUN_FAILED'
  }
}

/** A request the provider calls wrong stays wrong; a provider that was not reached may be there later. */
function isPassing({ retryable, statusCode }: EngineFault): boolean {
  if (statusCode === providerUnreachedStatus) return true
  return retryable ?? (statusCode === undefined || statusCode >= 500)
}
