import type { AgentEventBody, EventBody } from '@opencode-gateway/contracts'

/**
 * Keeps back what a log already holds of a run, and returns the rest of each event, if any. A log may have merged
 * deltas, so text is counted in characters per part; it may have written its own into calls, results and asks, so
 * these count by their ids; any other event counts as itself.
 */
export function skipLogged(logged: readonly EventBody[]): (event: AgentEventBody) => AgentEventBody | undefined {
  const characters = new Map<string, number>()
  const others = new Map<string, number>()
  for (const event of logged) {
    if (event.type === 'output') add(characters, event.data.part_id, event.data.text.length)
    else add(others, keyOf(event), 1)
  }
  return (event) => {
    if (event.type !== 'output') {
      if (others.size === 0) return event
      return take(others, keyOf(event), 1) === 1 ? undefined : event
    }
    const taken = take(characters, event.data.part_id, event.data.text.length)
    if (taken === 0) return event
    const text = event.data.text.slice(taken)
    return text === '' ? undefined : { type: 'output', data: { ...event.data, text } }
  }
}

function keyOf(event: EventBody): string {
  switch (event.type) {
    case 'tool_call':
    case 'tool_result':
      return `${event.type} ${event.data.call_id}`
    case 'ask':
    case 'ask_resolved':
      return `${event.type} ${event.data.ask_id}`
    default:
      return JSON.stringify(event)
  }
}

function add(counts: Map<string, number>, key: string, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count)
}

function take(counts: Map<string, number>, key: string, wanted: number): number {
  const there = counts.get(key) ?? 0
  const taken = Math.min(there, wanted)
  if (there === taken) counts.delete(key)
  else counts.set(key, there - taken)
  return taken
}
