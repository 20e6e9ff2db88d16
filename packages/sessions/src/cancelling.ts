import type { CancelReceipt, RunRow, SessionRow, Store } from '@opencode-gateway/contracts'
import { addReceipts, cancelRun } from './cancel.ts'
import type { Dispatcher } from './queue/dispatcher.ts'
import type { Doorbell } from './waiting/doorbell.ts'
import { latestRuns } from './latest-runs.ts'
import type { CancelResult } from './types.ts'

/** Cancels runs of a session; settles when they have ended. */
export interface Cancelling {
  /** All that are open, or `runId` alone. */
  all(session: SessionRow, runId?: string): Promise<CancelResult>
  /** Those that were taken in before `run`. */
  before(session: SessionRow, run: RunRow): Promise<void>
}

export interface CancellingOptions {
  store: Store
  dispatcher: Dispatcher
  /** By session: its log has grown. */
  doorbell: Doorbell
  /** By run: it has ended. */
  endBell: Doorbell
  /** A run has ended that had not begun. */
  onEnded(run: RunRow): void
}

export function createCancelling({ store, dispatcher, doorbell, endBell, onEnded }: CancellingOptions): Cancelling {
  async function all(session: SessionRow, runId?: string): Promise<CancelResult> {
    const open = await store.requestCancel(session.sessionId, Date.now(), runId)
    const receipts: CancelReceipt[] = []
    const cancelledRuns: string[] = []
    // The newest first: a queued run must not take the slot that the current one gives up.
    for (const run of open.toReversed()) {
      const receipt = await cancelRun(run, { store, dispatcher })
      if (receipt) receipts.push(receipt)
      const ended = await store.getRun(run.runId)
      if (ended?.complete) onEnded(ended)
      if (ended?.state === 'cancelled') cancelledRuns.push(run.runId)
      endBell.ring(run.runId)
    }
    doorbell.ring(session.sessionId)
    return {
      session: (await store.getSession(session.sessionId)) ?? session,
      cancelledRuns: cancelledRuns.toReversed(),
      receipt: addReceipts(receipts),
    }
  }

  async function before(session: SessionRow, run: RunRow): Promise<void> {
    const runs = await latestRuns(store, session)
    const at = runs.findIndex(({ runId }) => runId === run.runId)
    // Runs that were added after it stay: of two that interrupt at the same time, the newer one runs.
    for (const { runId, complete } of runs.slice(0, Math.max(0, at))) if (!complete) await all(session, runId)
  }

  return { all, before }
}
