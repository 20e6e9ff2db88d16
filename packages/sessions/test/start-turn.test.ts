import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SessionSpec } from '@opencode-gateway/contracts'
import { begin, setup } from './setup.ts'

test('waiting for others to start is no part of the start limit, and the limit of the run ends it', async (t) => {
  const specs: SessionSpec[] = []
  const { sessions, executor } = await setup(t, {
    executor: {
      opening(spec) {
        const gate = ['patient', 'hasty', 'silent'][specs.push(spec) - 1] ?? ''
        if (gate !== 'silent') spec.onWaiting?.(true)
        return { gate }
      },
    },
    limits: { startTimeoutMs: 300 },
  })
  const order = async (gate: string, timeoutMs: number): Promise<string> => {
    const { runId } = await begin(sessions, 'say: done', { timeoutMs })
    await executor.waitForGate(gate, t.signal)
    return runId
  }
  const codeOf = async (runId: string) => (await sessions.waitForRun(runId, t.signal)).complete?.error?.code
  const patient = await order('patient', 60_000)
  const hasty = await order('hasty', 300)
  // It began later, and its start is over before that of the patient one has begun.
  assert.equal(await codeOf(await order('silent', 60_000)), 'START_TIMEOUT')
  assert.equal(await codeOf(hasty), 'RUN_TIMEOUT')
  specs[0]?.onWaiting?.(false)
  executor.release('patient')
  assert.equal(await codeOf(patient), undefined)
})

test('the start limit counts from when the wait is over', async (t) => {
  const { sessions } = await setup(t, {
    executor: {
      opening(spec) {
        spec.onWaiting?.(true)
        spec.onWaiting?.(false)
        return { gate: 'never' }
      },
    },
    limits: { startTimeoutMs: 50 },
  })
  const { runId } = await begin(sessions, 'say: hello')
  assert.equal((await sessions.waitForRun(runId, t.signal)).complete?.error?.code, 'START_TIMEOUT')
})
