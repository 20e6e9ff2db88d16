import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { silentLog } from '@opencode-gateway/executor-testing'
import type { AgentSession, Executor, SessionSpec } from '@opencode-gateway/contracts'
import { labels } from '../src/container/container-spec.ts'
import { buildPlainEngine } from './plain-engine.ts'
import { startRegistry } from './registry.ts'
import { createPlace, ctx, leftoversOf, missingImage, soon, until } from './scene.ts'
import type { Place } from './scene.ts'

const run = promisify(execFile)
const TAG = `plain-engine:${process.pid}`
const OTHER_TAG = `other-engine:${process.pid}`

describe('engines that start', { skip: await missingImage() }, () => {
  let place: Place
  let executor: Executor
  const ready: string[] = []
  before(async () => {
    place = await createPlace()
    for (const [tag, version] of [[TAG], [OTHER_TAG, '2.0.1']] as const) {
      place.defer(await buildPlainEngine(tag, version === undefined ? {} : { version }))
    }
    const log = {
      ...silentLog,
      info(fields: object, message: string) {
        if (message === 'the container is ready' && 'sessionId' in fields) ready.push(String(fields.sessionId))
      },
    }
    executor = place.executor({ image: TAG, maxStarts: 1, startTimeoutMs: 5_000, warmPool: { size: 1 }, log })
    await executor.start(soon())
  })
  after(() => place?.close())

  const isWarm = () => until(async () => (await executor.check(soon())).warm?.ready === 1)

  /** With limits of its own it takes no warm container. */
  async function cold(sessionId: string, more: Partial<SessionSpec> = {}, signal = soon()): Promise<AgentSession> {
    const fill = { resources: { pids: 100 }, ...more.fill }
    return await executor.open({ sessionId, title: 'Start', ...more, fill }, ctx(signal))
  }

  /** Settles when the session has to wait for its turn. */
  async function waiting(sessionId: string, signal = soon()) {
    const waits = Promise.withResolvers<void>()
    const told: boolean[] = []
    const onWaiting = (isWaiting: boolean): void => {
      told.push(isWaiting)
      waits.resolve()
    }
    const opened = cold(sessionId, { onWaiting }, signal)
    opened.catch(waits.reject)
    await waits.promise
    return { opened, told }
  }

  test('they come up one after the other as they came, warm ones last; no time counts before it is their turn', async (t) => {
    await isWarm()
    ready.splice(0)
    const stuck = cold('stuck', { fill: { files: { wait: '' } } })
    await until(async () => (await place.containers()).length === 2)
    // The pool asks for a container in the place of this one before the others do.
    const warm = await executor.open({ sessionId: 'warm', title: 'Start' }, ctx())
    const [first, second] = [await waiting('first'), await waiting('second')]
    const leaving = new AbortController()
    const left = await waiting('left', leaving.signal)
    leaving.abort(new Error('cancelled'))
    await assert.rejects(left.opened, /cancelled/)
    assert.deepEqual(
      (await leftoversOf(place)).filter((name) => name.includes('left')),
      [],
    )
    assert.equal((await place.containers()).length, 2)
    // It has had its time. The others have waited for as long, and have all of theirs.
    await assert.rejects(stuck, { code: 'EXECUTOR_UNAVAILABLE', message: /not ready within 5000 ms/ })
    const sessions = [warm, await first.opened, await second.opened]
    t.after(async () => {
      for (const session of sessions) await session.release('nothing')
    })
    await isWarm()
    assert.deepEqual(ready.slice(0, 3), ['warm', 'first', 'second'])
    assert.match(ready.slice(3).join(), /^warm-[^,]+$/)
    assert.deepEqual(
      [first.told, second.told],
      [
        [true, false],
        [true, false],
      ],
    )
    for (const session of sessions.slice(1)) assert.ok((session.boot?.()?.waitMs ?? 0) > 0, 'its wait is not told')
  })

  test('a fork of a session that was never opened has what the container of that one may use', async (t) => {
    await executor.workspaces?.make('never-opened')
    t.after(() => executor.workspaces?.remove('never-opened'))
    // As a session has it whose files were written before its first run.
    const ref = { executor: 'docker', session_id: 'never-opened' }
    const source = { sessionId: 'never-opened', ref, resources: { pids: 77 } }
    const forked = await executor.fork?.(source, { sessionId: 'forked', title: 'Start' }, ctx())
    t.after(() => forked?.release('nothing'))
    const container = (await place.containers()).find((one) => one.labels[labels.session] === 'forked')
    const { stdout } = await run('docker', ['inspect', '--format', '{{.HostConfig.PidsLimit}}', container?.id ?? ''])
    assert.equal(stdout.trim(), '77')
    assert.equal(forked?.ref['pids'], '77')
  })

  test('one that is not of the supported line is refused for good, by the name of its image, and nothing is left', async (t) => {
    const own = await createPlace()
    t.after(() => own.close())
    const other = own.executor({ image: OTHER_TAG })
    const refused = {
      code: 'ENGINE_INCOMPATIBLE',
      retryable: false,
      message: /image "other-engine:\d+".*version "2\.0\.1"/,
    }
    await assert.rejects(other.start(soon()), refused)
    assert.equal((await other.check(soon())).ok, false)
    await assert.rejects(other.open({ sessionId: 'one', title: 'Start' }, ctx()), { code: 'EXECUTOR_UNAVAILABLE' })
    assert.deepEqual(await leftoversOf(own), [])
  })

  test('a gateway that is killed leaves a warm container, which the next one removes; none is had twice', async (t) => {
    const own = await createPlace()
    t.after(() => own.close())
    const { workspaceRoot, address: daemon } = own
    const given = JSON.stringify({ workspaceRoot, daemon, image: TAG })
    const child = spawn(process.execPath, [fileURLToPath(new URL('warm-child.ts', import.meta.url)), given], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const exited = once(child, 'exit')
    t.after(() => child.kill('SIGKILL'))
    const ref = JSON.parse(String((await once(child.stdout, 'data'))[0]))
    const left = await own.containers()
    child.kill('SIGKILL')
    await exited
    const next = own.executor({ image: TAG, warmPool: { size: 1 } })
    const isFull = () => until(async () => (await next.check(soon())).warm?.ready === 1)
    await next.start(soon())
    const kept = await next.attach(ref, ctx())
    assert.ok(kept)
    await isFull()
    assert.deepEqual((await next.sweep(new Set(['kept']), ctx())).failed, [])
    const open = (sessionId: string) => next.open({ sessionId, title: 'Next' }, ctx())
    const sessions = await Promise.all(['one', 'two'].map(open))
    const { warm } = await next.check(soon())
    assert.deepEqual([warm?.claimed, warm?.missed], [1, 1])
    await isFull()
    const ids = new Set((await own.containers()).map(({ id }) => id))
    // Of the three sessions and of the pool; of those that were left the session's alone.
    assert.equal(ids.size, 4)
    assert.equal(left.filter(({ id }) => ids.has(id)).length, 1)
    for (const session of [...sessions, kept]) await session.release('nothing')
    await next.close()
    assert.deepEqual(await leftoversOf(own), [])
  })

  test('a container that has waited for too long is replaced by another one, and leaves nothing', async (t) => {
    const own = await createPlace()
    t.after(() => own.close())
    const ageing = own.executor({ image: TAG, warmPool: { size: 1, maxAgeMs: 100, tendMs: 50 } })
    await ageing.start(soon())
    const seen = new Set<string>()
    await until(async () => {
      for (const { name, running } of await own.containers()) if (running) seen.add(name)
      return seen.size > 1
    })
    await ageing.close()
    assert.deepEqual(await leftoversOf(own), [])
  })

  test('an image that has gone is had again where it may be pulled, and the time that takes is told', async (t) => {
    const own = await createPlace()
    t.after(() => own.close())
    const tag = `pulled-engine:${process.pid}`
    const registry = await startRegistry(t, async () => {
      // Another one than that of the other cases: that stays.
      t.after(await buildPlainEngine(tag, { version: '1.18.34' }))
    })
    const pulling = own.executor({ daemon: registry.daemon, image: tag, pull: 'missing' })
    registry.fail('no basic auth credentials')
    const refused = { code: 'IMAGE_UNAVAILABLE', message: /"pulled-engine:\d+" could not be pulled.*no basic auth/ }
    await assert.rejects(pulling.start(soon()), refused)
    registry.fail(undefined)
    await pulling.start(soon())
    await run('docker', ['image', 'rm', '--force', tag])
    const session = await pulling.open({ sessionId: 'one', title: 'Start' }, ctx())
    t.after(() => session.release('nothing'))
    assert.equal(registry.pulls(), 3)
    assert.ok(session.boot?.()?.pullMs !== undefined, 'the pull is not told')
    await session.release('nothing')
    await run('docker', ['image', 'rm', '--force', tag])
    assert.match((await pulling.check(soon())).reason ?? '', /"pulled-engine:\d+" is gone/)
    await until(async () => (await pulling.check(soon())).ok)
    assert.equal(registry.pulls(), 4)
  })
})
