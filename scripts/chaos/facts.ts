import type { EventFrame, RunState } from '@opencode-gateway/contracts'

/** What came of one order, as everybody who had a part in it tells. */
export interface OrderFacts {
  /** A word that is in this prompt and in no other. */
  marker: string
  kind: string
  sessionId: string
  /** As the gateway acknowledged it. */
  runId: string
  /** The turn of the model in which its script ends; undefined for a command. */
  lastTurn: number | undefined
  /** What the answer ends with. */
  ending: string
  /** Calls of the model whose prompt has the marker, oldest first. */
  calls: readonly CallFacts[]
  /** How often its command left its trace in the workspace; undefined when it has none, or the workspace is gone. */
  effects: number | undefined
}

export interface CallFacts {
  prompt: string
  turn: number
  state: 'open' | 'answered' | 'failed' | 'aborted'
  /** Milliseconds since the epoch. */
  at: number
}

/** A session as the log, the session's own page and its client's event streams show it. */
export interface SessionFacts {
  sessionId: string
  orders: readonly OrderFacts[]
  log: readonly EventFrame[]
  runs: readonly { run_id: string; state: RunState }[]
  /** Every event with an id that reached the client, over all its connections, in order of arrival. */
  received: readonly ReceivedFrame[]
}

export interface ReceivedFrame {
  id: number
  event: string
  /** As it came. */
  data: string
}

export interface ProcessFacts {
  pid: number
  command: string
  /** Parent first, up to process 1. */
  ancestors: readonly number[]
}

/** A field of an event's data, whose shape only its type knows. */
export function fieldOf({ data }: EventFrame, name: string): unknown {
  return (data as Readonly<Record<string, unknown>>)[name]
}
