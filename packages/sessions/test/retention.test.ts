import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test, type TestContext } from 'node:test'
import type { SessionRow } from '@opencode-gateway/contracts'
import { startRetention } from '../src/upkeep/retention.ts'
import { begin, prompt, setup, silent, tenant } from './setup.ts'

async function eventually(t: TestContext, holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(5, undefined, { signal: t.signal })
}

test('a session whose retention is over is closed and released; one that works or is kept longer is not', async (t) => {
  const limits = { workspaceRetentionMs: 3_600_000, sweepIntervalMs: 5 }
  const { sessions, store, executor } = await setup(t, { limits })
  const make = async (text: string, retentionMs?: number) => {
    const order = {
      tenant,
      requestId: 'request',
      run: prompt(text),
      ...(retentionMs === undefined ? {} : { retentionMs }),
    }
    return (await sessions.create(order)).session.sessionId
  }
  const kept = await make('say: kept')
  const working = await make('gate: open\nsay: late', 1)
  const brief = await make('write: a.txt | a', 1)
  await executor.waitForGate('open', t.signal)
  const row = (id: string): Promise<SessionRow | undefined> => store.getSession(id)
  await eventually(t, async () => (await row(brief))?.releasedAt !== undefined)
  assert.equal((await row(brief))?.closedAt === undefined, false)
  assert.deepEqual(
    [...executor.engine.directories.values()].map(({ sessionId }) => sessionId).toSorted(),
    [kept, working].toSorted(),
  )
  await assert.rejects(sessions.addRun(tenant, brief, { ...prompt('say: more'), onBusy: 'queue', requestId: 'q' }), {
    code: 'SESSION_CLOSED',
  })
  assert.equal((await sessions.get(tenant, brief)).runs.length, 1, 'it can be read')
  assert.equal((await row(working))?.closedAt, undefined)
  executor.release('open')
  await eventually(t, async () => (await row(working))?.releasedAt !== undefined)
  assert.equal((await store.listRuns(working, 1)).at(-1)?.state, 'completed')
  assert.equal((await row(kept))?.closedAt, undefined)
})

test('a session that was deleted is forgotten in the end, with its runs and events', async (t) => {
  const { sessions, store } = await setup(t, { limits: { sessionRetentionMs: 1, sweepIntervalMs: 5 } })
  const { sessionId, runId } = await begin(sessions, 'say: hello')
  const open = await begin(sessions, 'say: stays')
  await sessions.waitForRun(runId, t.signal)
  await sessions.waitForRun(open.runId, t.signal)
  await sessions.remove(tenant, sessionId)
  await eventually(t, async () => (await store.getSession(sessionId)) === undefined)
  assert.equal(await store.getRun(runId), undefined)
  await assert.rejects(sessions.get(tenant, sessionId), { code: 'SESSION_NOT_FOUND' })
  assert.equal((await sessions.get(tenant, open.sessionId)).runs.length, 1)
})

test('what could not be released is tried again, and keeps nothing else from being removed', async (t) => {
  const { sessions, store, executor } = await setup(t, { limits: { workspaceRetentionMs: 1 } })
  for (const text of ['say: one', 'say: two']) {
    await sessions.waitForRun((await begin(sessions, text)).runId, t.signal)
  }
  const tried: string[] = []
  const retention = startRetention({
    store,
    log: silent,
    keepEventsMs: 3_600_000,
    keepSessionsMs: 3_600_000,
    keepUsageMs: 86_400_000,
    adoptMs: 3_600_000,
    intervalMs: 5,
    async release({ sessionId }) {
      tried.push(sessionId)
      if (tried.length === 1) throw new Error('the engine is away')
      await executor.engine.remove(sessionId, false)
    },
  })
  t.after(() => retention.close())
  await eventually(t, () => executor.engine.directories.size === 0)
  assert.equal(tried.length, 3)
  assert.equal(new Set(tried).size, 2)
})

test('a session of before there was a retention is closed in the end, and old usage is dropped', async (t) => {
  const { store } = await setup(t, { limits: { workspaceRetentionMs: 1, sweepIntervalMs: 5 }, paused: true })
  const made = {
    sessionId: 'old',
    tenant,
    executor: 'fake',
    title: '',
    labels: {},
    oneShot: false,
    keepWorkspace: false,
  }
  await store.createSession({ ...made, createdAt: Date.now() }, undefined, { maxQueued: 1 })
  const dropped: string[] = []
  const retention = startRetention({
    store: { ...store, dropUsage: async (before) => (dropped.push(before), 0) },
    log: silent,
    keepEventsMs: 3_600_000,
    keepSessionsMs: 3_600_000,
    keepUsageMs: 86_400_000,
    adoptMs: 1,
    intervalMs: 5,
    release: async () => {},
  })
  t.after(() => retention.close())
  await eventually(t, async () => (await store.getSession('old'))?.closedAt !== undefined)
  await eventually(t, () => dropped.length > 0)
  assert.ok(dropped.every((day) => day <= new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)))
})
