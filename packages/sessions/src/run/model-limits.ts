import type { AgentEventBody } from '@opencode-gateway/contracts'
import type { Stop } from './ending.ts'

/**
 * Whether an event shows that the model is used in a way that cannot end well: called more often than a run may, or
 * told to wait longer than the run has left.
 */
export function modelTrouble(
  event: AgentEventBody,
  limits: { maxModelCalls: number; remainingMs: number },
  now: number,
): Stop | undefined {
  if (event.type === 'usage' && event.data.model_calls > limits.maxModelCalls) {
    return { kind: 'model_loop', calls: event.data.model_calls, limit: limits.maxModelCalls }
  }
  if (event.type === 'retry') {
    const waitMs = Date.parse(event.data.next_at) - now
    if (waitMs > limits.remainingMs) return { kind: 'provider_wait', waitMs, message: event.data.message }
  }
  return undefined
}
