import type { Outcome } from '@opencode-gateway/contracts'
import { acknowledgedIsThere } from '../checks/acknowledged.ts'
import { denseLog } from '../checks/dense-log.ts'
import { effectsOnce } from '../checks/effects-once.ts'
import { oneEnding } from '../checks/one-ending.ts'
import { oneRunPerKey } from '../checks/one-per-key.ts'
import { endedOrders } from '../checks/outcome.ts'
import { sentOnce } from '../checks/sent-once.ts'
import { survives } from '../checks/survived.ts'
import { transcriptIsLog } from '../checks/transcript.ts'
import { trueOutcome } from '../checks/true-outcome.ts'
import type { SessionFacts } from '../facts.ts'
import type { Ledger } from '../ledger.ts'

export interface ExamineOptions {
  ledger: Ledger
  where: string
  /** Outcomes besides `completed` that can be true here. */
  others: readonly Outcome[]
  engineSurvives: boolean
}

/** Holds everything that is known of the sessions against what must be true of sessions. */
export function examine(sessions: readonly SessionFacts[], options: ExamineOptions): void {
  const { ledger, where, others, engineSurvives } = options
  for (const check of [acknowledgedIsThere, oneRunPerKey, denseLog, transcriptIsLog, oneEnding]) {
    ledger.check(check, sessions, where)
  }
  const orders = sessions.flatMap((session) => session.orders)
  ledger.check(sentOnce, orders, where)
  ledger.check(
    effectsOnce,
    orders.filter(({ effects }) => effects !== undefined),
    where,
  )
  const ended = sessions.flatMap(endedOrders)
  ledger.check(trueOutcome(others), ended, where)
  if (engineSurvives) ledger.check(survives, ended, where)
}
