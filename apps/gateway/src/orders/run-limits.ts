import { GatewayError, type MessageRequest } from '@opencode-gateway/contracts'
import type { OrderLimits } from '@opencode-gateway/sessions'
import { budgetOrder, type BudgetRules } from './budgets.ts'
import { durationMs } from './duration.ts'

export interface LimitRules {
  /** Time limit of a request that names none, milliseconds. */
  defaultMs: number
  /** The most a request may ask for, milliseconds. */
  maximumMs: number
  maxModelCalls: number
  budgets: BudgetRules
  /** Of whoever asks; undefined where no key is asked for. */
  keyId: string | undefined
}

/** How long an ask may wait at all, milliseconds: shorter, nobody can answer; longer, nobody will. */
const ASK_MS = { minimum: 30_000, maximum: 3_600_000 }

const RETENTION_MS = { minimum: 1000, maximum: 365 * 86_400_000 }

type LimitsRequest = Pick<
  MessageRequest,
  'timeout' | 'idle_timeout' | 'ask_timeout' | 'max_model_calls' | 'budget' | 'wrap_up'
>

/** The limits of a run as its request sets them. Throws INVALID_REQUEST for what is out of bounds or contradictory. */
export function runLimits(
  request: LimitsRequest,
  { defaultMs, maximumMs, maxModelCalls, budgets, keyId }: LimitRules,
): OrderLimits {
  const { timeout, idle_timeout: idle, ask_timeout: ask, max_model_calls: calls, wrap_up: wrapUp } = request
  const timeoutMs =
    timeout === undefined ? defaultMs : within('timeout', timeout, { maximum: maximumMs, why: ' (MAX_EXECUTION_TIME)' })
  const why = `, the time limit of the run`
  const limits = {
    timeoutMs,
    ...(idle === undefined ? {} : { idleTimeoutMs: within('idle_timeout', idle, { maximum: timeoutMs, why }) }),
    ...(ask === undefined ? {} : { askTimeoutMs: within('ask_timeout', ask, ASK_MS) }),
    ...(calls === undefined ? {} : { maxModelCalls: calls }),
    ...budgetOrder(request.budget, budgets),
    ...(keyId === undefined ? {} : { keyId }),
    ...(wrapUp === undefined ? {} : { wrapUp }),
  }
  if (limits.askTimeoutMs !== undefined && limits.askTimeoutMs > timeoutMs) {
    throw refusal('ask_timeout', ask, `must be at most ${timeoutMs / 1000}s${why}`)
  }
  if (calls !== undefined && calls > maxModelCalls) {
    throw refusal('max_model_calls', calls, `must be at most ${maxModelCalls} (MAX_MODEL_CALLS)`)
  }
  return limits
}

/** How long a session is kept after its last change; undefined unless asked for. */
export function retentionOf({ retention }: { retention?: number | string }): { retentionMs?: number } {
  return retention === undefined ? {} : { retentionMs: within('retention', retention, RETENTION_MS) }
}

interface Bounds {
  minimum?: number
  maximum: number
  /** What sets the upper bound. */
  why?: string
}

function within(field: string, given: number | string, { minimum, maximum, why = '' }: Bounds): number {
  const asked = durationMs(given)
  if (asked !== undefined && asked > 0 && asked >= (minimum ?? 0) && asked <= maximum) return asked
  const least = minimum === undefined ? 'more than 0' : `at least ${minimum / 1000}s`
  throw refusal(field, given, `must be ${least} and at most ${maximum / 1000}s${why}`)
}

function refusal(field: string, given: unknown, reason: string): GatewayError {
  return new GatewayError('INVALID_REQUEST', `${field} ${JSON.stringify(given)} ${reason}.`, {
    details: { field, reason },
  })
}
