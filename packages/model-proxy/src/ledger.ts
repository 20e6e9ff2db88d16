import {
  noTotals,
  utcDay,
  type ModelBudget,
  type ModelRun,
  type SharedBudget,
  type SharedOwner,
  type UsageOf,
} from '@opencode-gateway/contracts'
import { createAccount, type Account } from './account.ts'
import type { Spending } from './budget.ts'
import type { MetersOptions } from './meters-options.ts'
import { createRaisedBudget } from './raised-budget.ts'

/** The accounts that runs share: of their tenants on a day, and of the keys that ordered them. */
export interface Ledger {
  /** What is stored is read once, and from then on added to here. Before `of`. */
  load(run: ModelRun): Promise<void>
  /** Of this moment: with the day another account begins. The run works on account of them until it leaves them. */
  of(run: ModelRun): readonly Spending[]
  /** Undefined where there is no such limit, and for a day that is over. */
  shared(run: ModelRun, owner: SharedOwner, day: string | undefined): SharedBudget | undefined
}

interface Kind {
  owner: SharedOwner
  /** Of the key or the tenant. */
  id: string
  of: string
  configured: ModelBudget
  /** Undefined for one that has no end. */
  day: string | undefined
  stored: UsageOf
}

interface Entry {
  day: string | undefined
  account: Account
  budget: SharedBudget
}

export const hasLimit = (budget: ModelBudget | undefined): budget is ModelBudget =>
  budget !== undefined && Object.keys(budget).length > 0

/** `onRaised`: a budget is another one from now on. */
export function createLedger({ usageLog, dayBudget, budgetsOfKey, now }: MetersOptions, onRaised: () => void): Ledger {
  /** One for each tenant and two for each key, at most. */
  const entries = new Map<string, Entry>()

  function kindsOf({ tenant, keyId = '' }: ModelRun): readonly Kind[] {
    const day = utcDay(now())
    const ofKey = keyId === '' ? {} : budgetsOfKey(keyId)
    const name = `API key "${keyId}"`
    const kinds = [
      { id: tenant, owner: 'day', of: 'the tenant for this day', set: dayBudget, day, stored: { tenant, day } },
      { id: keyId, owner: 'key', of: `the ${name}`, set: ofKey.budget, day: undefined, stored: { keyId } },
      { id: keyId, owner: 'key_day', of: `the ${name} for a day`, set: ofKey.dayBudget, day, stored: { keyId, day } },
    ] as const
    return kinds.flatMap(({ set, ...kind }) => (hasLimit(set) ? [{ ...kind, configured: set }] : []))
  }

  const nameOf = ({ owner, id }: Kind): string => `${owner} ${id}`

  const find = (kind: Kind): Entry | undefined => {
    const entry = entries.get(nameOf(kind))
    return entry?.day === kind.day ? entry : undefined
  }

  function enter(kind: Kind, account: Account, stored: Parameters<typeof createRaisedBudget>[0]['stored']): Entry {
    const { owner, id, day, configured } = kind
    const budget = createRaisedBudget({ owner, id, day: day ?? '', configured, stored, onRaised })
    const entry = { day, account, budget }
    entries.set(nameOf(kind), entry)
    return entry
  }

  return {
    async load(run) {
      for (const kind of kindsOf(run)) {
        if (find(kind)) continue
        const [spent, raised] = await Promise.all([usageLog.sumUsage(kind.stored), usageLog.listRaised(kind)])
        // Another run may have read it meanwhile, and spent.
        if (!find(kind)) enter(kind, createAccount(spent, now), raised)
      }
    },
    of: (run) =>
      kindsOf(run).map((kind) => {
        const { owner, of, day } = kind
        const { account, budget } = find(kind) ?? enter(kind, createAccount(noTotals, now), [])
        account.enter(run.runId)
        return { owner, day, of, budget: budget.budget(), account }
      }),
    shared(run, owner, day) {
      const kind = kindsOf(run).find((kind) => kind.owner === owner && kind.day === day)
      return kind && find(kind)?.budget
    },
  }
}
