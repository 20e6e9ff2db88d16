import type { AgentEventBody } from '@opencode-gateway/contracts'
import type { EngineEvent, EngineMessage, SessionStatus, Todo } from './engine-model.ts'
import { reduceDelta, reduceWords, withdrawWords } from './reduce-words.ts'
import { isBeingChanged, relativePath, reduceTool } from './reduce-tool.ts'
import { optional } from './read.ts'
import type { Emit, ReduceContext, RunView } from './run-view.ts'
import { addStep } from './usage.ts'

/**
 * What an event of the engine means to the consumer of a run. Changes the view and returns the events that are new;
 * an event that comes twice, late, or as live and stored, is told once.
 */
export function reduce(view: RunView, event: EngineEvent, context: ReduceContext): readonly AgentEventBody[] {
  const events: AgentEventBody[] = []
  const emit: Emit = (body) => events.push(body)
  if (event.type === 'session' && event.parentId !== undefined && isOurs(view, event.parentId)) {
    view.children.add(event.sessionId)
  }
  if (event.type === 'file') reduceFile(view, event, emit)
  else if (isOurs(view, event.sessionId)) reduceOurs(view, event, context, emit)
  return events
}

type FileEvent = Extract<EngineEvent, { type: 'file' }>

function reduceOurs(view: RunView, event: Exclude<EngineEvent, FileEvent>, context: ReduceContext, emit: Emit): void {
  const root = event.sessionId === view.sessionId
  switch (event.type) {
    case 'message':
      reduceMessage(view, event.message)
      break
    case 'part': {
      const message = view.messages.get(event.part.messageId)
      if (!message) break
      if (event.part.type === 'step-finish') addStep(view, event.part, message.model, emit)
      else if (event.part.type === 'tool') reduceTool(view, event.part, root, context, emit)
      else if (message.answer && !event.part.synthetic) reduceWords(view, event.part, context, emit)
      break
    }
    case 'delta':
      reduceDelta(view, event.partId, event.text, emit)
      break
    case 'session-status':
      if (event.status.type === 'retry') reduceRetry(view, event.sessionId, event.status, emit)
      break
    case 'fault':
      if (root) view.fault = event.fault
      break
    case 'todo':
      if (root) emitTodos(view, event.todos, emit)
      break
    case 'ask': {
      const { id, kind, permission, patterns, questions, metadata, callId } = event.ask
      if (view.asks.has(id)) break
      view.asks.set(id, 'open')
      const expiresAt = new Date(context.now + context.askTimeoutMs).toISOString()
      emit({
        type: 'ask',
        data: {
          ask_id: id,
          kind,
          ...optional('permission', permission),
          ...optional('patterns', patterns && [...patterns]),
          ...optional('questions', questions && [...questions]),
          ...optional('metadata', metadata),
          ...optional('call_id', callId),
          expires_at: expiresAt,
        },
      })
      break
    }
    case 'answered':
      if (view.asks.get(event.askId) === 'open') {
        view.asks.set(event.askId, 'resolved')
        emit({ type: 'ask_resolved', data: { ask_id: event.askId, answer: event.answer, by: 'policy' } })
      }
      break
    case 'session':
    case 'idle':
      break
  }
}

function isOurs(view: RunView, sessionId: string): boolean {
  return sessionId === view.sessionId || view.children.has(sessionId)
}

function reduceMessage(view: RunView, message: EngineMessage): void {
  if (message.role !== 'assistant' || message.id <= view.userMessageId) return
  const answer = message.sessionId === view.sessionId && !message.summary
  view.messages.set(message.id, { answer, model: message.model })
}

function reduceRetry(
  view: RunView,
  sessionId: string,
  status: Extract<SessionStatus, { type: 'retry' }>,
  emit: Emit,
): void {
  const key = `${sessionId} ${status.attempt} ${status.nextAt}`
  if (view.retries.has(key)) return
  view.retries.add(key)
  const withdrawn = sessionId === view.sessionId ? withdrawWords(view) : []
  emit({
    type: 'retry',
    data: {
      attempt: status.attempt,
      message: status.message,
      next_at: new Date(status.nextAt).toISOString(),
      ...optional('withdrawn_parts', withdrawn.length > 0 ? withdrawn : undefined),
    },
  })
}

function emitTodos(view: RunView, todos: readonly Todo[], emit: Emit): void {
  const text = JSON.stringify(todos)
  if (text === view.todos) return
  view.todos = text
  emit({ type: 'todo', data: { todos: [...todos] } })
}

/** A tool's own change is told with its result, which knows whether the file is new. */
function reduceFile(view: RunView, event: FileEvent, emit: Emit): void {
  if (event.directory !== view.directory || isBeingChanged(view, event.path)) return
  const path = relativePath(view.directory, event.path)
  if (path === undefined) return
  if (event.change === 'deleted') view.toolFiles.delete(path)
  else if (view.toolFiles.has(path)) return
  emit({ type: 'file', data: { path, change: event.change } })
}
