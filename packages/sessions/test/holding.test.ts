import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AgentSession } from '@opencode-gateway/contracts'
import { begin, prompt, setup, tenant } from './setup.ts'

const limits = { forkTimeoutMs: 10, startTimeoutMs: 10, cancelGraceMs: 10 }

test('a fork that does not come to an end holds its session no longer than it may, and leaves nothing', async (t) => {
  const { sessions, executor } = await setup(t, { limits: { ...limits, startTimeoutMs: 10_000 } })
  const { sessionId, runId } = await begin(sessions, 'say: one')
  await sessions.waitForRun(runId, t.signal)
  const { fork } = executor
  const going = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  executor.fork = async (source, spec, ctx) => {
    await going.promise
    const agent = await fork?.(source, spec, { ...ctx, signal: t.signal })
    assert.ok(agent)
    const release: AgentSession['release'] = async (keep) => released.resolve(await agent.release(keep))
    return { ...agent, release }
  }
  const late = { code: 'EXECUTOR_UNAVAILABLE', message: /fork.*within 10 ms/ }
  await assert.rejects(sessions.fork(tenant, sessionId, {}, t.signal), late)
  const next = await sessions.addRun(tenant, sessionId, { ...prompt('say: two'), onBusy: 'queue', requestId: 'q' })
  assert.equal((await sessions.waitForRun(next.run.runId, t.signal)).state, 'completed')
  going.resolve()
  await released.promise
  assert.deepEqual([...executor.engine.sessions.keys()], [sessionId])
})

test('a release that does not come to an end is given up and tried again', async (t) => {
  const { sessions, executor, store } = await setup(t, { limits })
  const { open } = executor
  let works = false
  executor.open = async (...given) => {
    const agent = await open(...given)
    return { ...agent, release: (keep) => (works ? agent.release(keep) : new Promise(() => {})) }
  }
  const { sessionId, runId } = await begin(sessions, 'say: one')
  await sessions.waitForRun(runId, t.signal)
  const late = { code: 'EXECUTOR_UNAVAILABLE', message: /released/ }
  await assert.rejects(sessions.remove(tenant, sessionId), late)
  works = true
  await sessions.remove(tenant, sessionId)
  assert.ok((await store.getSession(sessionId))?.releasedAt)
  assert.deepEqual(executor.leftovers(), [])
})
