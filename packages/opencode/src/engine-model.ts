/** What we use of the engine's messages and events, in our own words; the SDK's types end where these are made. */

export interface EngineTokens {
  input: number
  output: number
  reasoning: number
  cacheRead: number
  cacheWrite: number
}

/** An error of the engine, without what it carries of the provider's answer (headers, bodies, addresses). */
export interface EngineFault {
  name: string
  message: string
  statusCode?: number
  retryable?: boolean
}

export interface UserMessage {
  role: 'user'
  id: string
  sessionId: string
}

export interface AssistantMessage {
  role: 'assistant'
  id: string
  sessionId: string
  parentId: string
  /** True for the summary that a compaction writes. */
  summary: boolean
  /** "provider/model" */
  model?: string
  finish?: string
  fault?: EngineFault
  structured?: unknown
  /** Milliseconds since the epoch, by the engine's clock. */
  completedAt?: number
}

export type EngineMessage = UserMessage | AssistantMessage

export type ToolState =
  | { status: 'pending' }
  | { status: 'running'; input: unknown; title?: string; output?: string; startedAt: number }
  | {
      status: 'completed' | 'error'
      input: unknown
      output: string
      error?: string
      title?: string
      metadata: Readonly<Record<string, unknown>>
      startedAt: number
      endedAt: number
    }

interface PartIds {
  id: string
  sessionId: string
  messageId: string
}

export type WordsPart = PartIds & { type: 'text' | 'reasoning'; text: string; ended: boolean; synthetic: boolean }
export type ToolPart = PartIds & { type: 'tool'; callId: string; tool: string; state: ToolState }
export type StepPart = PartIds & { type: 'step-finish'; reason: string; cost: number; tokens: EngineTokens }
export type EnginePart = WordsPart | ToolPart | StepPart

export interface StoredMessage {
  message: EngineMessage
  parts: readonly EnginePart[]
}

export type SessionStatus =
  | { type: 'idle' | 'busy' }
  /** `nextAt` in milliseconds since the epoch, by the engine's clock. */
  | { type: 'retry'; attempt: number; message: string; nextAt: number }

export interface EngineAsk {
  id: string
  sessionId: string
  kind: 'permission' | 'question'
  permission?: string
  patterns?: readonly string[]
  /** What an `always` would grant. */
  always?: readonly string[]
  questions?: readonly unknown[]
  metadata?: unknown
  callId?: string
}

export interface Todo {
  content: string
  status: string
  priority?: string
  id?: string
}

export type EngineEvent =
  | { type: 'message'; sessionId: string; message: EngineMessage }
  | { type: 'part'; sessionId: string; part: EnginePart }
  | { type: 'delta'; sessionId: string; messageId: string; partId: string; text: string }
  | { type: 'session-status'; sessionId: string; status: SessionStatus }
  | { type: 'idle'; sessionId: string }
  /** A session was made or changed; `parentId` is set for a sub-agent's. */
  | { type: 'session'; sessionId: string; parentId?: string }
  | { type: 'fault'; sessionId: string; fault: EngineFault }
  | { type: 'ask'; sessionId: string; ask: EngineAsk }
  | { type: 'answered'; sessionId: string; askId: string; answer: unknown }
  | { type: 'todo'; sessionId: string; todos: readonly Todo[] }
  /** Belongs to a directory, not to a session. `path` is absolute. */
  | {
      type: 'file'
      directory: string
      path: string
      change: 'created' | 'modified' | 'deleted'
      seenBy: 'tool' | 'watcher'
    }
