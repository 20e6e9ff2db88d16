import { GatewayError, noTotals } from '@opencode-gateway/contracts'
import type { ModelRun, ModelStop, ReachedLimit, RunModels } from '@opencode-gateway/contracts'
import { createAccount } from './account.ts'
import { createExpected, type Expected } from './expected.ts'
import { createKeyRing } from './key-ring.ts'
import { createLedger, hasLimit } from './ledger.ts'
import { createMeter, type Meter } from './meter.ts'
import type { MetersOptions } from './meters-options.ts'
import { createRaisedBudget } from './raised-budget.ts'

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
