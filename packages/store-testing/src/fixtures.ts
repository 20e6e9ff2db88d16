import type {
  Admission,
  CompleteData,
  EventBody,
  Fence,
  IdempotencyKey,
  LogEvent,
  NewRun,
  NewSession,
  Outcome,
  RunPatch,
  RunRow,
  SessionRow,
  Store,
} from '@opencode-gateway/contracts'
import assert from 'node:assert/strict'

/** When everything here happens; cases add seconds to it. */
export const noon = 1_800_000_000_000
export const claim = { owner: 'gateway-a', leaseUntil: noon + 30_000, at: noon + 10 }
export const roomy: Admission = { maxQueued: 10_000 }

export function session(sessionId: string, change: Partial<NewSession> = {}): NewSession {
  return {
    sessionId,
    tenant: 'acme',
    executor: 'server',
    title: `title of ${sessionId}`,
    labels: {},
    createdAt: noon,
    oneShot: false,
    keepWorkspace: false,
    ...change,
  }
}

export function run(runId: string, sessionId: string, change: Partial<NewRun> = {}): NewRun {
  return {
    runId,
    sessionId,
    tenant: 'acme',
    input: { kind: 'prompt', runId, prompt: `do ${runId}` },
    limits: { wallMs: 60_000, idleMs: 30_000, askMs: 30_000, modelCalls: 100 },
    requestId: `request-of-${runId}`,
    createdAt: noon,
    ...change,
  }
}

export function key(change: Partial<IdempotencyKey> = {}): IdempotencyKey {
  return { tenant: 'acme', route: 'POST /sessions', key: 'k', digest: 'd', expiresAt: noon + 60_000, ...change }
}

export function text(value: string): EventBody {
  return { type: 'output', data: { type: 'text', text: value, part_id: 'part-1' } }
}

export function complete(outcome: Outcome): CompleteData {
  return {
    outcome,
    success: outcome === 'completed',
    final_message: `it is ${outcome}`,
    files_modified: [],
    usage: {
      tokens: { input: 1, output: 2, reasoning: 0, cache_read: 0, cache_write: 0 },
      cost_usd: null,
      model_calls: 1,
    },
    timings: { queued_ms: 10, total_ms: 100 },
  }
}

export function ending(outcome: Outcome, endedAt = noon + 100): { event: EventBody; patch: RunPatch } {
  const data = complete(outcome)
  return { event: { type: 'complete', data }, patch: { state: outcome, endedAt, complete: data } }
}

/** A session with a queued run in it. */
export async function queueRun(store: Store, runId: string, sessionId: string): Promise<SessionRow> {
  const result = await store.createSession(session(sessionId), run(runId, sessionId), roomy)
  assert.equal(result.status, 'created')
  return result.session
}

export async function addRun(store: Store, runId: string, sessionId: string): Promise<RunRow> {
  const result = await store.addRun(run(runId, sessionId), { ...roomy, rejectWhenBusy: false })
  assert.equal(result.status, 'created')
  return result.run
}

export function fenceOf({ sessionId, runId, epoch }: RunRow): Fence {
  return { sessionId, runId, epoch }
}

export async function claimed(store: Store, runId: string): Promise<Fence> {
  const row = await store.claimRun(runId, claim)
  assert.ok(row, `run "${runId}" can be claimed`)
  return fenceOf(row)
}

/** A session with a run that is at work. */
export async function startRun(store: Store, runId: string, sessionId: string): Promise<Fence> {
  await queueRun(store, runId, sessionId)
  return claimed(store, runId)
}

export async function endRun(store: Store, fence: Fence, endedAt = noon + 100): Promise<void> {
  const { event, patch } = ending('completed', endedAt)
  await store.append(fence, [event], endedAt, patch)
}

/** A session whose only run has ended: three events. */
export async function endedRun(store: Store, runId: string, sessionId: string, endedAt: number): Promise<void> {
  await endRun(store, await startRun(store, runId, sessionId), endedAt)
}

export async function page(store: Store, sessionId: string, after = 0, limit = 1_000): Promise<readonly LogEvent[]> {
  const result = await store.readEvents({ sessionId, after, limit })
  assert.equal(result.status, 'ok')
  return result.events
}

export function texts(events: readonly LogEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'output' ? [event.data.text] : []))
}

export function assertDense(events: readonly LogEvent[], firstSeq = 1): void {
  const expected = events.map((_, index) => firstSeq + index)
  assert.deepEqual(
    events.map(({ seq }) => seq),
    expected,
    'the numbers have no gap and no duplicate',
  )
}

export async function getSession(store: Store, sessionId: string): Promise<SessionRow> {
  const row = await store.getSession(sessionId)
  assert.ok(row, `session "${sessionId}" is there`)
  return row
}

export async function getRun(store: Store, runId: string): Promise<RunRow> {
  const row = await store.getRun(runId)
  assert.ok(row, `run "${runId}" is there`)
  return row
}

export function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index))
}
