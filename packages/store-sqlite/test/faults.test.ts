import type { CompleteData } from '@opencode-gateway/contracts'
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { it } from 'node:test'
import { startStoreThread } from '../src/store-thread.ts'
import { makeTempDir, openStore } from './harness.ts'
import { newRun, newSession, noLimit } from './rows.ts'

const unavailable = { code: 'STORE_UNAVAILABLE' }

it('a full database refuses writes, keeps what it has, and takes writes again when there is room', async () => {
  await using dir = await makeTempDir()
  await using store = await openStore({ file: join(dir.path, 'gateway.db'), maxFileBytes: 1_000_000 })
  await store.createSession(newSession('s1'), newRun('r1', 's1'), noLimit)
  const run = await store.claimRun('r1', { owner: 'o', leaseUntil: 0, at: 1 })
  const fence = { sessionId: 's1', runId: 'r1', epoch: run?.epoch ?? 0 }
  const output = { type: 'output', data: { type: 'text', text: 'x'.repeat(50_000), part_id: 'p' } } as const
  const writes = await Promise.allSettled(Array.from({ length: 40 }, () => store.append(fence, [output], 1)))
  const acknowledged = writes.filter(({ status }) => status === 'fulfilled').length
  const [refused] = writes.flatMap((write) => (write.status === 'rejected' ? [write.reason as Error] : []))
  assert.ok(acknowledged > 0)
  assert.ok(refused)
  assert.match(refused.message, /is full/)
  assert.equal((await store.getSession('s1'))?.lastSeq, acknowledged + 2)

  const complete: CompleteData = {
    outcome: 'failed',
    success: false,
    final_message: '',
    files_modified: [],
    usage: {
      tokens: { input: 0, output: 0, reasoning: 0, cache_read: 0, cache_write: 0 },
      cost_usd: 0,
      model_calls: 0,
    },
    timings: { queued_ms: 0, total_ms: 0 },
  }
  const patch = { state: 'failed', endedAt: 2, complete } as const
  await store.append(fence, [{ type: 'complete', data: complete }], 2, patch)
  await store.expire(3, 3, 1_000)
  await store.createSession(newSession('s2'), newRun('r2', 's2'), noLimit)
})

it('a write that SQLite refuses takes nothing from those that share its transaction', async () => {
  await using dir = await makeTempDir()
  await using store = await openStore({ file: join(dir.path, 'gateway.db') })
  // The run id of the second one is taken, which shows only after its session has been inserted.
  const writes = [
    store.createSession(newSession('s1'), newRun('r1', 's1'), noLimit),
    store.createSession(newSession('s2'), newRun('r1', 's2'), noLimit),
    store.createSession(newSession('s3'), newRun('r3', 's3'), noLimit),
  ]
  const results = await Promise.allSettled(writes)
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  await assert.rejects(Promise.all(writes), unavailable)
  assert.equal(await store.getSession('s2'), undefined)
  assert.equal((await store.getRun('r3'))?.sessionId, 's3')
})

it('a thread that dies fails what waits for it and everything after', async () => {
  const crashes: Error[] = []
  const options = { file: 'none', owner: '', maxFileBytes: undefined }
  const entry = new URL('./processes/dying-worker.ts', import.meta.url)
  const thread = await startStoreThread(options, (error) => crashes.push(error), entry)
  const calls = [thread.call('getSession', 's1'), thread.call('getRun', 'r1')]
  for (const call of calls) await assert.rejects(call, { ...unavailable, message: /its thread has died/ })
  await thread.close()
  await assert.rejects(thread.call('getRun', 'r1'), unavailable)
  assert.equal(crashes.length, 1)
})

it('another program can read the database while it is in use', async () => {
  await using dir = await makeTempDir()
  const file = join(dir.path, 'gateway.db')
  await using store = await openStore({ file })
  await store.createSession(newSession('s1'), undefined, noLimit)
  const db = new DatabaseSync(file, { readOnly: true })
  assert.deepEqual({ ...db.prepare('SELECT session_id FROM sessions').get() }, { session_id: 's1' })
  db.close()
})

it('a call that cannot cross to the thread fails alone', async () => {
  await using dir = await makeTempDir()
  await using store = await openStore({ file: join(dir.path, 'gateway.db') })
  const strange = { ...newSession('s1'), callback: () => 1 }
  const wrong = store.createSession(strange, undefined, noLimit)
  const right = store.createSession(newSession('s2'), undefined, noLimit)
  await assert.rejects(wrong, { ...unavailable, message: /could not be cloned/ })
  assert.equal((await right).status, 'created')
})
