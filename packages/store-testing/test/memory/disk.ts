import {
  FencedError,
  GatewayError,
  type EventBody,
  type Fence,
  type LogEvent,
  type ModelUsage,
  type PendingReason,
  type ProviderRow,
  type ProviderStore,
  type RaisedLimit,
  type RunRow,
  type SessionRow,
  type Store,
  type UsageLog,
  type WorkspaceFill,
} from '@opencode-gateway/contracts'

/** What a memory store keeps; it outlives the store as a disk outlives a process. */
export interface Disk {
  sessions: Map<string, SessionRow>
  fills: Map<string, WorkspaceFill>
  /** In the order in which they came. */
  runs: Map<string, RunRow>
  /** Sealed, by run. */
  runKeys: Map<string, string>
  logs: Map<string, LogEvent[]>
  keys: Map<string, Key>
  /** Every version that is kept, in the order in which they came. */
  providers: ProviderRow[]
  usage: ModelUsage[]
  raised: RaisedLimit[]
}

export interface Key {
  digest: string
  sessionId: string
  runId: string | undefined
  expiresAt: number
}

type WholeStore = Store & ProviderStore & UsageLog

/** The methods of a store, each in one synchronous step. */
export type Steps = {
  [M in Exclude<keyof WholeStore, 'open' | 'close'>]: (
    ...args: Parameters<WholeStore[M]>
  ) => Awaited<ReturnType<WholeStore[M]>>
}

export function emptyDisk(): Disk {
  return {
    sessions: new Map(),
    fills: new Map(),
    runs: new Map(),
    runKeys: new Map(),
    logs: new Map(),
    keys: new Map(),
    providers: [],
    usage: [],
    raised: [],
  }
}

export function isOpen(run: RunRow): boolean {
  return run.endedAt === undefined
}

export function openRuns(disk: Disk, sessionId?: string): RunRow[] {
  return [...disk.runs.values()].filter((run) => isOpen(run) && (sessionId ?? run.sessionId) === run.sessionId)
}

export function queuedRuns(disk: Disk): RunRow[] {
  return openRuns(disk).filter(({ state }) => state === 'queued')
}

export function claimable(disk: Disk, run: RunRow): boolean {
  const free = run.cancelRequestedAt === undefined && knownSession(disk, run.sessionId).closedAt === undefined
  return run.state === 'queued' && free && openRuns(disk, run.sessionId)[0] === run
}

export function knownSession(disk: Disk, sessionId: string): SessionRow {
  const session = disk.sessions.get(sessionId)
  if (!session) throw new GatewayError('SESSION_NOT_FOUND', `there is no session "${sessionId}"`)
  return session
}

export function heldRun(disk: Disk, { runId, sessionId, epoch }: Fence): RunRow {
  const run = disk.runs.get(runId)
  if (run?.sessionId !== sessionId || !isOpen(run) || run.epoch !== epoch) throw new FencedError(runId, 'fenced')
  return run
}

/** The session shows its runs. */
export function follow(disk: Disk, sessionId: string): void {
  const session = knownSession(disk, sessionId)
  const open = openRuns(disk, sessionId)
  const current = open[0] ?? [...disk.runs.values()].findLast((run) => run.sessionId === sessionId)
  const state = current?.state
  session.currentRunId = current?.runId
  session.status = state === undefined || state === 'queued' || state === 'starting' ? 'pending' : state
  session.openRuns = open.length
}

export function write(disk: Disk, run: RunRow, events: readonly EventBody[], at: number) {
  const session = knownSession(disk, run.sessionId)
  const log = disk.logs.get(run.sessionId) ?? []
  disk.logs.set(run.sessionId, log)
  const firstSeq = session.lastSeq + 1
  for (const event of events) {
    session.lastSeq += 1
    log.push({ ...event, seq: session.lastSeq, runId: run.runId, at })
  }
  session.updatedAt = Math.max(session.updatedAt, at)
  follow(disk, run.sessionId)
  return { firstSeq, lastSeq: session.lastSeq }
}

export function pending(reason?: PendingReason): EventBody {
  return { type: 'status', data: { status: 'pending', ...(reason !== undefined && { reason }) } }
}

export function limited<T>(rows: readonly T[], limit: number): T[] {
  if (!Number.isSafeInteger(limit) || limit < 0) throw new GatewayError('INTERNAL', `the limit ${limit} is none`)
  return rows.slice(0, limit)
}

export function forgetCredentials({ fills }: Disk, sessionId: string): void {
  const fill = fills.get(sessionId)
  if (!fill?.repository) return
  const { sealedCredentials: _, ...repository } = fill.repository
  fills.set(sessionId, { ...fill, repository })
}
