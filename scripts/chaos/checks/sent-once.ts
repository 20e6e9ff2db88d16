import type { OrderFacts } from '../facts.ts'
import type { Check } from './check.ts'

/** A prompt that reached the model is never begun a second time. */
export const sentOnce: Check<OrderFacts> = {
  name: 'no prompt begins twice',
  complaints({ runId, kind, calls }) {
    const begun = calls.filter(({ turn }) => turn === 0)
    return begun.length <= 1 ? [] : [`the prompt of run ${runId} (${kind}) was begun ${begun.length} times`]
  },
}
