import type { AgentSession, EventBody, Log, RunRow } from '@opencode-gateway/contracts'
import type { Observe } from '../observation.ts'
import { createAsks, type Asks } from './asks.ts'
import { createBudgetAsk, type BudgetAsk } from './budget-ask.ts'
import type { EventWriter } from './event-writer.ts'
import type { RunMeter } from './run-meter.ts'
import type { RunStop } from './run-stop.ts'

export interface RunAsksOptions {
  run: RunRow
  /** What the log has of the run, when it was found again. */
  history: readonly EventBody[]
  /** The agent, once it can be answered; rejects when the run is over without. */
  engaged: Promise<AgentSession>
  meter: Pick<RunMeter, 'shared' | 'raise'>
  stop: Pick<RunStop, 'request'>
  writer: Pick<EventWriter, 'add' | 'commit'>
  observe: Observe
  /** How long the agent may take to accept an answer, milliseconds. */
  graceMs: number
  log: Log
}

/** Everything that one run asks: its agent what it may do or wants to know, the run itself at a limit of a budget. */
export function createRunAsks(options: RunAsksOptions): { asks: Asks; budgetAsk: BudgetAsk } {
  const { run, history, engaged, meter, stop, writer, observe, graceMs, log } = options
  const asks = createAsks({
    timeoutMs: run.limits.askMs,
    open: run.asks,
    history,
    async deliver(ask, answer, by) {
      // After a restart the asks are known before the session is attached again.
      const session = await engaged
      if ('raise' in answer || 'stop' in answer) return budgetAsk.deliver(ask, answer, by)
      await session.answer(ask.askId, answer, { signal: AbortSignal.timeout(graceMs), log })
    },
    onResolved: (by) => observe({ kind: 'ask', by }),
    onUndeliverable(askId, err) {
      log.warn({ err, askId }, 'the agent did not take the refusal of an ask; the run is ended')
      stop.request({ kind: 'ask_timeout' })
    },
  })
  const budgetAsk = createBudgetAsk({
    run,
    history,
    asks,
    writer,
    log,
    shared: meter.shared,
    onRaised: meter.raise,
    onStopped: (message) => stop.request({ kind: 'model', code: 'BUDGET_EXCEEDED', message }),
  })
  return { asks, budgetAsk }
}
