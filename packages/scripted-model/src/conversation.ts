import type { ChatMessage, ChatRequest } from './chat-request.ts'
import { readSummary } from './place.ts'
import type { Place } from './place.ts'

/** `title` and `summary` are calls the engine makes for itself; `continue` is a conversation that tells no script. */
export type CallKind = 'turn' | 'title' | 'summary' | 'continue'

export interface Conversation extends Place {
  readonly kind: CallKind
  readonly system: string
}

/** Starts of texts that the engine, and not the user, puts into user messages. */
const SYNTHETIC = [
  '<system-reminder>',
  '<path>',
  '<task ',
  'Called the Read tool with the following input',
  'Continue if you have next steps',
  'Generate a title for this conversation',
  'Read tool failed to read',
  'Summarize the task tool output above',
  'The following tool was executed by the user',
  "The previous request exceeded the provider's size limit",
  'Use the above message and context to generate a prompt',
  'What did we do so far?',
]

/** Finds in the messages alone what is asked and how far the answer has come, so that no call depends on another. */
export function readConversation({ messages, tools }: Pick<ChatRequest, 'messages' | 'tools'>): Conversation {
  const system = messages
    .filter(({ role }) => role === 'system' || role === 'developer')
    .flatMap(({ texts }) => texts)
    .join('\n')
  const at = messages.findLastIndex((message) => placeIn(message) !== undefined)
  const message = messages[at]
  const { prompt, turn } = (message && placeIn(message)) ?? { prompt: '', turn: 0 }
  const answers = messages.slice(at + 1).filter(({ role }) => role === 'assistant').length
  return { kind: callKind(system, tools.length, prompt), system, prompt, turn: turn + answers }
}

function callKind(system: string, toolCount: number, prompt: string): CallKind {
  if (toolCount === 0 && system.startsWith('You are a title generator')) return 'title'
  if (toolCount === 0 && system.startsWith('You are a context summarization agent')) return 'summary'
  return prompt === '' ? 'continue' : 'turn'
}

function placeIn({ role, texts }: ChatMessage): Place | undefined {
  if (role === 'assistant') return readSummary(texts.join(''))
  if (role !== 'user') return undefined
  const prompt = texts
    .filter((text) => !SYNTHETIC.some((start) => text.trimStart().startsWith(start)))
    .join('\n')
    .trim()
  return prompt === '' ? undefined : { prompt, turn: 0 }
}
