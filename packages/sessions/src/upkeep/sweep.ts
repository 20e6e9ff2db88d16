import type { CallContext, Executor, SessionRow, Store } from '@opencode-gateway/contracts'
import { throughOutage } from './outage.ts'
import { isOver } from '../session-over.ts'

export interface SweepOptions {
  store: Store
  executors: ReadonlyMap<string, Executor>
  /** Releases a session that is over and closes it. */
  release(session: SessionRow): Promise<void>
}

/** Runs read at once. A store has at most MAX_QUEUED_RUNS + MAX_CONCURRENT_SESSIONS open ones. */
export const maxOpenRuns = 100_000

/** Releases what a former process did not get to release, then lets the executors remove what no session needs. */
export async function sweep({ store, executors, release }: SweepOptions, ctx: CallContext): Promise<void> {
  const live = new Set<string>()
  for (const run of await store.listOpenRuns(maxOpenRuns)) live.add(run.sessionId)
  for await (const session of heldSessions(store)) {
    ctx.signal.throwIfAborted()
    if ((await isOver(session, store)) && (await isReleased(session, release, ctx))) continue
    live.add(session.sessionId)
  }
  for (const executor of executors.values()) {
    // Nothing can be started meanwhile, and what is not swept now may work on unseen.
    const report = await throughOutage(() => executor.sweep(live, ctx), { executor }, ctx)
    if (report.removed.length > 0 || report.failed.length > 0) {
      ctx.log.info({ executor: executor.name, ...report }, 'swept what no session needs')
    }
  }
}

async function isReleased(session: SessionRow, release: SweepOptions['release'], ctx: CallContext): Promise<boolean> {
  try {
    await release(session)
    return true
  } catch (err) {
    ctx.log.warn({ err, sessionId: session.sessionId }, 'a session that is over could not be released')
    return false
  }
}

async function* heldSessions(store: Store): AsyncGenerator<SessionRow> {
  let after: { createdAt: number; sessionId: string } | undefined
  for (;;) {
    const held = await store.listHeld(1_000, after)
    yield* held
    const last = held.at(-1)
    if (!last) return
    after = { createdAt: last.createdAt, sessionId: last.sessionId }
  }
}
