/** What goes wrong on the worker's side, in a form that crosses the thread. */
export type Failure =
  | { kind: 'fenced'; runId: string; reason: string }
  | { kind: 'no_session'; sessionId: string }
  | { kind: 'broken'; reason: string }

/** Thrown inside an operation; nothing of it is kept. */
export class Fenced extends Error {
  readonly runId: string
  readonly reason: string
  constructor(runId: string, reason: string) {
    super(reason)
    this.runId = runId
    this.reason = reason
  }
}

export class NoSession extends Error {
  readonly sessionId: string
  constructor(sessionId: string) {
    super(sessionId)
    this.sessionId = sessionId
  }
}

/** The database cannot be used, for a reason that is made for people. */
export class Unusable extends Error {}

export function toFailure(error: unknown): Failure {
  if (error instanceof Fenced) return { kind: 'fenced', runId: error.runId, reason: error.reason }
  if (error instanceof NoSession) return { kind: 'no_session', sessionId: error.sessionId }
  return { kind: 'broken', reason: reasonOf(error) }
}

// Primary result codes of https://sqlite.org/rescode.html
const sqliteReasons: Readonly<Record<number, string>> = {
  5: 'another program has locked it',
  8: 'it cannot be written to; check its permissions and those of its directory',
  10: 'the disk fails to read or write it',
  11: 'it is damaged; restore a backup',
  13: 'the disk, or the size set for the database, is full',
  14: 'it cannot be opened; check its directory and the permissions',
  26: 'it is damaged or not a database; restore a backup',
}

export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined
  // The upper bits of an extended code only refine the primary one.
  return error.errcode & 0xff
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const known = sqliteReasons[sqliteCode(error) ?? 0]
  return known === undefined ? error.message : `${known} (${error.message})`
}
