import type { SessionFacts } from '../facts.ts'
import type { Check } from './check.ts'

export const acknowledgedIsThere: Check<SessionFacts> = {
  name: 'what was acknowledged is there',
  complaints({ sessionId, orders, runs, log }) {
    const known = new Set(runs.map(({ run_id }) => run_id))
    const lost = orders.filter(({ runId }) => !known.has(runId))
    const unwritten = orders.filter(({ runId }) => !log.some(({ data }) => data.run_id === runId))
    return [
      ...lost.map(({ runId, kind }) => `run ${runId} (${kind}) of session ${sessionId} was acknowledged and is gone`),
      ...unwritten.map(({ runId }) => `the log of session ${sessionId} knows nothing of run ${runId}`),
    ]
  },
}
