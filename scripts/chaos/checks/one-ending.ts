import type { EventFrame } from '@opencode-gateway/contracts'
import { fieldOf, type SessionFacts } from '../facts.ts'
import type { Check } from './check.ts'

/** Exactly one `complete` per run, its last event, and the run's state says the same. */
export const oneEnding: Check<SessionFacts> = {
  name: 'every run ends once',
  complaints: ({ sessionId, runs, log }) =>
    runs.flatMap(({ run_id, state }) => {
      const events = log.filter(({ data }) => data.run_id === run_id)
      const problem = problemOf(events, state)
      return problem === undefined ? [] : [`run ${run_id} of session ${sessionId} ${problem}`]
    }),
}

function problemOf(events: readonly EventFrame[], state: string): string | undefined {
  const endings = events.filter(({ event }) => event === 'complete')
  const [ending] = endings
  if (!ending) return `has not ended, it is ${state}`
  if (endings.length > 1) return `has ${endings.length} endings`
  const last = events.at(-1)
  if (last !== ending) return `has a "${last?.event}" event after its ending`
  const outcome = fieldOf(ending, 'outcome')
  return outcome === state ? undefined : `is ${state} and its ending says ${String(outcome)}`
}
