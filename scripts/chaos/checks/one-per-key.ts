import type { SessionFacts } from '../facts.ts'
import type { Check } from './check.ts'

/** Every order has its idempotency key and was repeated until it was acknowledged. */
export const oneRunPerKey: Check<SessionFacts> = {
  name: 'one run per idempotency key',
  complaints({ sessionId, orders, runs }) {
    const surplus = runs.filter(({ run_id }) => !orders.some(({ runId }) => runId === run_id))
    const shared = orders.filter(({ runId }, at) => orders.findIndex((other) => other.runId === runId) !== at)
    return [
      ...surplus.map(({ run_id }) => `session ${sessionId} has run ${run_id}, which nobody was told of`),
      ...shared.map(({ runId, marker }) => `order ${marker} was given run ${runId}, which is another order's`),
    ]
  },
}
