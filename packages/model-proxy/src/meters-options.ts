import type { Log, ModelBudget, UsageLog } from '@opencode-gateway/contracts'
import type { HoldRoom } from './hold-room.ts'
import type { ModelPrice } from './price.ts'

/** What an API key may use, besides what everybody may. */
export interface KeyBudgets {
  /** As far back as usage is kept. */
  budget?: ModelBudget
  /** On a day (UTC). */
  dayBudget?: ModelBudget
}

export interface MetersOptions {
  usageLog: UsageLog
  /** By "provider/model". */
  prices: ReadonlyMap<string, ModelPrice>
  /** Of every session. */
  sessionBudget: ModelBudget
  /** Of every tenant's day (UTC). */
  dayBudget: ModelBudget
  budgetsOfKey(keyId: string): KeyBudgets
  /** Whether anybody may raise what the tenant's keys may use, and what it may use on a day. */
  isRaisable(tenant: string): boolean
  holdRoom: HoldRoom
  /** For how long a run that has not come through to a provider calls again, milliseconds. */
  patienceMs: number
  log: Log
  /** Milliseconds since the epoch. */
  now(): number
}
