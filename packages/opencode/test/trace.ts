import { readFileSync } from 'node:fs'
import type { AgentEventBody } from '@opencode-gateway/contracts'
import type { EngineEvent, StoredMessage } from '../src/engine-model.ts'
import { readEvent } from '../src/read-event.ts'
import { fieldsOf, textOf } from '../src/read.ts'
import { reduce } from '../src/reduce.ts'
import { createRunView } from '../src/run-view.ts'
import type { ReduceContext, RunView } from '../src/run-view.ts'

/** A recorded run of the real engine, from its prompt on. */
export interface Trace {
  readonly events: readonly EngineEvent[]
  /** What the engine has stored after so many events, as `reduce` is told of it. */
  storedAfter(count: number): readonly EngineEvent[]
  storedMessages(count: number): readonly StoredMessage[]
  readonly place: { sessionId: string; userMessageId: string; directory: string }
  view(): RunView
}

export const traceNames = [
  'abort-bash',
  'abort-stream',
  'autocompact',
  'badtool',
  'bash',
  'bash-timeout',
  'bashfail',
  'drop',
  'err401',
  'err500x1',
  'multi',
  'overflow',
  'perm-once',
  'question-reject',
  'readfail',
  'text',
  'think',
  'todo',
  'write',
  'wrongargs',
] as const

/** Each line is the time in milliseconds, a tab and a frame of the engine's stream. */
export function readTrace(name: (typeof traceNames)[number]): Trace {
  const lines = readFileSync(new URL(`fixtures/${name}.jsonl`, import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
  const events: EngineEvent[] = []
  let place: Trace['place'] | undefined
  let session = { id: '', directory: '' }
  for (const line of lines) {
    const frame = fieldsOf(JSON.parse(line.slice(line.indexOf('\t') + 1)))
    const properties = fieldsOf(frame?.['properties']) ?? {}
    const type = textOf(frame?.['type']) ?? ''
    if (type === 'session.created') {
      const created = fieldsOf(properties['info'])
      session = { id: textOf(created?.['id']) ?? '', directory: textOf(created?.['directory']) ?? '' }
    }
    const event = readEvent(type, properties, session.directory)
    if (!place && event?.type === 'message' && event.message.role === 'user') {
      place = { sessionId: session.id, directory: session.directory, userMessageId: event.message.id }
    }
    if (event && place) events.push(event)
  }
  if (!place) throw new Error(`the trace "${name}" has no prompt`)
  const found = place
  const storedMessages = (count: number): readonly StoredMessage[] => storedIn(events.slice(0, count))
  return {
    events,
    storedMessages,
    storedAfter: (count) => asEvents(storedMessages(count)),
    place: found,
    view: () => createRunView(found),
  }
}

/** The last form of every message and part; the text of a part that never ended is not stored. */
function storedIn(events: readonly EngineEvent[]): readonly StoredMessage[] {
  const messages = new Map<string, StoredMessage>()
  for (const event of events) {
    if (event.type === 'message') {
      messages.set(event.message.id, { message: event.message, parts: messages.get(event.message.id)?.parts ?? [] })
    } else if (event.type === 'part') {
      const stored = messages.get(event.part.messageId)
      if (!stored) continue
      const at = stored.parts.findIndex(({ id }) => id === event.part.id)
      const parts = at < 0 ? [...stored.parts, event.part] : stored.parts.with(at, event.part)
      messages.set(event.part.messageId, { ...stored, parts })
    }
  }
  return [...messages.values()]
}

function asEvents(stored: readonly StoredMessage[]): readonly EngineEvent[] {
  return stored.flatMap(({ message, parts }) => [
    { type: 'message', sessionId: message.sessionId, message } as const,
    ...parts.map((part) => ({ type: 'part', sessionId: part.sessionId, part }) as const),
  ])
}

export function play(
  view: RunView,
  events: readonly EngineEvent[],
  source: ReduceContext['source'] = 'live',
): readonly AgentEventBody[] {
  const context = { source, now: 0, maxToolOutput: 100_000, askTimeoutMs: 1000 }
  return events.flatMap((event) => reduce(view, event, context))
}

/** Text by part, without the parts that a retry withdrew. */
export function textByPart(events: readonly AgentEventBody[]): Record<string, string> {
  const texts: Record<string, string> = {}
  for (const { type, data } of events) {
    if (type === 'output') texts[data.part_id] = (texts[data.part_id] ?? '') + data.text
    if (type === 'retry') for (const part of data.withdrawn_parts ?? []) delete texts[part]
  }
  return texts
}

/**
 * Everything but the text, in a form that can be compared: the title of a call is known only when it has ended, and
 * what was used up to one call depends on which call was seen first.
 */
export function otherEvents(events: readonly AgentEventBody[]): readonly string[] {
  return events.flatMap((event) => {
    if (event.type === 'output') return []
    if (event.type === 'usage') return [`usage of ${event.data.model_calls} calls`]
    if (event.type !== 'tool_call') return [JSON.stringify(event)]
    return [JSON.stringify([event.type, event.data.call_id, event.data.tool, event.data.args])]
  })
}

/** What was used in the end. */
export function lastTokens(events: readonly AgentEventBody[]): unknown {
  return events.findLast((event) => event.type === 'usage')?.data.tokens
}
