import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import type { RunState } from '@opencode-gateway/contracts'
import { crashPoints, type CrashPoint } from '../src/index.ts'
import { databaseFile, eventsUntilEnd, setup, tenant } from './setup.ts'

const limitMs = 30_000

/** Runs the child until it has killed itself. */
async function crash(file: string, point: CrashPoint, prompt?: string): Promise<void> {
  const child = new URL('crash-child.ts', import.meta.url).pathname
  const args = [child, file, point, ...(prompt === undefined ? [] : [prompt])]
  const running = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const timer = setTimeout(() => running.kill('SIGTERM'), limitMs)
  const [, signal] = (await once(running, 'exit')) as [number | null, string | null]
  clearTimeout(timer)
  assert.equal(signal, 'SIGKILL', `the process did not reach "${point}"`)
}

/** What becomes of a run when the process dies there and the engine dies with it. */
const ends: Readonly<Record<(typeof crashPoints)[number], RunState>> = {
  'after-create': 'completed',
  'after-claim': 'completed',
  'after-ref': 'completed',
  'after-open': 'completed',
  'after-barrier': 'interrupted',
  'after-first-event': 'interrupted',
  'before-complete': 'interrupted',
  'after-complete': 'completed',
  'after-release': 'completed',
  'after-adopt': 'completed',
  'after-requeue': 'completed',
}

for (const point of crashPoints) {
  test(`a run is ${ends[point]}, once, after a crash at "${point}"`, async (t) => {
    const file = await databaseFile(t)
    const isInRecovery = point === 'after-adopt' || point === 'after-requeue'
    await crash(file, isInRecovery ? 'after-claim' : point, 'say: hello')
    if (isInRecovery) await crash(file, point)
    // The child's engine is gone and with it the sessions it had; one that had a ref cannot be attached to again.
    const { sessions, store, executor } = await setup(t, { file })
    const [session] = await sessions.list({ tenant, limit: 10 })
    assert.ok(session)
    const events = await eventsUntilEnd(sessions, session.sessionId, t.signal)
    assert.deepEqual(
      events.map(({ seq }) => seq),
      events.map((_, i) => i + 1),
    )
    assert.equal(events.filter(({ type }) => type === 'complete').length, 1)
    const [run] = await store.listRuns(session.sessionId, 10)
    assert.equal(run?.state, ends[point], run?.complete?.error?.message)
    await sessions.drain(t.signal)
    assert.deepEqual(executor.leftovers(), [])
    assert.ok((await store.getSession(session.sessionId))?.closedAt, 'a one-shot session is over with its run')
  })
}
