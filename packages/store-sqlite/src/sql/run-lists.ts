import type { DatabaseSync } from 'node:sqlite'
import type { QueuedRecord, RunRecord } from '../records.ts'
import { prepareQuery } from './query.ts'
import { selectRun } from './runs.ts'

/** A queued run that nothing but a free slot keeps from its claim. */
const claimable = `
  r.state = 'queued' AND r.cancel_requested_at IS NULL AND s.closed_at IS NULL AND NOT EXISTS
    (SELECT 1 FROM runs before WHERE before.session = r.session AND before.ended_at IS NULL AND before.id < r.id)`

/** Lists of runs, in the order in which the store took them in. */
export function createRunLists(db: DatabaseSync) {
  const ofSession = prepareQuery<RunRecord>(db, `${selectRun} WHERE s.session_id = ? ORDER BY r.id DESC LIMIT ?`)
  const open = prepareQuery<RunRecord>(db, `${selectRun} WHERE r.ended_at IS NULL ORDER BY r.id LIMIT ?`)
  const queued = prepareQuery<QueuedRecord>(
    db,
    `SELECT r.id, r.run_id, s.session_id, s.tenant, r.created_at FROM runs r JOIN sessions s ON s.id = r.session
     WHERE r.tenant = ? AND ${claimable} ORDER BY r.id LIMIT ?`,
  )
  const tenantAfter = prepareQuery<{ tenant: string | null }>(
    db,
    "SELECT min(tenant) AS tenant FROM runs WHERE state = 'queued' AND tenant > ?",
  )
  const position = prepareQuery<{ position: number }>(
    db,
    `SELECT (SELECT count(*) FROM runs before WHERE before.state = 'queued' AND before.id <= r.id) AS position
     FROM runs r WHERE r.run_id = ? AND r.state = 'queued'`,
  )

  /** One step of the index for each, however many runs they have. */
  function* tenantsInLine(): Generator<string> {
    for (let last: string | null | undefined = ''; ;) {
      last = tenantAfter.get(last)?.tenant
      if (last === null || last === undefined) return
      yield last
    }
  }

  return {
    latest: (sessionId: string, limit: number) => ofSession.all(sessionId, limit).toReversed(),
    open: (limit: number) => open.all(limit),
    queued: (limit: number) =>
      [...tenantsInLine()].flatMap((tenant) => queued.all(tenant, limit)).toSorted((a, b) => a.id - b.id),
    queuePosition: (runId: string) => position.get(runId)?.position,
  }
}
