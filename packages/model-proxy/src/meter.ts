import {
  noTotals,
  utcDay,
  type BudgetOwner,
  type ModelRun,
  type ModelStop,
  type ModelUsageTotals,
  type ReachedLimit,
  type Usage,
} from '@opencode-gateway/contracts'
import type { Account } from './account.ts'
import { overBudget, type OverBudget, type Spending } from './budget.ts'
import { createCall, type MeteredCall } from './metered-call.ts'
import type { MetersOptions } from './meters-options.ts'
import { createReach, type Reach } from './reach.ts'
import type { Refusal } from './refusal.ts'
import type { CallShape } from './shape-call.ts'
import { toUsage } from './totals.ts'

/** What one run uses of models, and whether it may go on. */
export interface Meter {
  usage(): Usage | undefined
  /** What the run asks of its models; undefined when nothing. */
  readonly shape: CallShape | undefined
  readonly reach: Reach
  /**
   * Begins a call, if the run may call this model once more; at a limit that may be raised it waits until that is
   * decided. `left`: the engine has gone meanwhile.
   */
  admit(call: AdmittedCall): Promise<MeteredCall | { refused: Refusal; message?: string } | 'left'>
  /** From now on the run has this budget; what waited for it goes on. */
  raise(budget: ModelRun['budget']): void
  /** A budget that it shares may be another one: what waited for that goes on. */
  look(): void
  /** The run cannot come to a good end. */
  stop(why: ModelStop): void
  end(): Promise<void>
}

export interface AdmittedCall {
  model: string
  requestBytes: number
  /** Aborted when the engine has gone. */
  gone: AbortSignal
  /** Breaks the call off, once it has begun. */
  abort(): void
}

export interface MeterOptions extends Pick<
  MetersOptions,
  'usageLog' | 'prices' | 'log' | 'now' | 'holdRoom' | 'isRaisable' | 'patienceMs'
> {
  run: ModelRun
  /** That came with the request of the run. */
  key: string | undefined
  onStop(why: ModelStop): void
  onLimit: ((reached?: ReachedLimit) => void) | undefined
  ofRun: Account
  /** All other budgets that the run is under, now. */
  others(): readonly Spending[]
}

/** Calls of one run that may wait at once; sub-agents call at the same time. */
const MAX_HELD = 32

export function createMeter(options: MeterOptions): Meter {
  const { run, usageLog, prices, log, ofRun, others } = options
  let { budget } = run
  let model: string | undefined
  let stopped = false
  let ended = false
  /** Calls wait, and whoever decides has been told. */
  let asked = false
  let held = 0
  let decided = Promise.withResolvers<void>()
  const startedAt = options.now()
  const open = new Map<() => void, Promise<void>>()
  const writing = new Set<Promise<void>>()
  for (const { account } of others()) account.enter(run.runId)
  ofRun.enter(run.runId)

  const accounts = (): readonly Account[] => [ofRun, ...others().map(({ account }) => account)]

  const stop = (why: ModelStop): void => {
    if (stopped) return
    stopped = true
    options.onStop(why)
  }

  const store = (of: string, totals: ModelUsageTotals): void => {
    const { tenant, sessionId, runId, keyId = '' } = run
    const day = utcDay(options.now())
    const written = usageLog
      .addUsage({ ...totals, day, tenant, keyId, sessionId, runId, model: of })
      .catch((err: unknown) => log.error({ err, runId, model: of, totals }, 'what a model was used for is not stored'))
      .finally(() => writing.delete(written))
    writing.add(written)
  }

  function limitOf(of: string): (OverBudget & Pick<Spending, 'owner' | 'day' | 'budget'>) | undefined {
    const call = { model: of, priced: prices.has(of) }
    const own: Spending = { owner: 'run', of: 'the run', budget, account: ofRun }
    for (const spending of [...others(), own]) {
      const over = overBudget(spending, call)
      if (over) return { ...over, owner: spending.owner, day: spending.day, budget: spending.budget }
    }
    return undefined
  }

  function canBeRaised(owner: BudgetOwner, limit: ReachedLimit['limit']): boolean {
    const { raisableTo, tenant } = run
    if (raisableTo === undefined) return false
    if (owner === 'session') return true
    if (owner !== 'run') return options.isRaisable(tenant)
    return (raisableTo[limit] ?? Number.POSITIVE_INFINITY) > (budget[limit] ?? 0)
  }

  function decide(): void {
    asked = false
    decided.resolve()
    decided = Promise.withResolvers()
  }

  /** A place among the calls that wait; undefined when no more may. */
  function hold(requestBytes: number): Disposable | undefined {
    if (held >= MAX_HELD) return undefined
    const room = options.holdRoom.take(requestBytes)
    if (!room) return undefined
    held += 1
    return {
      [Symbol.dispose]() {
        held -= 1
        room[Symbol.dispose]()
      },
    }
  }

  /** Settles when the limit was decided upon, or the engine has gone. */
  async function decision({ gone }: AdmittedCall, reached: ReachedLimit): Promise<void> {
    const left = Promise.withResolvers<void>()
    const onGone = (): void => left.resolve()
    gone.addEventListener('abort', onGone, { once: true })
    const { promise } = decided
    if (!asked) {
      asked = true
      options.onLimit?.(reached)
    }
    try {
      if (!gone.aborted) await Promise.race([promise, left.promise])
    } finally {
      gone.removeEventListener('abort', onGone)
    }
  }

  function begin({ model: of, requestBytes, abort }: AdmittedCall): MeteredCall {
    for (const account of accounts()) account.begin()
    const over = Promise.withResolvers<void>()
    open.set(abort, over.promise)
    return createCall({ requestBytes, price: prices.get(of) }, (totals) => {
      open.delete(abort)
      over.resolve()
      if (!totals) return
      model = of
      for (const account of accounts()) account.add(totals)
      store(of, totals)
    })
  }

  return {
    shape: run.options && { options: run.options, key: options.key },
    reach: createReach(options),
    stop,
    usage: () => (ofRun.spent().calls === 0 ? undefined : toUsage(ofRun.spent(), model)),
    async admit(call) {
      using places = new DisposableStack()
      for (let waited = false; ; waited = true) {
        // Whoever has waited did nothing wrong.
        if (ended) return { refused: waited ? 'budget' : 'no_run' }
        const over = limitOf(call.model)
        if (!over) {
          if (waited && held === 1) options.onLimit?.()
          return begin(call)
        }
        const { why, limit, used = 0, owner, day } = over
        if (stopped || limit === undefined || !canBeRaised(owner, limit)) {
          stop({ code: 'BUDGET_EXCEEDED', message: why })
          return { refused: 'budget', message: why }
        }
        const place = waited ? undefined : hold(call.requestBytes)
        if (!waited && !place) return { refused: 'held' }
        if (place) places.use(place)
        const reached = { of: owner, message: why, limit, used, budget: over.budget }
        await decision(call, day === undefined ? reached : { ...reached, day })
        if (call.gone.aborted) return 'left'
      }
    },
    look: decide,
    raise(to) {
      budget = to
      decide()
    },
    async end() {
      stopped = true
      ended = true
      decide()
      for (const abort of open.keys()) abort()
      await Promise.all(open.values())
      const wallMs = Math.max(0, Math.round(options.now() - startedAt))
      for (const account of accounts()) account.leave(run.runId)
      store(model ?? '', { ...noTotals, wallMs })
      await Promise.all(writing)
    },
  }
}
