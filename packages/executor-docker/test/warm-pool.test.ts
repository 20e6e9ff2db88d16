import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Detached } from '@opencode-gateway/contracts'
import type { AgentSession, Executor } from '@opencode-gateway/contracts'
import { labels } from '../src/container/container-spec.ts'
import { command, prompt } from '@opencode-gateway/executor-testing/running'
import { createPlace, ctx, missingImage, soon, until } from './scene.ts'
import type { Place } from './scene.ts'
import { openWayOut, type WayOut } from './way-out.ts'

describe('the warm pool', { skip: await missingImage() }, () => {
  let place: Place
  let executor: Executor
  let wayOut: WayOut
  before(async () => {
    place = await createPlace()
    wayOut = await openWayOut()
    executor = place.executor({ warmPool: { size: 1 }, openEgress: wayOut.proxy.openSocket })
    await executor.start(AbortSignal.timeout(120_000))
  })
  after(async () => {
    await place?.close()
    await wayOut?.close()
  })

  const state = async () => {
    const { warm } = await executor.check(soon())
    assert.ok(warm, 'it does not tell of its pool')
    return warm
  }
  const isFull = () => until(async () => (await state()).ready === 1)
  const names = async () => (await place.containers()).map(({ name }) => name)
  const inEngines = (...names: readonly string[]) => path.join(place.workspaceRoot, '.engine', ...names)
  const open = (sessionId: string): Promise<AgentSession> =>
    executor.open({ sessionId, title: 'Warm', fill: { files: { 'given.txt': 'given' } } }, ctx())

  test('a session takes a container that waits, its workspace is filled, and another one comes in its place', async (t) => {
    await isFull()
    const [waiting] = await place.containers()
    const session = await open('first')
    t.after(() => session.release('nothing'))
    assert.equal((await state()).claimed, 1)
    assert.deepEqual(Object.keys(session.boot?.() ?? {}).sort(), ['beganAt', 'engineReadyMs'])
    const work = ['run: cat given.txt; echo agent >>given.txt', 'write: mine.txt | mine', 'say: done']
    const outcome = await prompt(session, ...work).outcome
    assert.equal(outcome.finalMessage, 'done', JSON.stringify(outcome))
    assert.equal(await readFile(path.join(session.workspacePath, 'given.txt'), 'utf8'), 'givenagent\n')
    assert.equal((await command(session, 'cat mine.txt; pwd').outcome).finalMessage, 'mine/workspace\n')
    assert.equal((await command(session, `curl -s ${wayOut.plain}`).outcome).finalMessage, 'from outside\n')
    await isFull()
    assert.equal((await place.containers()).length, 2)
    const held = command(session, `curl -s ${wayOut.plain}/never`).outcome.catch(() => undefined)
    await until(async () => (await wayOut.open()) > 0)
    await session.release('nothing')
    await until(async () => (await wayOut.open()) === 0)
    await held
    assert.ok(!(await names()).includes(waiting?.name ?? ''), 'the container of a released session is there')
  })

  test('one that was killed is replaced, and where none can be had a session starts cold', async (t) => {
    await isFull()
    const [waiting] = await place.containers()
    await place.daemon.kill(waiting?.id ?? '', soon())
    await until(async () => !(await names()).includes(waiting?.name ?? ''))
    await isFull()
    const before = await state()
    const [spoilt] = await place.containers()
    await rm(inEngines(spoilt?.labels[labels.session] ?? '', 'sockets', 'engine.sock'))
    const session = await open('cold')
    t.after(() => session.release('nothing'))
    assert.deepEqual([(await state()).claimed, (await state()).missed], [before.claimed, before.missed + 1])
    assert.ok(session.boot?.()?.createMs !== undefined, 'it did not start cold')
    assert.equal((await command(session, 'cat given.txt').outcome).finalMessage, 'given')
  })

  test('a container that was warm is found by the gateway after it, and what nobody took is removed', async (t) => {
    await isFull()
    const session = await open('survivor')
    const leaving = new AbortController()
    const input = { kind: 'prompt', runId: 'run-survivor', prompt: 'run: sleep 3; echo slept\nsay: done' } as const
    for await (const { type } of session.run(input, ctx(leaving.signal)))
      if (type === 'tool_call') leaving.abort(new Detached())
    await executor.close()
    assert.equal((await place.containers()).length, 1, 'the pool of a closed executor is there')
    // What one leaves that is killed: a container that waits, and one on its way to a session.
    const owner = await readFile(inEngines('.owner'), 'utf8')
    const left = await place.lookAlike(t, { [labels.owner]: owner, [labels.session]: 'warm-left' })
    for (const name of ['warm-left', 'half-claimed']) await mkdir(inEngines(name, 'home'), { recursive: true })

    const next = place.executor({ openEgress: wayOut.proxy.openSocket })
    await next.start(AbortSignal.timeout(120_000))
    const found = await next.attach(session.ref, ctx())
    assert.ok(found)
    t.after(() => found.release('nothing'))
    const report = await next.sweep(new Set(['survivor']), ctx())
    assert.ok(found.boot?.() === undefined, 'it did not find the container')
    assert.deepEqual(report.failed, [])
    assert.equal(await place.daemon.inspect(left, soon()), undefined)
    assert.deepEqual((await readdir(inEngines())).sort(), ['.owner', 'survivor'])
    const events = []
    for await (const event of found.resume({ input, events: [] }, ctx())) events.push(event)
    const last = events.at(-1)
    assert.equal((await command(found, `curl -s ${wayOut.plain}`).outcome).finalMessage, 'from outside\n')
    assert.equal(last?.type === 'outcome' && `${last.outcome.status} ${last.outcome.finalMessage}`, 'completed done')
  })
})
