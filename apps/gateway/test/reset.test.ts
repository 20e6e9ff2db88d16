import assert from 'node:assert/strict'
import { realpath } from 'node:fs/promises'
import { test } from 'node:test'
import { GatewayError, type Workspaces } from '@opencode-gateway/contracts'
import { createDirectories, createWorkspaces } from '@opencode-gateway/workspaces'
import { eventually, startGateway, temporaryDirectory, type Gateway } from './gateway.ts'
import type { Lifetime } from './scope.ts'

interface HeldGateway extends Gateway {
  /** A session that has had its first run. */
  id: string
  /** How often a reset has begun. */
  begun(): number
  /** Lets the reset that is under way end, well or with this. */
  end(error?: Error): void
}

/** A gateway whose resets take until they are told to end. */
async function startHeldGateway(t: Lifetime): Promise<HeldGateway> {
  const directories = createDirectories(await realpath(await temporaryDirectory(t)))
  await directories.prepare()
  const workspaces = createWorkspaces({ directories })
  let [begun, ending] = [0, Promise.withResolvers<void>()]
  const held: Workspaces = {
    ...workspaces,
    async find(sessionId) {
      const found = await workspaces.find(sessionId)
      if (!found) return undefined
      const reset = async (): Promise<void> => {
        begun += 1
        await ending.promise
      }
      return { ...found, reset }
    },
  }
  const gateway = await startGateway(t, { workspaces: held })
  const made = await gateway.call('POST', '/sessions', { prompt: 'say: one' })
  const id = String(made.json()['session_id'])
  await workspaces.make(id)
  await eventually(t, async () => (await gateway.store.getSession(id))?.status === 'completed')
  return {
    ...gateway,
    id,
    begun: () => begun,
    end(error) {
      if (error) ending.reject(error)
      else ending.resolve()
      ending = Promise.withResolvers()
    },
  }
}

const messages = ({ id }: HeldGateway): string => `/sessions/${id}/messages`

async function stateOf({ store, id }: HeldGateway): Promise<string | undefined> {
  return (await store.listRuns(id, 1)).at(-1)?.state
}

for (const error of [undefined, new GatewayError('WORKSPACE_ERROR', 'the disk is gone')]) {
  const how = error ? 'fails' : 'ends'
  test(`a run that comes in during a reset is taken, waits, and goes on once the reset ${how}`, async (t) => {
    const gateway = await startHeldGateway(t)
    const reset = gateway.call('POST', `/sessions/${gateway.id}/reset`, {})
    await eventually(t, () => gateway.begun() === 1)
    const follow = await gateway.call('POST', messages(gateway), { prompt: 'say: two' })
    assert.equal(follow.status, 202, follow.text)
    // Another session's run comes and goes meanwhile: the queue has been looked at.
    const other = await gateway.call('POST', '/run', { prompt: 'say: other' })
    assert.equal(other.status, 200, other.text)
    assert.equal(await stateOf(gateway), 'queued')
    assert.equal(gateway.executor.inputs().length, 2)
    gateway.end(error)
    assert.equal((await reset).status, error ? 500 : 200)
    await eventually(t, async () => (await stateOf(gateway)) === 'completed')
  })
}

test('a reset while a run works or waits is refused and changes nothing', async (t) => {
  const gateway = await startHeldGateway(t)
  await gateway.call('POST', messages(gateway), { prompt: 'gate: open\nsay: two' })
  await gateway.executor.waitForGate('open', t.signal)
  const refused = await gateway.call('POST', `/sessions/${gateway.id}/reset`, {})
  assert.deepEqual([refused.status, refused.json()['code']], [409, 'SESSION_BUSY'])
  gateway.executor.release('open')
  await eventually(t, async () => (await stateOf(gateway)) === 'completed')
  assert.equal(gateway.begun(), 0)
})

test('a run and a reset that come at once never go on together', async (t) => {
  const gateway = await startHeldGateway(t)
  for (let round = 0; round < 20; round += 1) {
    const before = gateway.begun()
    const reset = gateway.call('POST', `/sessions/${gateway.id}/reset`, {})
    const follow = gateway.call('POST', messages(gateway), { prompt: `say: ${round}` })
    const runId = String((await follow).json()['run_id'])
    let refused = false
    void reset.then(({ status }) => (refused = status === 409))
    await eventually(t, () => gateway.begun() > before || refused)
    if (gateway.begun() > before) {
      assert.equal((await gateway.store.getRun(runId))?.state, 'queued', `round ${round}`)
      gateway.end()
      assert.equal((await reset).status, 200)
    }
    await eventually(t, async () => (await gateway.store.getRun(runId))?.state === 'completed')
  }
})

test('a session that is deleted during a reset is removed after it', async (t) => {
  const gateway = await startHeldGateway(t)
  const reset = gateway.call('POST', `/sessions/${gateway.id}/reset`, {})
  await eventually(t, () => gateway.begun() === 1)
  const removed = gateway.call('DELETE', `/sessions/${gateway.id}`)
  await eventually(t, async () => (await gateway.store.getSession(gateway.id))?.closedAt !== undefined)
  const late = gateway.call('POST', `/sessions/${gateway.id}/reset`, {})
  assert.equal((await gateway.store.getSession(gateway.id))?.releasedAt, undefined)
  gateway.end()
  assert.deepEqual([(await reset).status, (await removed).status], [200, 200])
  assert.equal((await late).json()['code'], 'SESSION_CLOSED')
  assert.equal(gateway.begun(), 1)
})

test('a reset counts as use of its session', async (t) => {
  const gateway = await startHeldGateway(t)
  const { id, call, store } = gateway
  const changedAt = async () => (await store.getSession(id))?.updatedAt ?? 0
  const before = await changedAt()
  await eventually(t, () => Date.now() > before)
  const reset = call('POST', `/sessions/${id}/reset`, {})
  await eventually(t, () => gateway.begun() === 1)
  assert.ok((await changedAt()) > before, 'from its begin on')
  gateway.end()
  assert.equal((await reset).status, 200)
})
