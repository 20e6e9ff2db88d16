import type { CompleteData } from '@opencode-gateway/contracts'
import type { Fate } from './upkeep/fate.ts'

/** What happened inside, for metrics. Durations in milliseconds. */
export type Observation =
  | { kind: 'claimed'; queuedMs: number; attempt: number }
  | { kind: 'appended'; events: number; lagMs: number }
  | { kind: 'ended'; complete: CompleteData }
  | { kind: 'ask'; by: 'client' | 'policy' | 'timeout' }
  | { kind: 'fenced' }
  | { kind: 'recovered'; fate: Fate }

export type Observe = (observation: Observation) => void

/**
 * Places on the way of a run where a crash is worth a test. In production nothing happens there; a test kills the process at one of them
 * and checks what the next process makes of it.
 */
export const crashPoints = [
  'after-create',
  'after-claim',
  'after-open',
  'after-ref',
  'after-barrier',
  'after-first-event',
  'before-complete',
  'after-complete',
  'after-release',
  'after-adopt',
  'after-requeue',
] as const
/** Those that no run passes. */
export const otherCrashPoints = ['after-fork'] as const
export type CrashPoint = (typeof crashPoints)[number] | (typeof otherCrashPoints)[number]
