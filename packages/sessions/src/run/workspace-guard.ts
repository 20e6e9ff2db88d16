import { setTimeout as pause } from 'node:timers/promises'
import { withSignal, type Log, type Workspace, type WorkspaceLimits } from '@opencode-gateway/contracts'
import type { Ending } from './ending.ts'

type Measured = Pick<Workspace, 'measure'>

/** Looks at how much a run leaves in its workspace while it works, and when it has ended. */
export interface WorkspaceGuard extends Disposable {
  /**
   * Notes what was there before the run, which may stay there: an agent can be told to make room. What cannot be measured
   * in 10 s, or is too deep to be, gets no such room, or an agent could free its next run of the limits. Never rejects.
   */
  before(workspace: Measured | undefined, signal: AbortSignal): Promise<void>
  /** From now on until `settle`: tells once when there is too much. */
  watch(workspace: Measured | undefined, onFull: (message: string) => void): void
  /** Something was done: looks soon. */
  touch(): void
  /** The last look: a run that completed and left too much has failed. */
  settle(ending: Ending, signal: AbortSignal): Promise<Ending>
}

/** Pauses between looks, milliseconds: without a step, and after one. */
const everyMs = 5_000
const soonMs = 100
/** A look takes a tenth of the time at most, however large the workspace. */
const restPerLook = 9

export interface WorkspaceGuardOptions {
  /** For every workspace; absent: none is looked at. */
  limits: WorkspaceLimits | undefined
  /** Bytes that the session may have where that is less. */
  ownBytes?: () => Promise<number | undefined>
  log: Log
}

export function createWorkspaceGuard({ limits, ownBytes, log }: WorkspaceGuardOptions): WorkspaceGuard {
  const over = new AbortController()
  let allowed = limits
  let watched: Measured | undefined
  let watching: Promise<void> = Promise.resolve()
  let bell = Promise.withResolvers<void>()

  /** What is wrong with the size, if anything. What cannot be measured is nobody's fault. */
  async function look(workspace: Measured, signal: AbortSignal): Promise<string | undefined> {
    if (!allowed) return undefined
    try {
      const { whole } = await workspace.measure(allowed, signal)
      return whole ? undefined : tooMuch(allowed)
    } catch (err) {
      if (!signal.aborted) log.warn({ err }, 'the workspace could not be measured')
      return undefined
    }
  }

  async function watchUntilOver(workspace: Measured, onFull: (message: string) => void): Promise<void> {
    for (let restMs = soonMs; !over.signal.aborted;) {
      const until = AbortSignal.any([over.signal, AbortSignal.timeout(everyMs)])
      await Promise.race([bell.promise, aborted(until)])
      await pause(restMs, undefined, { signal: over.signal }).catch(() => {})
      bell = Promise.withResolvers()
      const startedAt = Date.now()
      const message = await look(workspace, over.signal)
      if (message !== undefined) return onFull(message)
      restMs = Math.max(soonMs, (Date.now() - startedAt) * restPerLook)
    }
  }

  return {
    async before(workspace, signal) {
      if (!limits) return
      const within = AbortSignal.any([signal, AbortSignal.timeout(firstLookMs)])
      try {
        const bytes = await ownBytes?.()
        allowed = { ...limits, maxBytes: Math.min(limits.maxBytes, bytes ?? limits.maxBytes) }
        if (workspace) allowed = await allowedOver(workspace, allowed, within)
      } catch (err) {
        if (!signal.aborted) log.warn({ err }, 'the workspace could not be measured before a run')
      }
    },
    watch(workspace, onFull) {
      if (!workspace || !limits) return
      watched = workspace
      watching = watchUntilOver(workspace, onFull)
    },
    touch: () => bell.resolve(),
    async settle(ending, signal) {
      over.abort()
      await watching
      if (!watched || ending.kind !== 'outcome' || ending.outcome.status !== 'completed') return ending
      const message = await look(watched, AbortSignal.any([signal, AbortSignal.timeout(lastLookMs)]))
      if (message === undefined) return ending
      const error = { code: 'WORKSPACE_FULL', message, retryable: false } as const
      return { kind: 'outcome', outcome: { ...ending.outcome, status: 'failed', error } }
    },
    [Symbol.dispose]: () => over.abort(),
  }
}

/** What is there before a run; the run waits for it. */
const firstLookMs = 10_000
const lastLookMs = 60_000
const everything: WorkspaceLimits = { maxBytes: Number.MAX_SAFE_INTEGER, maxFiles: Number.MAX_SAFE_INTEGER }

/** The limits, or what is there when that is more and can be measured whole. */
async function allowedOver(
  workspace: Measured,
  limits: WorkspaceLimits,
  signal: AbortSignal,
): Promise<WorkspaceLimits> {
  const look = await withSignal(workspace.measure(limits, signal), signal)
  if (look.whole) return limits
  const { bytes, files, whole } = await withSignal(workspace.measure(everything, signal), signal)
  if (!whole) return limits
  return { maxBytes: Math.max(limits.maxBytes, bytes), maxFiles: Math.max(limits.maxFiles, files) }
}

const tooMuch = ({ maxBytes, maxFiles }: WorkspaceLimits): string =>
  `The workspace, with the home its agent has in a container, has more than ${maxBytes} bytes on the disk, more than ` +
  `${maxFiles} files, or directories more than 200 deep. What was done is there: read it, remove what is too much, or ` +
  'reset the workspace.'

function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  if (signal.aborted) resolve()
  else signal.addEventListener('abort', () => resolve(), { once: true })
  return promise
}
