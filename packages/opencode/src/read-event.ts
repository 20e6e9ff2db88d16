import type { EngineAsk, EngineEvent, SessionStatus, Todo } from './engine-model.ts'
import { countOf, fieldsOf, listOf, numberOf, optional, textOf } from './read.ts'
import type { Fields } from './read.ts'
import { readFault } from './read-fault.ts'
import { readMessage, readPart } from './read-message.ts'

/**
 * Reads one frame of the engine's `/global/event`; undefined for frames we have no use for. The `sync` frames among
 * them repeat what other frames say.
 */
export function readFrame(frame: unknown): EngineEvent | undefined {
  const outer = fieldsOf(frame)
  const payload = fieldsOf(outer?.['payload'])
  const properties = fieldsOf(payload?.['properties'])
  const type = textOf(payload?.['type'])
  if (type === undefined || !properties) return undefined
  return readEvent(type, properties, textOf(outer?.['directory']) ?? '')
}

/** Reads an event of the engine by its type and properties. */
export function readEvent(type: string, properties: Fields, directory: string): EngineEvent | undefined {
  if (type === 'file.edited' || type === 'file.watcher.updated') return readFile(type, properties, directory)
  const sessionId = textOf(properties['sessionID'])
  if (sessionId === undefined) return undefined
  switch (type) {
    case 'session.created':
    case 'session.updated':
      return { type: 'session', sessionId, ...optional('parentId', textOf(fieldsOf(properties['info'])?.['parentID'])) }
    case 'message.updated': {
      const message = readMessage(properties['info'])
      return message && { type: 'message', sessionId, message }
    }
    case 'message.part.updated': {
      const part = readPart(properties['part'])
      return part && { type: 'part', sessionId, part }
    }
    case 'message.part.delta': {
      const messageId = textOf(properties['messageID'])
      const partId = textOf(properties['partID'])
      const text = textOf(properties['delta'])
      if (messageId === undefined || partId === undefined || text === undefined) return undefined
      return { type: 'delta', sessionId, messageId, partId, text }
    }
    case 'session.status':
      return { type: 'session-status', sessionId, status: readStatus(properties['status']) }
    case 'session.idle':
      return { type: 'idle', sessionId }
    case 'session.error': {
      const fault = readFault(properties['error'])
      return fault && { type: 'fault', sessionId, fault }
    }
    case 'todo.updated':
      return { type: 'todo', sessionId, todos: listOf(properties['todos']).flatMap((todo) => readTodo(todo) ?? []) }
    case 'permission.asked':
    case 'question.asked': {
      const ask = readAsk(type === 'permission.asked' ? 'permission' : 'question', properties)
      return ask && { type: 'ask', sessionId, ask }
    }
    case 'permission.replied':
      return answered(sessionId, properties, properties['reply'])
    case 'question.replied':
      return answered(sessionId, properties, properties['answers'])
    case 'question.rejected':
      return answered(sessionId, properties, 'reject')
    default:
      return undefined
  }
}

export function readStatus(value: unknown): SessionStatus {
  const status = fieldsOf(value)
  if (status?.['type'] === 'idle' || status === undefined) return { type: 'idle' }
  if (status['type'] !== 'retry') return { type: 'busy' }
  return {
    type: 'retry',
    attempt: Math.max(1, countOf(status['attempt'])),
    message: textOf(status['message']) ?? 'the model call failed',
    nextAt: numberOf(status['next']) ?? 0,
  }
}

export function readAsk(kind: EngineAsk['kind'], value: unknown): EngineAsk | undefined {
  const fields = fieldsOf(value)
  const id = textOf(fields?.['id'])
  const sessionId = textOf(fields?.['sessionID'])
  if (!fields || id === undefined || sessionId === undefined) return undefined
  const callId = optional('callId', textOf(fieldsOf(fields['tool'])?.['callID']))
  if (kind === 'question') return { id, sessionId, kind, questions: listOf(fields['questions']), ...callId }
  return {
    id,
    sessionId,
    kind,
    ...optional('permission', textOf(fields['permission'])),
    patterns: listOf(fields['patterns']).flatMap((pattern) => textOf(pattern) ?? []),
    always: listOf(fields['always']).flatMap((pattern) => textOf(pattern) ?? []),
    ...optional('metadata', fields['metadata']),
    ...callId,
  }
}

function answered(sessionId: string, properties: Fields, answer: unknown): EngineEvent | undefined {
  const askId = textOf(properties['requestID'])
  return askId === undefined ? undefined : { type: 'answered', sessionId, askId, answer }
}

function readTodo(value: unknown): Todo | undefined {
  const todo = fieldsOf(value)
  const content = textOf(todo?.['content'])
  if (!todo || content === undefined) return undefined
  return {
    content,
    status: textOf(todo['status']) ?? 'pending',
    ...optional('priority', textOf(todo['priority'])),
    ...optional('id', textOf(todo['id'])),
  }
}

function readFile(type: string, properties: Fields, directory: string): EngineEvent | undefined {
  const path = textOf(properties['file'])
  if (path === undefined) return undefined
  if (type === 'file.edited') return { type: 'file', directory, path, change: 'modified', seenBy: 'tool' }
  const changes = { add: 'created', change: 'modified', unlink: 'deleted' } as const
  const change = changes[properties['event'] as keyof typeof changes]
  return change && { type: 'file', directory, path, change, seenBy: 'watcher' }
}
