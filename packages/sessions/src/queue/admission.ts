import { randomUUID } from 'node:crypto'
import {
  GatewayError,
  type AddRunResult,
  type CreateResult,
  type NewRun,
  type QueueFull,
  type RunRow,
  type RunState,
  type SessionRow,
} from '@opencode-gateway/contracts'
import { sessionNotFound } from '../follow.ts'
import { sessionClosed } from '../session-closed.ts'
import type { SessionsLimits } from '../options.ts'
import type { RunOrder } from '../types.ts'

const titleCharacters = 80

export interface NewRunFor {
  tenant: string
  sessionId: string
  requestId: string
  createdAt: number
}

/**
 * Marks the model key that came with a new session as the session's, so that its later prompts have it too. The key of a
 * one-shot run, and that of a provider configuration, stay with their run.
 */
export function withSessionKey(order: RunOrder): RunOrder {
  if (order.kind !== 'prompt' || order.modelOptions?.keyed === undefined || order.modelOptions.config) return order
  return { ...order, modelOptions: { ...order.modelOptions, keyed: 'session' } }
}

export function newRun(order: RunOrder, about: NewRunFor, limits: SessionsLimits): NewRun {
  const {
    timeoutMs,
    idleTimeoutMs,
    askTimeoutMs,
    maxModelCalls,
    budget,
    raisableTo,
    keyId,
    wrapUp,
    modelKey: _key,
    inheritModel: _inherit,
    ...input
  } = order
  const runId = randomUUID()
  return {
    runId,
    ...about,
    input: { ...input, runId },
    limits: {
      wallMs: timeoutMs,
      idleMs: idleTimeoutMs ?? limits.idleTimeoutMs,
      askMs: askTimeoutMs ?? limits.askTimeoutMs,
      modelCalls: Math.min(maxModelCalls ?? limits.maxModelCalls, limits.maxModelCalls),
      ...(budget === undefined ? {} : { budget }),
      ...(raisableTo === undefined ? {} : { raisableTo }),
      ...(keyId === undefined ? {} : { keyId }),
      ...(wrapUp === undefined ? {} : { wrapUp }),
    },
  }
}

const retryable: ReadonlySet<RunState> = new Set(['failed', 'timed_out', 'interrupted'])

/** A new run like one that did not come to a good end. */
export function runAgain(latest: RunRow | undefined, about: NewRunFor): NewRun {
  if (latest && !latest.complete) {
    throw new GatewayError('SESSION_BUSY', `Run "${latest.runId}" has not ended. Wait for it, or cancel it.`)
  }
  if (!latest || !retryable.has(latest.state)) {
    const state = latest === undefined ? 'has no run' : `ended its last run as "${latest.state}"`
    throw new GatewayError('NOTHING_TO_RETRY', `Session "${about.sessionId}" ${state}. Send a new message instead.`)
  }
  const runId = randomUUID()
  return { runId, ...about, input: { ...latest.input, runId }, limits: latest.limits }
}

/** The first line of what a session begins with; people see it in the engine's own lists. */
export function titleOf(order: RunOrder | undefined): string {
  const text = order === undefined ? '' : order.kind === 'prompt' ? order.prompt : order.command
  return text.trim().split('\n')[0]?.slice(0, titleCharacters) || 'session'
}

/** The session that the store took or had, or the error for the client. */
export function admittedSession(
  result: CreateResult,
  sessionId: string,
): { session: SessionRow; run: RunRow | undefined; replayed: boolean } {
  switch (result.status) {
    case 'exists':
      throw new GatewayError('SESSION_EXISTS', `There is a session "${sessionId}" already. Choose another id.`)
    case 'key_mismatch':
      throw keyMismatch()
    case 'queue_full':
      throw queueFull(result)
    case 'created':
    case 'replayed':
      return { session: result.session, run: result.run, replayed: result.status === 'replayed' }
  }
}

/** The run that the store took or had, or the error for the client. */
export function admittedRun(result: AddRunResult, sessionId: string): { run: RunRow; replayed: boolean } {
  switch (result.status) {
    case 'not_found':
      throw sessionNotFound(sessionId)
    case 'closed':
      throw sessionClosed(sessionId)
    case 'busy':
      throw new GatewayError('SESSION_BUSY', `Session "${sessionId}" is working on run "${result.runId}".`, {
        retryAfterMs: 1_000,
      })
    case 'key_mismatch':
      throw keyMismatch()
    case 'queue_full':
      throw queueFull(result)
    case 'created':
    case 'replayed':
      return { run: result.run, replayed: result.status === 'replayed' }
  }
}

const whyFull = {
  all: 'All slots are taken (MAX_CONCURRENT_SESSIONS), and no more runs may wait than the {} that do (MAX_QUEUED_RUNS).',
  tenant: 'No more runs of one tenant may wait than the {} that do (MAX_QUEUED_RUNS_PER_TENANT).',
  session: 'No more runs of one session may wait than the {} that do (MAX_QUEUED_RUNS_PER_SESSION).',
} as const

function queueFull({ queued, of }: QueueFull): GatewayError {
  const text = `${whyFull[of ?? 'all'].replace('{}', String(queued))} Try again later.`
  return new GatewayError('QUEUE_FULL', text, { retryAfterMs: 5_000 })
}

function keyMismatch(): GatewayError {
  return new GatewayError(
    'IDEMPOTENCY_MISMATCH',
    'This Idempotency-Key was used for another request. Use a new key for a new request.',
  )
}
