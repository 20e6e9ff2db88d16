import type { Admission, IdempotencyKey, NewSession, QueueFull } from '@opencode-gateway/contracts'
import type { RunRecord, SessionRecord } from './records.ts'
import type { EventSql } from './sql/events.ts'
import type { IdempotencySql, Replay } from './sql/idempotency.ts'
import type { RunSql, RunText } from './sql/runs.ts'
import type { SessionSql } from './sql/sessions.ts'

export type CreateRecord =
  | { status: 'created'; session: SessionRecord; run: RunRecord | undefined }
  | { status: 'replayed'; session: SessionRecord; run: RunRecord | undefined }
  | { status: 'exists' }
  | { status: 'key_mismatch' }
  | QueueFull

export type AddRecord =
  | { status: 'created' | 'replayed'; run: RunRecord }
  | { status: 'not_found' | 'closed' | 'key_mismatch' }
  | { status: 'busy'; runId: string }
  | QueueFull

interface AdmissionOptions {
  sessions: SessionSql
  runs: RunSql
  events: EventSql
  keys: IdempotencySql
}

const accepted = [['status', JSON.stringify({ status: 'pending' })]] as const

/** How sessions and runs come in. The key decides first: what was answered once is answered again, whatever has become full since. */
export function createAdmission({ sessions, runs, events, keys }: AdmissionOptions) {
  function insertRun(session: { id: number; lastSeq: number }, run: RunText): number {
    const id = runs.insert(session.id, run)
    sessions.addRun(session.id, id)
    events.append({ session: session.id, lastSeq: session.lastSeq, run: id, epoch: 0 }, accepted, run.createdAt)
    return id
  }

  function queueFull({ maxQueued, maxQueuedOfTenant, slots = 0 }: Admission, tenant: string): QueueFull | undefined {
    const free = Math.max(0, slots - runs.atWork())
    if (maxQueuedOfTenant !== undefined) {
      const queued = runs.queuedOfTenant(tenant)
      if (queued >= maxQueuedOfTenant + free) return { status: 'queue_full', queued, of: 'tenant' }
    }
    const queued = runs.queued()
    return queued >= maxQueued + free ? { status: 'queue_full', queued } : undefined
  }

  function sessionFull({ maxQueuedOfSession }: Admission, session: number): QueueFull | undefined {
    if (maxQueuedOfSession === undefined) return undefined
    const { queued, working } = runs.openCounts(session)
    const free = working > 0 ? 0 : 1
    return queued >= maxQueuedOfSession + free ? { status: 'queue_full', queued, of: 'session' } : undefined
  }

  function replay(admission: Admission, now: number): Replay | 'key_mismatch' | undefined {
    const { idempotency } = admission
    const known = idempotency && keys.find(idempotency, now)
    return known && known.digest !== idempotency.digest ? 'key_mismatch' : known
  }

  return {
    findCreated(
      key: IdempotencyKey,
      now: number,
    ): Extract<CreateRecord, { status: 'replayed' | 'key_mismatch' }> | undefined {
      const known = replay({ maxQueued: 0, idempotency: key }, now)
      if (known === 'key_mismatch') return { status: 'key_mismatch' }
      return known && { status: 'replayed', session: sessionOf(known.session), run: runOf(known.run) }
    },

    createSession(session: NewSession, run: RunText | undefined, admission: Admission): CreateRecord {
      const known = replay(admission, session.createdAt)
      if (known === 'key_mismatch') return { status: 'key_mismatch' }
      if (known) return { status: 'replayed', session: sessionOf(known.session), run: runOf(known.run) }
      if (sessions.numberOf(session.sessionId) !== undefined) return { status: 'exists' }
      const full = run && queueFull(admission, session.tenant)
      if (full) return full
      const id = sessions.insert(session)
      const runNumber = run && insertRun({ id, lastSeq: 0 }, run)
      if (admission.idempotency) keys.remember(admission.idempotency, id, runNumber)
      return { status: 'created', session: sessionOf(id), run: runOf(runNumber) }
    },

    addRun(run: RunText, admission: Admission & { rejectWhenBusy: boolean }): AddRecord {
      const known = replay(admission, run.createdAt)
      if (known === 'key_mismatch') return { status: 'key_mismatch' }
      const earlier = known && runOf(known.run)
      if (earlier) return { status: 'replayed', run: earlier }
      const session = sessions.get(run.sessionId)
      if (session === undefined || session.tenant !== run.tenant) return { status: 'not_found' }
      if (session.closed_at !== null) return { status: 'closed' }
      const other = admission.rejectWhenBusy ? runs.firstOpen(session.id) : undefined
      if (other) return { status: 'busy', runId: other.run_id }
      const full = sessionFull(admission, session.id) ?? queueFull(admission, session.tenant)
      if (full) return full
      const id = insertRun({ id: session.id, lastSeq: session.last_seq }, run)
      if (admission.idempotency) keys.remember(admission.idempotency, session.id, id)
      return { status: 'created', run: there(runs.getByNumber(id)) }
    },
  }

  function sessionOf(id: number): SessionRecord {
    return there(sessions.getByNumber(id))
  }

  function runOf(id: number | null | undefined): RunRecord | undefined {
    return id === null || id === undefined ? undefined : there(runs.getByNumber(id))
  }
}

function there<T>(row: T | undefined): T {
  if (row === undefined) throw new Error('a row that was written in this transaction is not there')
  return row
}
