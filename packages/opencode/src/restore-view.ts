import type { EventBody } from '@opencode-gateway/contracts'
import { createRunView } from './run-view.ts'
import type { RunView } from './run-view.ts'
import { nothingTold } from './told.ts'

/** The view of a run whose events so far are in the log. */
export function restoreView(
  run: { sessionId: string; userMessageId: string; directory: string },
  events: readonly EventBody[],
): RunView {
  const told = nothingTold()
  const view = createRunView(run, told)
  const addOne = (counts: Map<string, number>, key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1)
  for (const event of events) {
    switch (event.type) {
      case 'output': {
        const { part_id: partId, type, text, truncated } = event.data
        const emitted = (told.characters.get(partId) ?? 0) + text.length
        told.characters.set(partId, emitted)
        if (truncated) told.cutParts.add(partId)
        if (type === 'text' || type === 'reasoning') {
          view.words.set(partId, {
            type,
            messageId: undefined,
            emitted,
            ended: false,
            withdrawn: false,
            blind: true,
          })
        }
        break
      }
      case 'retry':
        view.retries.add(`${run.sessionId} ${event.data.attempt} ${Date.parse(event.data.next_at)}`)
        for (const partId of event.data.withdrawn_parts ?? []) {
          const words = view.words.get(partId)
          if (!words) continue
          words.ended = true
          words.withdrawn = true
        }
        break
      case 'tool_call':
        addOne(told.calls, event.data.call_id)
        break
      case 'tool_result':
        addOne(told.results, event.data.call_id)
        break
      case 'file':
        addOne(told.files, `${event.data.change} ${event.data.path}`)
        break
      case 'usage':
        told.modelCalls = event.data.model_calls
        break
      case 'todo':
        view.todos = JSON.stringify(event.data.todos)
        break
      case 'ask':
        view.asks.set(event.data.ask_id, 'open')
        break
      case 'ask_resolved':
        view.asks.set(event.data.ask_id, 'resolved')
        break
      case 'status':
      case 'error':
      case 'git':
      case 'complete':
        break
    }
  }
  return view
}
