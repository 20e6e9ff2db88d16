import { noTotals, type ModelBudget, type ModelRun, type UsageOf } from '@opencode-gateway/contracts'
import { createAccount, type Account } from './account.ts'
import type { Spending } from './budget.ts'
import type { MetersOptions } from './meters.ts'

/** The accounts that runs share: of their tenants on a day, and of the keys that ordered them. */
export interface Ledger {
  /** What is stored is read once, and from then on added to here. Before `of`. */
  load(run: ModelRun): Promise<void>
  /** Of this moment: with the day another account begins. The run works on account of them until it leaves them. */
  of(run: ModelRun): readonly Spending[]
}

interface Shared {
  name: string
  of: string
  budget: ModelBudget
  /** Undefined for one that has no end. */
  day: string | undefined
  stored: UsageOf
}

export const hasLimit = (budget: ModelBudget | undefined): budget is ModelBudget =>
  budget !== undefined && Object.keys(budget).length > 0

export function createLedger({ usageLog, dayBudget, budgetsOfKey, now }: MetersOptions): Ledger {
  /** One for each tenant and two for each key, at most. */
  const accounts = new Map<string, { day: string | undefined; account: Account }>()

  function sharedBy({ tenant, keyId = '' }: ModelRun): readonly Shared[] {
    const day = new Date(now()).toISOString().slice(0, 10)
    const ofKey = keyId === '' ? {} : budgetsOfKey(keyId)
    const name = `API key "${keyId}"`
    const shared = [
      { name: `tenant ${tenant}`, of: 'the API key for this day', budget: dayBudget, day, stored: { tenant, day } },
      { name: `key ${keyId}`, of: `the ${name}`, budget: ofKey.budget, day: undefined, stored: { keyId } },
      { name: `day of ${keyId}`, of: `the ${name} for a day`, budget: ofKey.dayBudget, day, stored: { keyId, day } },
    ]
    return shared.flatMap(({ budget, ...rest }) => (hasLimit(budget) ? [{ ...rest, budget }] : []))
  }

  return {
    async load(run) {
      for (const { name, day, stored } of sharedBy(run)) {
        if (accounts.get(name)?.day === day && accounts.has(name)) continue
        const account = createAccount(await usageLog.sumUsage(stored), now)
        // Another run may have read it meanwhile, and spent.
        if (accounts.get(name)?.day !== day || !accounts.has(name)) accounts.set(name, { day, account })
      }
    },
    of: (run) =>
      sharedBy(run).map(({ name, of, budget, day }) => {
        let found = accounts.get(name)
        if (found?.day !== day || found === undefined) {
          found = { day, account: createAccount(noTotals, now) }
          accounts.set(name, found)
        }
        found.account.enter(run.runId)
        return { of, budget, account: found.account }
      }),
  }
}
