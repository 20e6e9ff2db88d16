import type { LogEvent, Message, RunRow } from '@opencode-gateway/contracts'
import { isoTime } from './run-view.ts'

type Part = Message['parts'][number]

/**
 * The conversation as messages: each run is what was asked, and what came of it. A fold over the log; runs whose events
 * are gone or not in `events` have their final message alone.
 */
export function conversationOf(runs: readonly RunRow[], events: readonly LogEvent[]): Message[] {
  const byRun = Map.groupBy(events, ({ runId }) => runId)
  return runs.flatMap((run) => {
    const parts = partsOf(byRun.get(run.runId) ?? [])
    const said = parts.length > 0 ? parts : finalPart(run)
    return said.length === 0 ? [asked(run)] : [asked(run), answered(run, said)]
  })
}

function asked({ input, runId, createdAt }: RunRow): Message {
  const part: Part =
    input.kind === 'prompt' ? { type: 'text', text: input.prompt } : { type: 'command', text: input.command }
  return { role: 'user', run_id: runId, created_at: isoTime(createdAt), parts: [part] }
}

function answered({ runId, claimedAt, createdAt }: RunRow, parts: Part[]): Message {
  return { role: 'assistant', run_id: runId, created_at: isoTime(claimedAt ?? createdAt), parts }
}

function finalPart({ complete, input }: RunRow): Part[] {
  if (complete === undefined || complete.final_message === '') return []
  return [{ type: input.kind === 'prompt' ? 'text' : 'stdout', text: complete.final_message }]
}

/** Deltas of one part are joined, a tool's result goes to its call, and what a retry withdrew is left out. */
function partsOf(events: readonly LogEvent[]): Part[] {
  const parts = new Map<string, Part>()
  for (const event of events) {
    switch (event.type) {
      case 'output': {
        const { type, text, part_id: id } = event.data
        const before = parts.get(id)
        parts.set(id, { type, text: `${before?.text ?? ''}${text}` })
        break
      }
      case 'tool_call': {
        const { call_id: id, tool, args } = event.data
        parts.set(toolKey(id), { type: 'tool', call_id: id, tool, args, status: 'running' })
        break
      }
      case 'tool_result': {
        const { call_id: id, tool, status, result, error } = event.data
        const call = parts.get(toolKey(id)) ?? { type: 'tool', call_id: id, tool }
        const why = error === undefined ? {} : { error }
        parts.set(toolKey(id), { ...call, status, output: result.output, ...why })
        break
      }
      case 'retry':
        for (const id of event.data.withdrawn_parts ?? []) parts.delete(id)
        break
      default:
    }
  }
  return [...parts.values()]
}

/** Part ids and call ids are the engine's, and might be the same. */
const toolKey = (callId: string): string => `tool ${callId}`
