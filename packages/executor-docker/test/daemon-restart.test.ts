import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { TestContext } from 'node:test'
import { ExecutorError } from '@opencode-gateway/contracts'
import { silentLog } from '@opencode-gateway/executor-testing'
import { createEngineClient } from '@opencode-gateway/opencode'
import { superviseContainer } from '../src/container/container-engine.ts'
import { createDaemon } from '../src/daemon/daemon.ts'
import { createDiscarded } from '../src/container/discard.ts'
import { noOwnDaemon, startOwnDaemon } from './own-daemon.ts'
import type { OwnDaemon } from './own-daemon.ts'
import { soon } from './scene.ts'

/** A container of which the daemon is told nothing but what a session's engine would be. */
async function supervised(t: TestContext, { daemon, body, socketPath }: OwnDaemon, onFailed = () => {}) {
  const containerId = await daemon.create('supervised', body, soon())
  await daemon.start(containerId, soon())
  const failed: ExecutorError[] = []
  const client = createEngineClient({
    baseUrl: 'http://engine',
    connect: () => Promise.reject(new Error('nobody connects')),
    username: 'opencode',
    password: 'none',
    log: silentLog,
    permissions: {},
    configured: true,
  })
  const hasty = createDaemon({ address: { socketPath }, timeoutMs: 300 })
  const discarded = createDiscarded({ daemon: hasty, log: silentLog, timeoutMs: 2_000 })
  const engine = superviseContainer({
    daemon,
    containerId,
    check: async () => {},
    client: {
      ...client,
      fail(error) {
        failed.push(error)
        onFailed()
      },
    },
    log: silentLog,
    sessionId: 'one',
    boot: undefined,
    onGone() {},
    discard: discarded.discard,
    free: async () => {},
    endTimeoutMs: 2_000,
  })
  t.after(() => engine.dismiss(new ExecutorError('ENGINE_LOST', 'the test is over')).catch(() => undefined))
  return { containerId, engine, failed, retry: discarded.retry }
}

describe('a daemon that is started again while a container works', { skip: await noOwnDaemon() }, () => {
  test('its containers end with it: the run is told so, and nothing is left', async (t) => {
    const own = await startOwnDaemon(t)
    const { containerId, engine, failed, retry } = await supervised(t, own)
    await own.crash()
    await own.start()
    await engine.over
    assert.deepEqual(
      failed.map(({ code }) => code),
      ['CONTAINER_DIED'],
    )
    await retry()
    assert.equal(await own.daemon.inspect(containerId, soon()), undefined)
  })

  test('its containers outlive it: the run goes on, and its end is seen by the daemon that came after', async (t) => {
    const own = await startOwnDaemon(t, { liveRestore: true })
    const { containerId, engine, failed } = await supervised(t, own)
    const connection = own.daemon.exited(containerId, soon())
    await Promise.all([assert.rejects(connection), own.crash()])
    await own.start()
    assert.equal((await own.daemon.inspect(containerId, soon()))?.running, true)
    assert.equal(failed.length, 0)
    await own.daemon.kill(containerId, soon())
    await engine.over
    assert.match(failed[0]?.message ?? '', /killed from outside/)
    assert.equal(await own.daemon.inspect(containerId, soon()), undefined)
  })

  test('it hangs when the remains of a container are to be removed: they are once it is back', async (t) => {
    const own = await startOwnDaemon(t)
    const { containerId, engine, retry } = await supervised(t, own, () => own.pause())
    await own.daemon.kill(containerId, soon())
    await engine.over
    own.resume()
    await retry()
    assert.equal(await own.daemon.inspect(containerId, soon()), undefined)
  })
})
