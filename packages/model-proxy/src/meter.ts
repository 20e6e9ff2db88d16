import {
  noTotals,
  type ModelRun,
  type ModelStop,
  type ModelUsageTotals,
  type ReachedLimit,
  type Usage,
} from '@opencode-gateway/contracts'
import type { Account } from './account.ts'
import { overBudget, type OverBudget, type Spending } from './budget.ts'
import { createCall, type MeteredCall } from './metered-call.ts'
import type { MetersOptions } from './meters.ts'
import type { Refusal } from './refusal.ts'
import type { CallShape } from './shape-call.ts'
import { toUsage } from './totals.ts'

/** What one run uses of models, and whether it may go on. */
export interface Meter {
  usage(): Usage | undefined
  /** What the run asks of its models; undefined when nothing. */
  readonly shape: CallShape | undefined
  /**
   * Begins a call, if the run may call this model once more; at a limit that may be raised it waits until that is
   * decided. `left`: the engine has gone meanwhile.
   */
  admit(call: AdmittedCall): Promise<MeteredCall | { refused: Refusal; message?: string } | 'left'>
  /** From now on the run has this budget; what waited for it goes on. */
  raise(budget: ModelRun['budget']): void
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

export interface MeterOptions extends Pick<MetersOptions, 'usageLog' | 'prices' | 'log' | 'now' | 'holdRoom'> {
  run: ModelRun
  /** That came with the request of the run. */
  key: string | undefined
  onStop(why: ModelStop): void
  onLimit: ((reached: ReachedLimit) => void) | undefined
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
    const day = new Date(options.now()).toISOString().slice(0, 10)
    const written = usageLog
      .addUsage({ ...totals, day, tenant, keyId, sessionId, runId, model: of })
      .catch((err: unknown) => log.error({ err, runId, model: of, totals }, 'what a model was used for is not stored'))
      .finally(() => writing.delete(written))
    writing.add(written)
  }

  function limitOf(of: string): (OverBudget & { ofRun: boolean }) | undefined {
    const call = { model: of, priced: prices.has(of) }
    for (const spending of others()) {
      const over = overBudget(spending, call)
      if (over) return { ...over, ofRun: false }
    }
    const over = overBudget({ of: 'the run', budget, account: ofRun }, call)
    return over && { ...over, ofRun: true }
  }

  function canBeRaised(limit: ReachedLimit['limit']): boolean {
    const { raisableTo } = run
    return raisableTo !== undefined && (raisableTo[limit] ?? Number.POSITIVE_INFINITY) > (budget[limit] ?? 0)
  }

  function decide(): void {
    asked = false
    decided.resolve()
    decided = Promise.withResolvers()
  }

  /** Settles when the limit was decided upon, or the engine has gone; false when no more calls may wait. */
  async function wait({ requestBytes, gone }: AdmittedCall, reached: ReachedLimit): Promise<boolean> {
    if (held >= MAX_HELD) return false
    using room = options.holdRoom.take(requestBytes)
    if (!room) return false
    held += 1
    const left = Promise.withResolvers<void>()
    const onGone = (): void => left.resolve()
    gone.addEventListener('abort', onGone, { once: true })
    const decision = decided.promise
    if (!asked) {
      asked = true
      options.onLimit?.(reached)
    }
    try {
      if (!gone.aborted) await Promise.race([decision, left.promise])
      return true
    } finally {
      gone.removeEventListener('abort', onGone)
      held -= 1
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
    stop,
    usage: () => (ofRun.spent().calls === 0 ? undefined : toUsage(ofRun.spent(), model)),
    async admit(call) {
      for (let waited = false; ; waited = true) {
        // Whoever has waited did nothing wrong.
        if (ended) return { refused: waited ? 'budget' : 'no_run' }
        const over = limitOf(call.model)
        if (!over) return begin(call)
        const { why, limit, used = 0 } = over
        if (stopped || !over.ofRun || limit === undefined || !canBeRaised(limit)) {
          stop({ code: 'BUDGET_EXCEEDED', message: why })
          return { refused: 'budget', message: why }
        }
        if (!(await wait(call, { message: why, limit, used, budget }))) return { refused: 'held' }
        if (call.gone.aborted) return 'left'
      }
    },
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
