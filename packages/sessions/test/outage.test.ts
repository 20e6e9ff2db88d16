import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { ExecutorError, type Workspace } from '@opencode-gateway/contracts'
import { createFakeEngine } from '@opencode-gateway/executor-testing'
import { begin, databaseFile, setup, stop, tenant, type SetupOptions } from './setup.ts'

const away = (): ExecutorError => new ExecutorError('EXECUTOR_UNAVAILABLE', 'the daemon is away')

/** A gateway that starts while a run of the one before it works, in an executor that cannot be reached. */
async function startAgain(t: TestContext, options: SetupOptions = {}) {
  const file = await databaseFile(t)
  const engine = createFakeEngine()
  const before = await setup(t, { file, executor: { engine } })
  const { sessionId, runId } = await begin(before.sessions, 'gate: held\nsay: done')
  await before.executor.waitForGate('held', t.signal)
  await stop(before)
  let isAway = true
  const asked = new EventTarget()
  const executor = {
    engine,
    health: () => {
      asked.dispatchEvent(new Event('asked'))
      return isAway ? { ok: false, reason: 'the daemon is away' } : { ok: true }
    },
  }
  const after = await setup(t, { file, ...options, executor, paused: true })
  const { attach, sweep } = after.executor
  after.executor.attach = (...given) => (isAway ? Promise.reject(away()) : attach(...given))
  after.executor.sweep = (...given) => (isAway ? Promise.reject(away()) : sweep(...given))
  return {
    ...after,
    sessionId,
    runId,
    /** Settles when it has been looked for the executor once more. */
    missed: () => once(asked, 'asked', { signal: t.signal }),
    comeBack: () => void (isAway = false),
  }
}

test('a run is not given up because its executor is away when the gateway starts', async (t) => {
  const { sessions, executor, runId, missed, comeBack } = await startAgain(t)
  const starting = sessions.start(t.signal)
  await missed()
  comeBack()
  await starting
  executor.release('held')
  const run = await sessions.waitForRun(runId, t.signal)
  assert.equal(`${run.state} ${run.complete?.final_message}`, 'completed done')
})

test('the wait has an end: then nobody knows of the run, and the sweep alone waits on', async (t) => {
  const { sessions, runId, missed, comeBack } = await startAgain(t, { limits: { startTimeoutMs: 1 } })
  const starting = sessions.start(t.signal)
  assert.equal((await sessions.waitForRun(runId, t.signal)).state, 'interrupted')
  await missed()
  comeBack()
  await starting
})

test('a run that is cancelled while its executor is away is not left at work', async (t) => {
  const { sessions, executor, sessionId, runId, missed, comeBack } = await startAgain(t)
  const starting = sessions.start(t.signal)
  await missed()
  assert.deepEqual((await sessions.cancel(tenant, sessionId)).cancelledRuns, [runId])
  comeBack()
  await starting
  assert.equal((await sessions.waitForRun(runId, t.signal)).state, 'cancelled')
  assert.equal(executor.engine.sessions.get(sessionId)?.run?.outcome()?.status, 'cancelled')
})

test('a workspace that is made while the gateway starts is not taken for a leftover', async (t) => {
  const { sessions, executor } = await setup(t, { paused: true })
  const directories = new Set<string>()
  const workspace = { path: '/w' } as Workspace
  const swept = Promise.withResolvers<void>()
  const sweeping = Promise.withResolvers<void>()
  Object.assign(executor, {
    workspaces: {
      find: async (id: string) => (directories.has(id) ? workspace : undefined),
      make: async (id: string) => (directories.add(id), workspace),
    },
    async sweep(live: ReadonlySet<string>) {
      sweeping.resolve()
      await swept.promise
      for (const id of directories) if (!live.has(id)) directories.delete(id)
      return { removed: [], failed: [] }
    },
  })
  const starting = sessions.start(t.signal)
  await sweeping.promise
  const { session } = await sessions.create({ tenant, requestId: 'request' })
  const making = sessions.workspace(tenant, session.sessionId, { make: true })
  // What does not wait for the sweep has come to its end by then.
  for (let turn = 0; turn < 20; turn += 1) await sessions.get(tenant, session.sessionId)
  swept.resolve()
  await Promise.all([starting, making])
  assert.deepEqual([...directories], [session.sessionId])
})

test('what has to wait for the start does not wait for ever', async (t) => {
  const { sessions, executor } = await setup(t, { paused: true, limits: { startTimeoutMs: 10 } })
  const unneeded = () => Promise.reject(new Error('nothing is asked of it'))
  Object.assign(executor, { workspaces: { find: async () => undefined, make: unneeded } })
  const { session } = await sessions.create({ tenant, requestId: 'request' })
  const late = { code: 'EXECUTOR_UNAVAILABLE', retryable: true }
  await assert.rejects(sessions.workspace(tenant, session.sessionId, { make: true }), late)
  await assert.rejects(sessions.fork(tenant, session.sessionId, {}, t.signal), late)
})
