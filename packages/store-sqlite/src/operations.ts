import type { ExecutorRef } from '@opencode-gateway/contracts'
import type { DatabaseSync } from 'node:sqlite'
import { createAdmission } from './admission.ts'
import { createOwnership } from './ownership.ts'
import { createCheckSql } from './sql/check.ts'
import { createEventSql } from './sql/events.ts'
import { createExpirySql } from './sql/expiry.ts'
import { createIdempotencySql } from './sql/idempotency.ts'
import { createProviderSql } from './sql/providers.ts'
import { createRaisedSql } from './sql/raised.ts'
import { createRetentionSql } from './sql/retention.ts'
import { createRunLists } from './sql/run-lists.ts'
import { createRunSql } from './sql/runs.ts'
import { createSessionLists } from './sql/session-lists.ts'
import { createSessionSql } from './sql/sessions.ts'
import { createUsageSql } from './sql/usage.ts'

export type Operations = ReturnType<typeof createOperations>

/** Everything the worker can be asked for. A write runs inside a transaction that others share; a read outside. */
export function createOperations(db: DatabaseSync) {
  const sessions = createSessionSql(db)
  const runs = createRunSql(db)
  const events = createEventSql(db)
  const sessionLists = createSessionLists(db)
  const runLists = createRunLists(db)
  const checks = createCheckSql(db)
  const usage = createUsageSql(db)
  const raised = createRaisedSql(db)
  const retention = createRetentionSql(db, usage)
  const providers = createProviderSql(db)

  const { findCreated, ...admission } = createAdmission({ sessions, runs, events, keys: createIdempotencySql(db) })
  const writes = {
    ...admission,
    ...createOwnership({ sessions, runs, events, raised }),
    ...createExpirySql(db),
    closeExpired: (now: number, limit: number) =>
      retention.closeExpired(now, limit).flatMap((session) => sessions.getByNumber(session) ?? []),
    adoptRetention: retention.adoptRetention,
    forget: retention.forget,
    setRef: (sessionId: string, ref: ExecutorRef) => sessions.setRef(sessionId, ref),
    touchSession: (sessionId: string, at: number) => sessions.touch(sessionId, at),
    closeSession: (sessionId: string, at: number) => sessions.close(sessionId, at),
    setReleased: (sessionId: string, at: number) => sessions.setReleased(sessionId, at),
    writeCheck: checks.write,
    addUsage: usage.addUsage,
    dropUsage: usage.dropUsage,
    ...providers.writes,
  }
  const reads = {
    findCreated,
    getSession: sessions.get,
    getFill: sessions.getFill,
    getRun: runs.get,
    getRunKey: runs.key,
    readEvents: events.read,
    wasAsked: events.wasAsked,
    listSessions: sessionLists.list,
    listHeld: sessionLists.held,
    listRuns: runLists.latest,
    listOpenRuns: runLists.open,
    listQueued: runLists.queued,
    countQueued: runs.queued,
    queuePosition: runLists.queuePosition,
    readCheck: checks.read,
    sumUsage: usage.sumUsage,
    listRaised: raised.list,
    reportUsage: usage.reportUsage,
    ...providers.reads,
  }
  return { writes, reads }
}
