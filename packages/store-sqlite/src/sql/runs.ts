import type { NewRun, RunPatch } from '@opencode-gateway/contracts'
import type { DatabaseSync } from 'node:sqlite'
import type { RunRecord } from '../records.ts'
import { prepareQuery } from './query.ts'

export const selectRun = `
  SELECT r.id, r.run_id, s.session_id, s.tenant, i.input, i.limits, r.state, r.epoch, r.owner, r.lease_until, r.attempts,
    r.request_id, r.created_at, r.claimed_at, r.prompted_at, r.ended_at, r.cancel_requested_at,
    r.progress, r.current_tool, r.asks, r.complete
  FROM runs r JOIN sessions s ON s.id = r.session JOIN run_inputs i ON i.run = r.id`

/** What a write has to know of the run it is for, and of the log it goes to. */
export interface RunHead {
  id: number
  session: number
  sessionId: string
  epoch: number
  state: string
  endedAt: number | null
  promptedAt: number | null
  cancelRequestedAt: number | null
  closedAt: number | null
  lastSeq: number
}

/** A run whose input and limits are JSON already. */
export type RunText = Omit<NewRun, 'input' | 'limits'> & { input: string; limits: string }
/** A patch whose `complete` and `asks` are JSON already. */
export type PatchText = Omit<RunPatch, 'complete' | 'asks'> & { complete?: string; asks?: string }

export type RunSql = ReturnType<typeof createRunSql>

export function createRunSql(db: DatabaseSync) {
  const byId = prepareQuery<RunRecord>(db, `${selectRun} WHERE r.run_id = ?`)
  const byNumber = prepareQuery<RunRecord>(db, `${selectRun} WHERE r.id = ?`)
  const openOfSession = prepareQuery<RunRecord>(
    db,
    `${selectRun} WHERE r.session = ? AND r.ended_at IS NULL ORDER BY r.id`,
  )
  const head = prepareQuery<RunHead>(
    db,
    `SELECT r.id, r.session, s.session_id AS sessionId, r.epoch, r.state, r.ended_at AS endedAt,
       r.prompted_at AS promptedAt, r.cancel_requested_at AS cancelRequestedAt, s.closed_at AS closedAt,
       s.last_seq AS lastSeq
     FROM runs r JOIN sessions s ON s.id = r.session WHERE r.run_id = ?`,
  )
  const firstOpen = prepareQuery<{ id: number; run_id: string }>(
    db,
    'SELECT id, run_id FROM runs WHERE session = ? AND ended_at IS NULL ORDER BY id LIMIT 1',
  )
  const queued = prepareQuery<{ value: number }>(db, "SELECT value FROM counters WHERE name = 'queued'")
  const atWork = prepareQuery<{ value: number }>(
    db,
    "SELECT count(*) AS value FROM runs WHERE ended_at IS NULL AND state <> 'queued'",
  )
  const queuedOfTenant = prepareQuery<{ value: number }>(
    db,
    "SELECT count(*) AS value FROM runs WHERE tenant = ? AND state = 'queued'",
  )
  const openCounts = prepareQuery<{ queued: number; working: number }>(
    db,
    `SELECT count(*) FILTER (WHERE state = 'queued') AS queued, count(*) FILTER (WHERE state <> 'queued') AS working
     FROM runs WHERE session = ? AND ended_at IS NULL`,
  )
  const insert = db.prepare(`
    INSERT INTO runs (run_id, session, tenant, state, request_id, created_at) VALUES (?, ?, ?, 'queued', ?, ?)`)
  const insertInput = db.prepare('INSERT INTO run_inputs VALUES (?, ?, ?)')
  const insertKey = db.prepare('INSERT INTO run_keys VALUES (?, ?)')
  const dropKey = db.prepare('DELETE FROM run_keys WHERE run = ?')
  const key = prepareQuery<{ sealed: string }>(
    db,
    'SELECT k.sealed FROM runs r JOIN run_keys k ON k.run = r.id WHERE r.run_id = ?',
  )
  const claim = db.prepare(`
    UPDATE runs SET state = 'starting', epoch = epoch + 1, attempts = attempts + 1, owner = ?, lease_until = ?,
      claimed_at = ? WHERE id = ?`)
  // The epoch moves on, so that the owner that gave it back can no longer write.
  const requeue = db.prepare(`
    UPDATE runs SET state = 'queued', epoch = epoch + 1, owner = NULL, lease_until = NULL, claimed_at = NULL,
      progress = 0, current_tool = NULL, asks = '[]' WHERE id = ?`)
  const adopt = db.prepare('UPDATE runs SET epoch = epoch + 1, owner = ?, lease_until = ? WHERE id = ?')
  const patch = db.prepare(`
    UPDATE runs SET lease_until = coalesce(?, lease_until), prompted_at = coalesce(?, prompted_at),
      progress = coalesce(?, progress), asks = coalesce(?, asks), current_tool = CASE WHEN ? THEN ? ELSE current_tool END WHERE id = ?`)
  const state = db.prepare(`
    UPDATE runs SET state = ?, ended_at = ?, complete = ?, asks = CASE WHEN ? IS NULL THEN asks ELSE '[]' END WHERE id = ?`)
  const cancel = db.prepare(`
    UPDATE runs SET cancel_requested_at = coalesce(cancel_requested_at, ?)
    WHERE session = ? AND ended_at IS NULL AND (? IS NULL OR run_id = ?)`)

  return {
    get: (runId: string) => byId.get(runId),
    key: (runId: string) => key.get(runId)?.sealed,
    getByNumber: (run: number) => byNumber.get(run),
    head: (runId: string) => head.get(runId),
    firstOpen: (session: number) => firstOpen.get(session),
    openOfSession: (session: number) => openOfSession.all(session),
    queued: () => queued.get()?.value ?? 0,
    queuedOfTenant: (tenant: string) => queuedOfTenant.get(tenant)?.value ?? 0,
    openCounts: (session: number) => openCounts.get(session) ?? { queued: 0, working: 0 },
    atWork: () => atWork.get()?.value ?? 0,

    insert(session: number, run: RunText): number {
      const { runId, tenant, requestId, createdAt, input, limits, sealedKey } = run
      const { lastInsertRowid } = insert.run(runId, session, tenant, requestId, createdAt)
      insertInput.run(lastInsertRowid, input, limits)
      if (sealedKey !== undefined) insertKey.run(lastInsertRowid, sealedKey)
      return Number(lastInsertRowid)
    },
    claim: (run: number, owner: string, leaseUntil: number, at: number) => claim.run(owner, leaseUntil, at, run),
    requeue: (run: number) => requeue.run(run),
    adopt: (run: number, owner: string, leaseUntil: number) => adopt.run(owner, leaseUntil, run),
    patch(run: number, change: PatchText): void {
      const { leaseUntil, promptedAt, progress, asks, currentTool } = change
      const setTool = Number(currentTool !== undefined)
      patch.run(
        leaseUntil ?? null,
        promptedAt ?? null,
        progress ?? null,
        asks ?? null,
        setTool,
        currentTool ?? null,
        run,
      )
      if (change.state === undefined) return
      const endedAt = change.endedAt ?? null
      state.run(change.state, endedAt, change.complete ?? null, endedAt, run)
      if (endedAt !== null) dropKey.run(run)
    },
    requestCancel: (session: number, at: number, runId: string | undefined) =>
      cancel.run(at, session, runId ?? null, runId ?? null),
  }
}
