import type { AgentEventBody, Usage } from '@opencode-gateway/contracts'
import type { EngineFault } from './engine-model.ts'
import type { SeenOutput } from './running-output.ts'
import { nothingTold } from './told.ts'
import type { Told } from './told.ts'

export interface WordsView {
  type: 'text' | 'reasoning'
  /** Unknown until it is seen again, after a restart. */
  messageId: string | undefined
  /** Characters that the consumer has. */
  emitted: number
  /** Nothing more may come: the part is whole, or was withdrawn. */
  ended: boolean
  /** The call of the model that wrote it broke. */
  withdrawn: boolean
  /** Deltas were missed, so the rest comes with the finished part. */
  blind: boolean
}

export interface CallView {
  called: boolean
  ended: boolean
  /** Live output that the consumer has. */
  seen: SeenOutput
  /** No more live output: it is too long, or no longer follows what came before. */
  cut: boolean
  /** The file a running tool is about to change. */
  path: string | undefined
}

/** What the consumer of a run has been told, and what is needed to tell the rest. Made and changed by `reduce` only. */
export interface RunView {
  readonly sessionId: string
  /** Our prompt; the engine's ids ascend, so whatever sorts after it belongs to this run. */
  readonly userMessageId: string
  readonly directory: string
  readonly children: Set<string>
  /** Assistant messages of this run, sub-agents' included; true for those whose text is the answer. */
  readonly messages: Map<string, { answer: boolean; model: string | undefined }>
  readonly words: Map<string, WordsView>
  readonly calls: Map<string, CallView>
  readonly steps: Set<string>
  readonly retries: Set<string>
  readonly asks: Map<string, 'open' | 'resolved'>
  /** Files a tool of this run changed, relative: the engine tells such a change a second time. */
  readonly toolFiles: Set<string>
  /** Told before this view was made, and not seen again since. */
  readonly told: Told
  usage: Usage
  todos: string
  /** The last error of the session; it may have recovered from it. */
  fault: EngineFault | undefined
}

export interface ReduceContext {
  /** `live`: as it happens. `stored`: read from the engine's state, where the text of an open part is missing. */
  source: 'live' | 'stored'
  /** Milliseconds since the epoch. */
  now: number
  /** Longest live output of one tool call, in characters. */
  maxToolOutput: number
  /** When an ask that comes now gives up, from now. */
  askTimeoutMs: number
}

export type Emit = (event: AgentEventBody) => void

export function createRunView(
  run: { sessionId: string; userMessageId: string; directory: string },
  told: Told = nothingTold(),
): RunView {
  return {
    ...run,
    children: new Set(),
    messages: new Map(),
    words: new Map(),
    calls: new Map(),
    steps: new Set(),
    retries: new Set(),
    asks: new Map(),
    toolFiles: new Set(),
    told,
    usage: noUsage(),
    todos: '',
    fault: undefined,
  }
}

export function noUsage(): Usage {
  return {
    tokens: { input: 0, output: 0, reasoning: 0, cache_read: 0, cache_write: 0 },
    cost_usd: 0,
    model_calls: 0,
  }
}

/** Events were missed: what is open now cannot be continued from deltas. */
export function markMissed(view: RunView): void {
  for (const words of view.words.values()) words.blind ||= !words.ended
}
