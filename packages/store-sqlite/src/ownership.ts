import type { Fence, PendingReason } from '@opencode-gateway/contracts'
import { Fenced, NoSession } from './failure.ts'
import type { EventText, RunRecord } from './records.ts'
import type { EventSql } from './sql/events.ts'
import type { RaisedSql } from './sql/raised.ts'
import type { PatchText, RunHead, RunSql } from './sql/runs.ts'
import type { SessionSql } from './sql/sessions.ts'

export interface Claim {
  owner: string
  leaseUntil: number
  at: number
}

interface OwnershipOptions {
  sessions: SessionSql
  runs: RunSql
  events: EventSql
  raised: RaisedSql
}

function pending(reason: PendingReason): readonly EventText[] {
  return [['status', JSON.stringify({ status: 'pending', reason })]]
}

/** Who may write to a run, and what its owner writes. */
export function createOwnership({ sessions, runs, events, raised }: OwnershipOptions) {
  function held({ runId, sessionId, epoch }: Fence): RunHead {
    const run = runs.head(runId)
    if (run === undefined || run.sessionId !== sessionId) throw new Fenced(runId, 'the session has no such run')
    if (run.endedAt !== null) throw new Fenced(runId, 'it has ended')
    if (run.epoch !== epoch) throw new Fenced(runId, `its epoch is ${run.epoch}, not ${epoch}`)
    return run
  }

  function write(run: RunHead, epoch: number, texts: readonly EventText[], at: number) {
    return events.append({ session: run.session, lastSeq: run.lastSeq, run: run.id, epoch }, texts, at)
  }

  return {
    claimRun(runId: string, { owner, leaseUntil, at }: Claim): RunRecord | undefined {
      const run = runs.head(runId)
      if (run?.state !== 'queued' || run.cancelRequestedAt !== null || run.closedAt !== null) return undefined
      if (runs.firstOpen(run.session)?.id !== run.id) return undefined
      runs.claim(run.id, owner, leaseUntil, at)
      write(run, run.epoch + 1, pending('starting'), at)
      return runs.getByNumber(run.id)
    },

    requeueRun(fence: Fence, at: number): void {
      const run = held(fence)
      if (run.promptedAt !== null) throw new Fenced(fence.runId, 'its prompt may have reached the engine')
      runs.requeue(run.id)
      write(run, run.epoch + 1, pending('requeued'), at)
      sessions.follow(run.session, run.id, 'queued')
    },

    adoptRun(runId: string, { owner, leaseUntil }: Claim): RunRecord | undefined {
      const run = runs.head(runId)
      if (run === undefined || run.endedAt !== null) return undefined
      runs.adopt(run.id, owner, leaseUntil)
      return runs.getByNumber(run.id)
    },

    append(fence: Fence, texts: readonly EventText[], at: number, patch: PatchText | undefined) {
      const run = held(fence)
      const place = write(run, run.epoch, texts, at)
      if (patch) runs.patch(run.id, patch)
      for (const limit of patch?.raised ?? []) raised.add(limit)
      if (patch?.state !== undefined) sessions.follow(run.session, run.id, patch.state)
      if (patch?.endedAt !== undefined) sessions.endRun(run.session, run.id, patch.endedAt)
      return place
    },

    requestCancel(sessionId: string, at: number, runId: string | undefined): RunRecord[] {
      const session = sessions.numberOf(sessionId)
      if (session === undefined) throw new NoSession(sessionId)
      runs.requestCancel(session, at, runId)
      return runs.openOfSession(session).filter((run) => runId === undefined || run.run_id === runId)
    },
  }
}
