import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, test } from 'node:test'
import type { TestContext } from 'node:test'
import { ExecutorError } from '@opencode-gateway/contracts'
import { silentLog } from '@opencode-gateway/executor-testing'
import { createEngineClient } from '@opencode-gateway/opencode'
import { superviseContainer } from '../src/container/container-engine.ts'
import { createDaemon } from '../src/daemon/daemon.ts'
import { createDiscarded } from '../src/container/discard.ts'
import { prompt } from '@opencode-gateway/executor-testing/running'
import { copyImage, noOwnDaemon, shareOwnDaemon } from './own-daemon.ts'
import type { OwnDaemon } from './own-daemon.ts'
import { createPlace, ctx, image, leftoversOf, missingImage, soon, until } from './scene.ts'

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

const missing = await missingImage()

describe('a daemon that is started again while a container works', { skip: await noOwnDaemon() }, () => {
  const daemonOfAll = shareOwnDaemon()

  test('its containers end with it: the run is told so, and nothing is left', async (t) => {
    const own = daemonOfAll()
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
    const own = daemonOfAll()
    const { containerId, engine, failed } = await supervised(t, own)
    const connection = own.daemon.exited(containerId, soon())
    await Promise.all([assert.rejects(connection), own.crash()])
    await own.start({ liveRestore: true })
    assert.equal((await own.daemon.inspect(containerId, soon()))?.running, true)
    assert.equal(failed.length, 0)
    await own.daemon.kill(containerId, soon())
    await engine.over
    assert.match(failed[0]?.message ?? '', /killed from outside/)
    assert.equal(await own.daemon.inspect(containerId, soon()), undefined)
  })

  test('it hangs when the remains of a container are to be removed: they are once it is back', async (t) => {
    const own = daemonOfAll()
    const { containerId, engine, retry } = await supervised(t, own, () => own.pause())
    await own.daemon.kill(containerId, soon())
    await engine.over
    own.resume()
    await retry()
    assert.equal(await own.daemon.inspect(containerId, soon()), undefined)
  })

  test(
    'agents go on or are interrupted as their containers do, it is told of, and nothing is left',
    { skip: missing },
    async (t) => {
      const own = daemonOfAll()
      await copyImage(image, own)
      const place = await createPlace({ socketPath: own.socketPath })
      t.after(() => place.close())
      const executor = place.executor()
      await executor.start(AbortSignal.timeout(120_000))
      const session = await executor.open({ sessionId: 'at-work', title: 'Restart' }, ctx())
      const [before] = await place.containers()
      const isAway = () => until(async () => !(await executor.check(soon())).ok)
      const isBack = () => until(async () => (await executor.check(soon())).ok)

      const outliving = prompt(
        session,
        'say: begun',
        'run: while [ ! -e go ]; do sleep 0.1; done; echo went',
        'say: done',
      )
      await outliving.untilText('text', 'begun')
      await own.crash()
      await isAway()
      await own.start({ liveRestore: true })
      await isBack()
      await writeFile(path.join(session.workspacePath, 'go'), '')
      const { status, finalMessage } = await outliving.outcome
      assert.deepEqual([status, finalMessage.endsWith('done')], ['completed', true])
      assert.deepEqual(
        (await place.containers()).map(({ id }) => id),
        [before?.id],
      )

      const ended = prompt(session, 'say: begun again', 'hang')
      await ended.untilText('text', 'begun again')
      await own.crash()
      await isAway()
      await own.start()
      const outcome = await ended.outcome
      assert.deepEqual([outcome.status, outcome.error?.code], ['interrupted', 'CONTAINER_DIED'])
      await isBack()
      await until(async () => (await place.containers()).length === 0)
      await session.release('nothing')
      assert.deepEqual(await leftoversOf(place), [])
    },
  )
})
