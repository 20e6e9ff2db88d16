import type { EventFrame } from '@opencode-gateway/contracts'
import type { EndedOrder } from '../../chaos/checks/outcome.ts'
import type { OrderFacts, SessionFacts } from '../../chaos/facts.ts'

/** Facts of a sound order and a sound session, to be broken by a test in one place. */
export const soundOrder: OrderFacts = {
  marker: 'm1',
  kind: 'command',
  sessionId: 's1',
  runId: 'r1',
  lastTurn: 1,
  ending: 'end of m1',
  calls: [
    { prompt: 'm1', turn: 0, state: 'answered', at: 1 },
    { prompt: 'm1', turn: 1, state: 'answered', at: 2 },
  ],
  effects: 1,
}

export function frame(id: number, event: EventFrame['event'], data: object = {}, atMs = id): EventFrame {
  return { id, event, data: { ...data, run_id: 'r1', timestamp: new Date(atMs).toISOString() } }
}

export const soundLog: readonly EventFrame[] = [
  frame(1, 'status', { status: 'pending' }),
  frame(2, 'status', { status: 'running' }),
  frame(3, 'output', { type: 'text', text: 'end of m1' }),
  frame(4, 'complete', { outcome: 'completed', final_message: 'end of m1' }),
]

export function receivedOf(log: readonly EventFrame[]): SessionFacts['received'] {
  return log.map(({ id, event, data }) => ({ id, event, data: JSON.stringify(data) }))
}

export const soundSession: SessionFacts = {
  sessionId: 's1',
  orders: [soundOrder],
  log: soundLog,
  runs: [{ run_id: 'r1', state: 'completed' }],
  received: receivedOf(soundLog),
}

export const soundEnding: EndedOrder = {
  ...soundOrder,
  ended: { outcome: 'completed', finalMessage: 'it is the end of m1', error: undefined, at: 4 },
}
