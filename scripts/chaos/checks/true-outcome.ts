import type { Outcome } from '@opencode-gateway/contracts'
import type { Check } from './check.ts'
import type { EndedOrder } from './outcome.ts'

/**
 * `completed` only with the whole answer, and when the model said its last word; else one of the other outcomes allowed.
 * Where a run may be interrupted, one whose engine was gone before it had the prompt may also have failed for that.
 */
export function trueOutcome(others: readonly Outcome[]): Check<EndedOrder> {
  return {
    name: `an outcome is true: completed${others.map((outcome) => `, ${outcome}`).join('')}`,
    complaints({ runId, kind, lastTurn, ending, calls, effects, ended }) {
      const { outcome, error, finalMessage } = ended
      const run = `run ${runId} (${kind})`
      if (outcome !== 'completed') {
        const hadNoEngine = outcome === 'failed' && error?.code === 'EXECUTOR_UNAVAILABLE'
        const mayHaveFailed = others.includes('interrupted') && hadNoEngine && calls.length === 0 && !effects
        return others.includes(outcome) || mayHaveFailed
          ? []
          : [`${run} is ${outcome}: ${error?.code} ${error?.message}`]
      }
      if (lastTurn !== undefined && !calls.some(({ turn, state }) => turn === lastTurn && state === 'answered')) {
        const seen = calls.map(({ turn, state }) => `${turn} ${state}`).join(', ')
        return [`${run} is completed, but the model did not finish turn ${lastTurn}; its turns: ${seen || 'none'}`]
      }
      if (!finalMessage.includes(ending)) return [`${run} is completed and its answer lacks the end: ${finalMessage}`]
      return effects === 0 ? [`${run} is completed and its command left no trace`] : []
    },
  }
}
