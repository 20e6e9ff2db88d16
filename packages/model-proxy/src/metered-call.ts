import type { ModelUsageTotals } from '@opencode-gateway/contracts'
import { estimateCount } from './estimate.ts'
import type { ForwardEnd } from './forward.ts'
import { costOf, type ModelPrice } from './price.ts'
import { totalsOfCall } from './totals.ts'
import type { UsageTap } from './usage-tap.ts'

export interface MeteredCall {
  end(how: ForwardEnd, tap: Pick<UsageTap, 'usage' | 'isFinal' | 'size'>): void
}

/** `onEnd`: what the call adds; undefined when its provider did nothing for it. */
export function createCall(
  { requestBytes, price }: { requestBytes: number; price: ModelPrice | undefined },
  onEnd: (totals: ModelUsageTotals | undefined) => void,
): MeteredCall {
  return {
    end(how, tap) {
      const told = tap.usage()
      const isWhole = how.kind === 'answered'
      const isTaken = isWhole || how.kind === 'broken' || (how.kind === 'left' && how.sent)
      const isRefused = how.kind === 'refused' || how.status >= 300
      if ((!isTaken || isRefused) && told === undefined) return onEnd(undefined)
      // Whoever breaks off every call before it is counted would otherwise never come to the end of a budget.
      const isEstimate = !isWhole && !tap.isFinal()
      const count = isEstimate ? estimateCount(told, { requestBytes, answer: tap.size() }) : told
      onEnd(totalsOfCall(count, { costUsd: count && costOf(count, price), isEstimate }))
    },
  }
}
