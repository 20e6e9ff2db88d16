import {
  withSignal,
  type Log,
  type RunProgress,
  type RunRow,
  type SessionRow,
  type Store,
} from '@opencode-gateway/contracts'
import type { CrashPoint, Observe } from '../observation.ts'
import { nextRun } from './queue-order.ts'
import type { DrivenRun } from '../run/driven-run.ts'

export interface DispatcherOptions {
  store: Store
  log: Log
  owner: string
  maxConcurrentRuns: number
  /** No run of the session may begin now. */
  isHeld(sessionId: string): boolean
  observe?: Observe | undefined
  crashPoint?: ((name: CrashPoint) => void) | undefined
  drive(run: RunRow, session: SessionRow, progress?: RunProgress): DrivenRun
  /** A run left its slot for good. */
  onEnded(run: RunRow): Promise<void>
}

/** Gives slots to queued runs, and knows what is at work. */
export interface Dispatcher {
  /** Looks for work; cheap, to be called whenever something may have changed. */
  kick(): void
  /** Puts a run that was adopted at boot to work, beyond the slots if need be: the engine works on it already. */
  adopt(run: RunRow, session: SessionRow, progress: RunProgress): void
  find(runId: string): DrivenRun | undefined
  active(): number
  /** Begins to start runs; until then nothing is started. */
  resume(): void
  /** From now on nothing is started. */
  pause(): void
  /** Settles when nothing is at work; rejects with the signal's reason. */
  idle(signal: AbortSignal): Promise<void>
  /** Lets go of everything at work; settles when nothing of it is left. */
  detachAll(): Promise<void>
}

/** First wait before a run that could not start is tried again; doubles with each attempt. Milliseconds. */
const retryDelayMs = 500
/** Queued runs of each tenant looked at when a slot is free; of these a few may not begin now. */
const lookAhead = 50

export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { store, log, owner, maxConcurrentRuns } = options
  const atWork = new Map<string, { driven: DrivenRun; putAway: Promise<void> }>()
  const delayed = new Map<string, NodeJS.Timeout>()
  let idleWaiters: (() => void)[] = []
  let looking = false
  let lookAgain = false
  let paused = true

  function activeRuns(): RunRow[] {
    return [...atWork.values()].map(({ driven }) => driven.run)
  }

  function slotFree(): boolean {
    return !paused && atWork.size < maxConcurrentRuns
  }

  async function fillSlots(): Promise<void> {
    const refused = new Set<string>()
    while (slotFree()) {
      const queued = await store.listQueued(lookAhead)
      // Nothing comes between this look at the holds and the claim.
      const ready = queued.filter(
        ({ runId, sessionId }) => !delayed.has(runId) && !refused.has(runId) && !options.isHeld(sessionId),
      )
      const chosen = nextRun(ready, activeRuns())
      if (!chosen || !slotFree()) return
      const at = Date.now()
      const run = await store.claimRun(chosen.runId, { owner, leaseUntil: at, at })
      if (run) {
        options.crashPoint?.('after-claim')
        options.observe?.({ kind: 'claimed', queuedMs: Math.max(0, at - run.createdAt), attempt: run.attempts })
      }
      const session = run && (await store.getSession(run.sessionId))
      if (run && session) putToWork(options.drive(run, session))
      else refused.add(chosen.runId)
    }
  }

  async function look(): Promise<void> {
    looking = true
    try {
      do {
        lookAgain = false
        await fillSlots()
      } while (lookAgain)
    } catch (err) {
      log.error({ err }, 'the queue could not be read')
    } finally {
      looking = false
    }
  }

  function kick(): void {
    if (looking) lookAgain = true
    else if (!paused) void look()
  }

  function putToWork(driven: DrivenRun): void {
    const { run } = driven
    const putAway = settle(driven)
      .catch((err: unknown) => log.error({ err, runId: run.runId }, 'a run could not be put away'))
      .finally(() => {
        atWork.delete(run.runId)
        kick()
        if (atWork.size > 0) return
        for (const resolve of idleWaiters) resolve()
        idleWaiters = []
      })
    atWork.set(run.runId, { driven, putAway })
  }

  async function settle(driven: DrivenRun): Promise<void> {
    const settlement = await driven.settled
    const { run } = driven
    if (settlement.kind === 'retry') {
      const delayMs = retryDelayMs * 2 ** (run.attempts - 1)
      log.warn({ err: settlement.error, runId: run.runId, delayMs }, 'the run could not start and is tried again')
      delayed.set(
        run.runId,
        setTimeout(() => {
          delayed.delete(run.runId)
          kick()
        }, delayMs),
      )
      await store.requeueRun({ sessionId: run.sessionId, runId: run.runId, epoch: run.epoch }, Date.now())
    }
    if (settlement.kind === 'ended') await options.onEnded(run)
  }

  return {
    kick,
    adopt: (run, session, progress) => putToWork(options.drive(run, session, progress)),
    find: (runId) => atWork.get(runId)?.driven,
    active: () => atWork.size,
    resume() {
      paused = false
      kick()
    },
    pause() {
      paused = true
      for (const timer of delayed.values()) clearTimeout(timer)
      delayed.clear()
    },
    async idle(signal) {
      signal.throwIfAborted()
      if (atWork.size === 0) return
      const { promise, resolve } = Promise.withResolvers<void>()
      idleWaiters.push(resolve)
      await withSignal(promise, signal)
    },
    async detachAll() {
      const all = [...atWork.values()]
      for (const { driven } of all) driven.detach()
      await Promise.all(all.map(({ putAway }) => putAway))
    },
  }
}
