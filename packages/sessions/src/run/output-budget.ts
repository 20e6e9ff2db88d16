import type { AgentEventBody } from '@opencode-gateway/contracts'

/** Lets the output of a run through until the budget is spent; the delta that crosses it is cut and marked. */
export function createOutputBudget(maxBytes: number): (event: AgentEventBody) => AgentEventBody | undefined {
  let left = maxBytes
  return (event) => {
    if (event.type !== 'output') return event
    if (left <= 0) return undefined
    const size = Buffer.byteLength(event.data.text)
    if (size <= left) {
      left -= size
      return event
    }
    const text = cut(event.data.text, left)
    left = 0
    return { type: 'output', data: { ...event.data, text, truncated: true } }
  }
}

function cut(text: string, bytes: number): string {
  // A character that was cut in two decodes to U+FFFD; `stream: true` holds it back instead.
  return new TextDecoder().decode(Buffer.from(text).subarray(0, bytes), { stream: true })
}
