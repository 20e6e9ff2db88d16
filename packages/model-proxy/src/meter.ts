import type { ModelRun, ModelStop, ModelUsageTotals, Usage } from '@opencode-gateway/contracts'
import { overBudget } from './budget.ts'
import type { ForwardEnd } from './forward.ts'
import type { DaySpending, MetersOptions } from './meters.ts'
import { costOf } from './price.ts'
import type { TokenCount } from './read-usage.ts'
import type { CallShape } from './shape-call.ts'
import { addTotals, totalsOfCall, toUsage } from './totals.ts'

/** What one run uses of models, and whether it may go on. */
export interface Meter {
  usage(): Usage | undefined
  /** What the run asks of its models; undefined when nothing. */
  readonly shape: CallShape | undefined
  /** Undefined when the run may call this model once more; else the run has been told to stop, and why. */
  refusal(model: string): string | undefined
  /** A call begins; `abort` breaks it off. */
  begin(model: string, abort: () => void): MeteredCall
  /** The run cannot come to a good end. */
  stop(why: ModelStop): void
  end(): Promise<void>
}

export interface MeteredCall {
  end(how: ForwardEnd, count: TokenCount | undefined): void
}

export interface MeterOptions extends Pick<
  MetersOptions,
  'usageLog' | 'prices' | 'sessionBudget' | 'dayBudget' | 'log' | 'now'
> {
  run: ModelRun
  /** That came with the request of the run. */
  key: string | undefined
  onStop(why: ModelStop): void
  /** What is stored of the run and of its session. */
  ofRun: ModelUsageTotals
  ofSession: ModelUsageTotals
  day(): DaySpending
  onSpent(totals: ModelUsageTotals): void
}

export function createMeter(options: MeterOptions): Meter {
  const { run, usageLog, prices, log } = options
  let { ofRun, ofSession } = options
  let begun = ofRun.calls
  let begunInSession = ofSession.calls
  let model: string | undefined
  let stopped = false
  const open = new Set<() => void>()
  const writing = new Set<Promise<void>>()

  const stop = (why: ModelStop): void => {
    if (stopped) return
    stopped = true
    options.onStop(why)
  }

  const store = (of: string, totals: ModelUsageTotals): void => {
    const { tenant, sessionId, runId } = run
    const day = new Date(options.now()).toISOString().slice(0, 10)
    const written = usageLog
      .addUsage({ ...totals, day, tenant, sessionId, runId, model: of })
      .catch((err: unknown) => log.error({ err, runId, model: of, totals }, 'what a model was used for is not stored'))
      .finally(() => writing.delete(written))
    writing.add(written)
  }

  return {
    shape: run.options && { options: run.options, key: options.key },
    stop,
    usage: () => (ofRun.calls === 0 ? undefined : toUsage(ofRun, model)),
    refusal(of) {
      const day = options.day()
      const call = { model: of, priced: prices.has(of) }
      const why =
        overBudget({ of: 'the run', budget: run.budget, spent: ofRun, begun }, call) ??
        overBudget(
          { of: 'the session', budget: options.sessionBudget, spent: ofSession, begun: begunInSession },
          call,
        ) ??
        overBudget({ of: 'the API key for this day', budget: options.dayBudget, ...day }, call)
      if (why !== undefined) stop({ code: 'BUDGET_EXCEEDED', message: why })
      return why
    },
    begin(of, abort) {
      begun += 1
      begunInSession += 1
      options.day().begun += 1
      open.add(abort)
      return {
        end(how, count) {
          open.delete(abort)
          const answered = (how.kind === 'answered' || how.kind === 'broken') && how.status < 300
          if (!answered && count === undefined) return
          const totals = totalsOfCall(count, {
            costUsd: count && costOf(count, prices.get(of)),
            whole: how.kind === 'answered',
          })
          model = of
          ofRun = addTotals(ofRun, totals)
          ofSession = addTotals(ofSession, totals)
          options.onSpent(totals)
          store(of, totals)
        },
      }
    },
    async end() {
      stopped = true
      for (const abort of open) abort()
      await Promise.all(writing)
    },
  }
}
