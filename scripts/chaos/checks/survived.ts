import type { Check } from './check.ts'
import type { EndedOrder } from './outcome.ts'

/** Where the engine lives on, a run that had reached it goes on to its end. */
export const survives: Check<EndedOrder> = {
  name: 'what the engine has goes on to its end',
  complaints({ runId, kind, calls, effects = 0, ended: { outcome, error } }) {
    if (outcome === 'completed' || (calls.length === 0 && effects === 0)) return []
    return [`run ${runId} (${kind}) had been begun and is ${outcome}: ${error?.message}`]
  },
}
