import { FencedError, type CancelReceipt, type RunRow, type Store } from '@opencode-gateway/contracts'
import type { Dispatcher } from './queue/dispatcher.ts'
import { decideComplete } from './run/verdict.ts'

export interface CancelDeps {
  store: Store
  dispatcher: Dispatcher
}

const emptyReceipt: CancelReceipt = { aborted_sessions: 0, killed: 0, quiet_after_ms: 0, escalated: false }

/** Ends one open run. Undefined when it had ended by itself, a receipt when it was stopped. */
export async function cancelRun(run: RunRow, deps: CancelDeps): Promise<CancelReceipt | undefined> {
  const { store, dispatcher } = deps
  for (;;) {
    const driven = dispatcher.find(run.runId)
    if (driven) return (await driven.stop({ kind: 'cancel' })) ?? emptyReceipt
    const now = await store.getRun(run.runId)
    if (!now || now.complete) return undefined
    try {
      await endQueued(now, store)
      return emptyReceipt
    } catch (error) {
      // Claimed meanwhile: then the dispatcher has it, or has ended it.
      if (!(error instanceof FencedError)) throw error
    }
  }
}

async function endQueued(run: RunRow, store: Store): Promise<void> {
  const endedAt = Date.now()
  const complete = decideComplete({
    ending: { kind: 'stopped' },
    stop: { kind: 'cancel' },
    receipt: emptyReceipt,
    limits: { ...run.limits, startMs: 0 },
    prompted: false,
    filesModified: [],
    timings: { queued_ms: endedAt - run.createdAt, total_ms: endedAt - run.createdAt },
  })
  await store.append(
    { sessionId: run.sessionId, runId: run.runId, epoch: run.epoch },
    [{ type: 'complete', data: complete }],
    endedAt,
    { state: 'cancelled', endedAt, complete },
  )
}

/** One receipt for several runs. */
export function addReceipts(receipts: readonly CancelReceipt[]): CancelReceipt {
  return {
    aborted_sessions: receipts.reduce((sum, one) => sum + one.aborted_sessions, 0),
    killed: receipts.reduce((sum, one) => sum + one.killed, 0),
    ...latestQuiet(receipts),
    escalated: receipts.some((one) => one.escalated),
  }
}

function latestQuiet(receipts: readonly CancelReceipt[]): Pick<CancelReceipt, 'quiet_after_ms'> {
  const times = receipts.map((one) => one.quiet_after_ms)
  return times.includes(undefined) ? {} : { quiet_after_ms: Math.max(0, ...times.filter((one) => one !== undefined)) }
}
