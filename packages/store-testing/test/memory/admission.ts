import type { Admission, NewRun, QueueFull, RunRow } from '@opencode-gateway/contracts'
import { openRuns, pending, queuedRuns, write, type Disk, type Key, type Steps } from './disk.ts'

const unset = {
  owner: undefined,
  leaseUntil: undefined,
  claimedAt: undefined,
  promptedAt: undefined,
  endedAt: undefined,
  cancelRequestedAt: undefined,
  currentTool: undefined,
  complete: undefined,
}

export function admissionSteps(disk: Disk): Pick<Steps, 'createSession' | 'findCreated' | 'addRun'> {
  const nameOf = ({ idempotency: key }: Admission): string => JSON.stringify([key?.tenant, key?.route, key?.key])

  function recall(admission: Admission, now: number): Key | 'mismatch' | undefined {
    const known = admission.idempotency && disk.keys.get(nameOf(admission))
    if (!known || known.expiresAt <= now) return undefined
    return known.digest === admission.idempotency?.digest ? known : 'mismatch'
  }

  function remember(admission: Admission, sessionId: string, runId: string | undefined): void {
    const { idempotency } = admission
    if (!idempotency) return
    const { digest, expiresAt } = idempotency
    disk.keys.set(nameOf(admission), { digest, expiresAt, sessionId, runId })
  }

  function insert({ sealedKey, ...run }: NewRun): RunRow {
    if (sealedKey !== undefined) disk.runKeys.set(run.runId, sealedKey)
    const row: RunRow = { ...run, state: 'queued', epoch: 0, attempts: 0, progress: 0, asks: [], ...unset }
    disk.runs.set(run.runId, row)
    write(disk, row, [pending()], run.createdAt)
    return row
  }

  function full({ maxQueued, maxQueuedOfTenant, slots = 0 }: Admission, of: string): QueueFull | undefined {
    const waiting = queuedRuns(disk)
    const free = Math.max(0, slots - (openRuns(disk).length - waiting.length))
    const ofTenant = waiting.filter(({ tenant }) => tenant === of).length
    if (maxQueuedOfTenant !== undefined && ofTenant >= maxQueuedOfTenant + free)
      return { status: 'queue_full', queued: ofTenant, of: 'tenant' }
    return waiting.length < maxQueued + free ? undefined : { status: 'queue_full', queued: waiting.length }
  }

  function sessionFull({ maxQueuedOfSession }: Admission, sessionId: string): QueueFull | undefined {
    const open = openRuns(disk, sessionId)
    const queued = open.filter(({ state }) => state === 'queued').length
    const free = open.length > queued ? 0 : 1
    if (maxQueuedOfSession === undefined || queued < maxQueuedOfSession + free) return undefined
    return { status: 'queue_full', queued, of: 'session' }
  }

  return {
    findCreated(key, at) {
      const known = recall({ maxQueued: 0, idempotency: key }, at)
      if (known === 'mismatch') return { status: 'key_mismatch' }
      const session = known && disk.sessions.get(known.sessionId)
      return session && { status: 'replayed', session, run: disk.runs.get(known.runId ?? '') }
    },

    createSession({ fill, ...wanted }, newRun, admission) {
      const known = recall(admission, wanted.createdAt)
      if (known === 'mismatch') return { status: 'key_mismatch' }
      const earlier = known && disk.sessions.get(known.sessionId)
      if (earlier) return { status: 'replayed', session: earlier, run: disk.runs.get(known.runId ?? '') }
      if (disk.sessions.has(wanted.sessionId)) return { status: 'exists' }
      const tooMany = newRun && full(admission, wanted.tenant)
      if (tooMany) return tooMany
      const absent = {
        ref: wanted.ref,
        retentionMs: wanted.retentionMs,
        closedAt: undefined,
        releasedAt: undefined,
        currentRunId: undefined,
      }
      const counts = { updatedAt: wanted.createdAt, firstSeq: 1, lastSeq: 0, openRuns: 0, status: 'idle' as const }
      const session = { ...wanted, ...counts, ...absent }
      disk.sessions.set(wanted.sessionId, session)
      if (fill) disk.fills.set(wanted.sessionId, fill)
      const run = newRun && insert(newRun)
      remember(admission, wanted.sessionId, run?.runId)
      return { status: 'created', session, run }
    },

    addRun(newRun, admission) {
      const known = recall(admission, newRun.createdAt)
      if (known === 'mismatch') return { status: 'key_mismatch' }
      const earlier = known && disk.runs.get(known.runId ?? '')
      if (earlier) return { status: 'replayed', run: earlier }
      const session = disk.sessions.get(newRun.sessionId)
      if (session?.tenant !== newRun.tenant) return { status: 'not_found' }
      if (session.closedAt !== undefined) return { status: 'closed' }
      const [busy] = admission.rejectWhenBusy ? openRuns(disk, newRun.sessionId) : []
      if (busy) return { status: 'busy', runId: busy.runId }
      const tooMany = sessionFull(admission, newRun.sessionId) ?? full(admission, newRun.tenant)
      if (tooMany) return tooMany
      const run = insert(newRun)
      remember(admission, newRun.sessionId, run.runId)
      return { status: 'created', run }
    },
  }
}
