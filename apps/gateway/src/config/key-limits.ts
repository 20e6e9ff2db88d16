import { modelBudget, type ModelBudget } from '@opencode-gateway/contracts'
import { durationMs } from '../orders/duration.ts'

/** What a key may do less, or more, than others. */
export interface KeyLimits {
  /** Requests in a window of RATE_LIMIT_WINDOW. */
  requests?: number
  /** Open event streams. */
  streams?: number
  /** Of models, as far back as usage is kept. */
  budget?: ModelBudget
  /** Of models, on a day (UTC). */
  dayBudget?: ModelBudget
}

export const keyLimitsExpected =
  '"limits" with "requests" and "streams", whole numbers above 0, and "budget" and "day_budget" with "calls", "tokens", "cost_usd" and "wall"'

/** The limits of a key as a file has them; undefined when they are none. */
export function readKeyLimits(given: unknown): KeyLimits | undefined {
  if (!isRecord(given)) return undefined
  const { requests, streams, budget, day_budget: dayBudget, ...rest } = given
  if (Object.keys(rest).length > 0) return undefined
  const limits = { ...set('requests', requests, whole), ...set('streams', streams, whole) }
  const budgets = { ...set('budget', budget, readBudget), ...set('dayBudget', dayBudget, readBudget) }
  const all: Record<string, unknown> = { ...limits, ...budgets }
  return Object.values(all).every((value) => value !== undefined) ? all : undefined
}

function readBudget(given: unknown): ModelBudget | undefined {
  if (!isRecord(given)) return undefined
  const { calls, tokens, cost_usd: cost, wall, ...rest } = given
  if (Object.keys(rest).length > 0 || Object.keys(given).length === 0) return undefined
  const amounts = { ...set('calls', calls, whole), ...set('tokens', tokens, whole), ...set('cost_usd', cost, positive) }
  const all: Record<string, number | undefined> = { ...amounts, ...set('wall', wall, seconds) }
  return Object.values(all).every((value) => value !== undefined) ? modelBudget(all) : undefined
}

const set = <T>(name: string, given: unknown, read: (given: unknown) => T): Record<string, T> =>
  given === undefined ? {} : { [name]: read(given) }

const positive = (given: unknown): number | undefined =>
  typeof given === 'number' && Number.isFinite(given) && given > 0 ? given : undefined

const whole = (given: unknown): number | undefined =>
  typeof given === 'number' && Number.isSafeInteger(given) ? positive(given) : undefined

function seconds(given: unknown): number | undefined {
  const ms = typeof given === 'number' || typeof given === 'string' ? durationMs(given) : undefined
  return ms === undefined ? undefined : positive(ms / 1000)
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
