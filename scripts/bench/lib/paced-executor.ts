import { setTimeout as sleep } from 'node:timers/promises'
import type { AgentEvent, AgentSession, CallContext, Executor, RunOutcome } from '@opencode-gateway/contracts'
import { createFakeExecutor } from '@opencode-gateway/executor-testing/fake'

/** What a prompt for the paced executor says, as JSON. */
export interface Pace {
  events: number
  perSecond: number
}

/**
 * The fake executor, except that a run yields events at a steady rate. Each carries when it was yielded, as `Date.now()`
 * with fractions, and is of a kind that is never merged with its neighbours.
 */
export function createPacedExecutor(): Executor {
  const fake = createFakeExecutor()
  const pacedSession = (session: AgentSession): AgentSession => ({
    ...session,
    run: (input, ctx) =>
      input.kind === 'prompt' ? pacedRun(JSON.parse(input.prompt) as Pace, ctx) : session.run(input, ctx),
  })
  return {
    ...fake,
    open: async (spec, ctx) => pacedSession(await fake.open(spec, ctx)),
    async attach(ref, ctx) {
      const session = await fake.attach(ref, ctx)
      return session && pacedSession(session)
    },
  }
}

async function* pacedRun({ events, perSecond }: Pace, { signal }: CallContext): AsyncGenerator<AgentEvent> {
  const startedAt = performance.now()
  for (let sent = 0; sent < events && !signal.aborted;) {
    const due = Math.min(events, Math.floor(((performance.now() - startedAt) * perSecond) / 1000))
    for (; sent < due; sent += 1) yield paced(sent)
    await sleep(1)
  }
  yield { type: 'outcome', outcome: signal.aborted ? { ...outcome, status: 'cancelled' } : outcome }
}

function paced(index: number): AgentEvent {
  const content = `${performance.timeOrigin + performance.now()}`
  return { type: 'todo', data: { todos: [{ content, status: 'pending', id: String(index) }] } }
}

const outcome: RunOutcome = {
  status: 'completed',
  finalMessage: '',
  usage: {
    tokens: { input: 0, output: 0, reasoning: 0, cache_read: 0, cache_write: 0 },
    cost_usd: null,
    model_calls: 0,
  },
  evidence: { checks: [], checked_at: new Date(0).toISOString() },
}
