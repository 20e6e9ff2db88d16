import type { EventBody } from '@opencode-gateway/contracts'

/**
 * Events that wait to be written. Neighbouring deltas of one part become one event, so that a model that streams a
 * token at a time costs one row per window, not one per token.
 */
export interface MergeBuffer {
  add(event: EventBody): void
  /** Bytes of text that wait, roughly. */
  bytes(): number
  /** True when something waits that should not: anything but output. */
  urgent(): boolean
  take(): EventBody[]
}

export function createMergeBuffer(mergeBytes: number): MergeBuffer {
  let events: EventBody[] = []
  let bytes = 0
  let urgent = false
  return {
    add(event) {
      if (event.type !== 'output') {
        events.push(event)
        urgent = true
        return
      }
      bytes += event.data.text.length
      if (event.data.text.length > maxEventCharacters) {
        events.push(...split(event.data))
        return
      }
      const last = events.at(-1)
      if (last?.type === 'output' && mergeable(last.data, event.data, mergeBytes)) {
        events[events.length - 1] = { type: 'output', data: { ...event.data, text: last.data.text + event.data.text } }
      } else events.push(event)
    },
    bytes: () => bytes,
    urgent: () => urgent,
    take() {
      const taken = events
      events = []
      bytes = 0
      urgent = false
      return taken
    },
  }
}

/** A longer delta becomes several events: a row of many megabytes slows every reader of the log. */
const maxEventCharacters = 65_536

function split({ text, truncated, ...rest }: Output): EventBody[] {
  const events: EventBody[] = []
  for (let from = 0; from < text.length;) {
    let to = Math.min(text.length, from + maxEventCharacters)
    // A character outside the basic plane is two code units, which stay together.
    if (to < text.length && /[\uD800-\uDBFF]/.test(text.charAt(to - 1))) to -= 1
    const marked = to === text.length && truncated !== undefined ? { truncated } : {}
    events.push({ type: 'output', data: { ...rest, text: text.slice(from, to), ...marked } })
    from = to
  }
  return events
}

type Output = Extract<EventBody, { type: 'output' }>['data']

function mergeable(a: Output, b: Output, mergeBytes: number): boolean {
  return (
    a.part_id === b.part_id && a.type === b.type && a.truncated !== true && a.text.length + b.text.length <= mergeBytes
  )
}
