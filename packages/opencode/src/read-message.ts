import type { EngineMessage, EnginePart, StoredMessage, ToolState } from './engine-model.ts'
import { countOf, fieldsOf, listOf, numberOf, optional, textOf } from './read.ts'
import type { Fields } from './read.ts'
import { readFault } from './read-fault.ts'

export function readMessage(value: unknown): EngineMessage | undefined {
  const fields = fieldsOf(value)
  const id = textOf(fields?.['id'])
  const sessionId = textOf(fields?.['sessionID'])
  if (!fields || id === undefined || sessionId === undefined) return undefined
  if (fields['role'] === 'user') return { role: 'user', id, sessionId }
  if (fields['role'] !== 'assistant') return undefined
  const provider = textOf(fields['providerID'])
  const model = textOf(fields['modelID'])
  return {
    role: 'assistant',
    id,
    sessionId,
    parentId: textOf(fields['parentID']) ?? '',
    summary: fields['summary'] === true,
    ...optional('model', provider && model ? `${provider}/${model}` : undefined),
    ...optional('finish', textOf(fields['finish'])),
    ...optional('fault', readFault(fields['error'])),
    ...optional('structured', fields['structured']),
    ...optional('completedAt', numberOf(fieldsOf(fields['time'])?.['completed'])),
  }
}

/** Reads a part; undefined for the types we have no use for. */
export function readPart(value: unknown): EnginePart | undefined {
  const fields = fieldsOf(value)
  const id = textOf(fields?.['id'])
  const sessionId = textOf(fields?.['sessionID'])
  const messageId = textOf(fields?.['messageID'])
  if (!fields || id === undefined || sessionId === undefined || messageId === undefined) return undefined
  const ids = { id, sessionId, messageId }
  switch (fields['type']) {
    case 'text':
    case 'reasoning':
      return {
        ...ids,
        type: fields['type'],
        text: textOf(fields['text']) ?? '',
        ended: numberOf(fieldsOf(fields['time'])?.['end']) !== undefined,
        synthetic: fields['synthetic'] === true,
      }
    case 'tool': {
      const state = readToolState(fieldsOf(fields['state']))
      const callId = textOf(fields['callID'])
      if (!state || callId === undefined) return undefined
      return { ...ids, type: 'tool', callId, tool: textOf(fields['tool']) ?? 'unknown', state }
    }
    case 'step-finish': {
      const tokens = fieldsOf(fields['tokens'])
      const cache = fieldsOf(tokens?.['cache'])
      return {
        ...ids,
        type: 'step-finish',
        reason: textOf(fields['reason']) ?? '',
        cost: Math.max(0, numberOf(fields['cost']) ?? 0),
        tokens: {
          input: countOf(tokens?.['input']),
          output: countOf(tokens?.['output']),
          reasoning: countOf(tokens?.['reasoning']),
          cacheRead: countOf(cache?.['read']),
          cacheWrite: countOf(cache?.['write']),
        },
      }
    }
    default:
      return undefined
  }
}

function readToolState(state: Fields | undefined): ToolState | undefined {
  if (!state) return undefined
  const status = state['status']
  if (status === 'pending') return { status }
  const time = fieldsOf(state['time'])
  const startedAt = numberOf(time?.['start']) ?? 0
  const metadata = fieldsOf(state['metadata']) ?? {}
  const common = { input: state['input'] ?? {}, startedAt, ...optional('title', textOf(state['title'])) }
  if (status === 'running') return { status, ...common, ...optional('output', textOf(metadata['output'])) }
  if (status !== 'completed' && status !== 'error') return undefined
  return {
    status,
    ...common,
    output: textOf(state['output']) ?? '',
    metadata,
    endedAt: numberOf(time?.['end']) ?? startedAt,
    ...optional('error', textOf(state['error'])),
  }
}

/** Reads an entry of the engine's list of messages. */
export function readStoredMessage(value: unknown): StoredMessage | undefined {
  const fields = fieldsOf(value)
  const message = readMessage(fields?.['info'])
  if (!message) return undefined
  return { message, parts: listOf(fields?.['parts']).flatMap((part) => readPart(part) ?? []) }
}
