import type { CancelResponse } from '@opencode-gateway/contracts'
import type { CallFacts, ProcessFacts } from '../facts.ts'
import type { Check } from './check.ts'
import type { Ending } from './outcome.ts'

/** A run that was cancelled, right after the receipt came. */
export interface CancelledRun {
  kind: string
  runId: string
  receipt: CancelResponse
  /** As the log has it. */
  ended: Ending | undefined
  /** Calls of the model for this run that were still open. */
  openCalls: readonly CallFacts[]
  /** Processes that worked in its workspace. */
  processes: readonly ProcessFacts[]
  /** Whether there was a process or sub-agent that the receipt has to tell of. */
  hadWork: 'command' | 'model' | 'none'
  /** The engine did not do as it was told: it has to be ended. */
  engineHung: boolean
}

export const receiptIsTrue: Check<CancelledRun> = {
  name: 'the receipt says what was cancelled',
  complaints({ kind, runId, receipt, ended, hadWork, engineHung }) {
    const { cancelled_runs, receipt: told } = receipt
    const complaints: string[] = []
    if (!cancelled_runs.includes(runId)) complaints.push(`the receipt does not name it`)
    if (ended?.outcome !== 'cancelled') complaints.push(`its log says ${ended?.outcome ?? 'nothing of an end'}`)
    if (hadWork !== 'none' && told.aborted_sessions + told.killed === 0) {
      complaints.push(`the receipt tells of nothing that was stopped: ${JSON.stringify(told)}`)
    }
    if (engineHung && (!told.escalated || told.killed === 0)) {
      complaints.push(`the receipt does not tell that the engine was ended: ${JSON.stringify(told)}`)
    }
    if (told.quiet_after_ms === undefined) complaints.push('the receipt does not say that it is quiet')
    return complaints.map((complaint) => `run ${runId} (${kind}): ${complaint}`)
  },
}

export const nothingSurvives: Check<Pick<CancelledRun, 'kind' | 'runId' | 'openCalls' | 'processes'>> = {
  name: 'nothing of it works any more',
  complaints: ({ kind, runId, openCalls, processes }) => [
    ...openCalls.map(({ turn }) => `run ${runId} (${kind}): the call of turn ${turn} is open`),
    ...processes.map(({ pid, command }) => `run ${runId} (${kind}): process ${pid} works: ${command}`),
  ],
}
