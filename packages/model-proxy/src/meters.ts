import { GatewayError } from '@opencode-gateway/contracts'
import type {
  Log,
  ModelBudget,
  ModelRun,
  ModelStop,
  ModelUsageTotals,
  RunModels,
  UsageLog,
} from '@opencode-gateway/contracts'
import { createKeyRing } from './key-ring.ts'
import { createMeter, type Meter } from './meter.ts'
import type { ModelPrice } from './price.ts'
import { addTotals, noTotals } from './totals.ts'

export interface MetersOptions {
  usageLog: UsageLog
  /** By "provider/model". */
  prices: ReadonlyMap<string, ModelPrice>
  /** Of every session. */
  sessionBudget: ModelBudget
  /** Of every tenant's day (UTC). */
  dayBudget: ModelBudget
  log: Log
  /** Milliseconds since the epoch. */
  now(): number
}

/** The runs that may call models now. */
export interface Meters extends RunModels {
  of(sessionId: string): Meter | undefined
}

/** What a tenant has used on a day. */
export interface DaySpending {
  day: string
  spent: ModelUsageTotals
  begun: number
}

const hasLimit = (budget: ModelBudget): boolean => Object.keys(budget).length > 0

export function createMeters(options: MetersOptions): Meters {
  const { usageLog, sessionBudget, dayBudget, now } = options
  const keys = createKeyRing()
  const meters = new Map<string, Meter>()
  /** By tenant. */
  const days = new Map<string, DaySpending>()

  const today = (): string => new Date(now()).toISOString().slice(0, 10)

  /** What is stored is read once a day and tenant; from then on it is added to here. */
  async function loadDay(tenant: string): Promise<void> {
    const day = today()
    if (!hasLimit(dayBudget) || days.get(tenant)?.day === day) return
    const spent = await usageLog.sumUsage({ tenant, day })
    if (days.get(tenant)?.day !== day) days.set(tenant, { day, spent, begun: spent.calls })
  }

  function dayOf(tenant: string): DaySpending {
    const day = today()
    const found = days.get(tenant)
    if (found?.day === day) return found
    const fresh = { day, spent: noTotals, begun: 0 }
    days.set(tenant, fresh)
    return fresh
  }

  return {
    keys,
    of: (sessionId) => meters.get(sessionId),
    async begin(run: ModelRun, onStop: (why: ModelStop) => void) {
      const { runId, sessionId, tenant } = run
      const key = run.options?.keyed ? keys.of(run) : undefined
      if (run.options?.keyed && key === undefined) throw keyGone()
      const [ofRun, ofSession] = await Promise.all([
        run.resumed ? usageLog.sumUsage({ runId }) : noTotals,
        hasLimit(sessionBudget) ? usageLog.sumUsage({ sessionId }) : noTotals,
        loadDay(tenant),
      ])
      const meter = createMeter({
        ...options,
        run,
        key,
        onStop,
        ofRun,
        ofSession,
        day: () => dayOf(tenant),
        onSpent(totals) {
          const day = dayOf(tenant)
          day.spent = addTotals(day.spent, totals)
        },
      })
      meters.set(sessionId, meter)
      return {
        usage: meter.usage,
        async end() {
          if (meters.get(sessionId) === meter) meters.delete(sessionId)
          await meter.end()
        },
      }
    },
  }
}

function keyGone(): GatewayError {
  const message =
    'The key that came with the request is gone: without ENCRYPTION_KEY it is in memory alone, and the gateway was started again.'
  return new GatewayError('MODEL_AUTH', `${message} Send the prompt again, with its key.`)
}
