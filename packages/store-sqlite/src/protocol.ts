import type { Failure } from './failure.ts'
import type { Operations } from './operations.ts'

/** What the worker offers, by name. */
export type Calls = Operations['writes'] & Operations['reads']
export type CallName = keyof Calls

export interface Request {
  id: number
  name: CallName
  args: readonly unknown[]
}

export type Reply = { id: number; value: unknown } | { id: number; failure: Failure }

export type ToWorker = { kind: 'requests'; requests: readonly Request[] } | { kind: 'close' }

export type FromWorker =
  | { kind: 'ready'; from: number; to: number }
  | { kind: 'refused'; failure: Failure }
  | { kind: 'replies'; replies: readonly Reply[] }

export interface WorkerOptions {
  file: string
  owner: string
  maxFileBytes: number | undefined
}
