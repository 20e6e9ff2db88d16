import type { ToolCall } from './step.ts'
import { splitFields, unescapeText } from './text.ts'

const BAR = 'fields are separated by " | "'

/** The tool call a line asks for; throws with the reason when the line lacks something, undefined for another verb. */
export function readToolCall(verb: string, rest: string): ToolCall | undefined {
  switch (verb) {
    case 'write': {
      const [filePath, content] = splitFields(rest, 2)
      if (!filePath || content === undefined) throw new Error(`it needs "path | content"; ${BAR}`)
      return call('write', { filePath, content })
    }
    case 'read': {
      if (rest === '') throw new Error('it needs a path')
      return call('read', { filePath: unescapeText(rest) })
    }
    case 'edit': {
      const [filePath, oldString, newString] = splitFields(rest, 3)
      if (!filePath || !oldString || newString === undefined) throw new Error(`it needs "path | old | new"; ${BAR}`)
      return call('edit', { filePath, oldString, newString })
    }
    case 'run': {
      if (rest === '') throw new Error('it needs a command')
      return call('bash', { command: rest })
    }
    case 'task': {
      if (rest === '') throw new Error('it needs a prompt')
      return call('task', { description: 'Scripted task', prompt: unescapeText(rest), subagent_type: 'general' })
    }
    case 'todo': {
      if (rest === '') throw new Error('it needs at least one item')
      return call('todowrite', { todos: splitFields(rest).map(readTodo) })
    }
    case 'question': {
      const [header, question, ...options] = splitFields(rest)
      if (!header || !question || options.length === 0) throw new Error(`it needs "header | text | option"; ${BAR}`)
      const labelled = options.map((label) => ({ label, description: label }))
      return call('question', { questions: [{ header, question, options: labelled }] })
    }
    case 'tool': {
      const named = /^(\S+)(?:\s+(.*))?$/s.exec(rest)
      if (named?.[1] === undefined) throw new Error('it needs a tool name and JSON arguments')
      return { name: named[1], argumentsText: named[2] ?? '{}' }
    }
    default:
      return undefined
  }
}

function call(name: string, args: unknown): ToolCall {
  return { name, argumentsText: JSON.stringify(args) }
}

const TODO_STATUS: Record<string, string> = { x: 'completed', '>': 'in_progress', '-': 'cancelled' }

function readTodo(item: string): { content: string; status: string; priority: string } {
  const marked = /^\[(.)\]\s*(.*)$/s.exec(item)
  const status = TODO_STATUS[marked?.[1] ?? ''] ?? 'pending'
  return { content: marked?.[2] ?? item, status, priority: 'medium' }
}
