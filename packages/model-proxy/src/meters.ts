import { GatewayError, noTotals } from '@opencode-gateway/contracts'
import type {
  Log,
  ModelBudget,
  ModelRun,
  ModelStop,
  ReachedLimit,
  RunModels,
  UsageLog,
} from '@opencode-gateway/contracts'
import { createAccount } from './account.ts'
import { createExpected, type Expected } from './expected.ts'
import type { HoldRoom } from './hold-room.ts'
import { createKeyRing } from './key-ring.ts'
import { createLedger, hasLimit } from './ledger.ts'
import { createMeter, type Meter } from './meter.ts'
import { createRaisedBudget } from './raised-budget.ts'
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

/** The runs that may call models now. */
export interface Meters extends RunModels, Pick<Expected, 'coming'> {
  of(sessionId: string): Meter | undefined
}

export function createMeters(options: MetersOptions): Meters {
  const { usageLog, sessionBudget, now } = options
  const keys = createKeyRing()
  const expected = createExpected()
  const meters = new Map<string, Meter>()
  const onRaised = (): void => {
    for (const meter of meters.values()) meter.look()
  }
  const ledger = createLedger(options, onRaised)

  return {
    keys,
    of: (sessionId) => meters.get(sessionId),
    expect: expected.expect,
    coming: expected.coming,
    async begin(run: ModelRun, onStop: (why: ModelStop) => void, onLimit?: (reached?: ReachedLimit) => void) {
      const { runId, sessionId } = run
      const key = run.options?.keyed ? keys.of(run) : undefined
      if (run.options?.keyed && key === undefined) throw keyGone()
      const owned = { owner: 'session', id: sessionId } as const
      const limited = hasLimit(sessionBudget)
      const [ofRun, ofSession, stored] = await Promise.all([
        run.resumed ? usageLog.sumUsage({ runId }) : noTotals,
        limited ? usageLog.sumUsage({ sessionId }) : noTotals,
        limited ? usageLog.listRaised(owned) : [],
        ledger.load(run),
      ])
      const session = createRaisedBudget({ ...owned, day: '', configured: sessionBudget, stored, onRaised })
      const account = createAccount(ofSession, now)
      const ofItsSession = () => ({ ...owned, of: 'the session', budget: session.budget(), account })
      const meter = createMeter({
        ...options,
        run,
        key,
        onStop,
        onLimit,
        ofRun: createAccount(ofRun, now),
        others: () => [ofItsSession(), ...ledger.of(run)],
      })
      meters.set(sessionId, meter)
      expected.arrived(sessionId)
      return {
        usage: meter.usage,
        raise: meter.raise,
        shared(owner, day) {
          if (owner !== 'session') return ledger.shared(run, owner, day)
          return limited ? session : undefined
        },
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
