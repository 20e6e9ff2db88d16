import assert from 'node:assert/strict'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { silentLog } from '@opencode-gateway/executor-testing'
import type { ExecutorHealth } from '@opencode-gateway/contracts'
import type { EmbeddedEngineOptions } from '../src/index.ts'
import { findEngineBinary } from '../src/engine-binary.ts'
import { findMarked } from '../src/marked-processes.ts'
import { command, prompt } from '@opencode-gateway/executor-testing/running'
import { createPlace, startScene } from './scene.ts'
import type { Place, Scene } from './scene.ts'

const ctx = () => ({ signal: AbortSignal.timeout(60_000), log: silentLog })

/** So short that the test need not wait, so long that a busy machine answers. */
const watchful = { healthIntervalMs: 100, answerTimeoutMs: 1_000 }

async function begin(
  t: TestContext,
  overrides: Partial<EmbeddedEngineOptions>,
  stopTimeoutMs?: number,
): Promise<{ place: Place; scene: Scene; engines: () => Promise<readonly number[]> }> {
  const place = await createPlace()
  t.after(() => place.close())
  const limits = stopTimeoutMs === undefined ? {} : { limits: { stopTimeoutMs } }
  const scene = await startScene(place, { embedded: place.embedded(overrides), ...limits })
  return { place, scene, engines: () => findMarked(`OPENCODE_GATEWAY_ENGINE=${place.embedded().stateDir}`) }
}

async function until(what: string, accept: () => Promise<boolean>): Promise<void> {
  const { signal } = ctx()
  while (!(await accept())) {
    if (signal.aborted) throw new Error(`in vain: ${what}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

const health = ({ executor }: Scene): Promise<ExecutorHealth> => executor.check(ctx().signal)

test('an engine that hangs is ended and started again, and its runs end as interrupted', async (t) => {
  const { scene, engines } = await begin(t, { ...watchful, maxUnanswered: 2 })
  const session = await scene.executor.open({ sessionId: 'one', title: 'One' }, ctx())
  const run = prompt(session, 'say: begun', 'gate: never')
  await run.untilText('text', 'begun')
  const [hung = 0] = await engines()
  process.kill(hung, 'SIGSTOP')
  const { status, error } = await run.outcome
  assert.equal(`${status} ${error?.code} ${error?.retryable}`, 'interrupted ENGINE_LOST true')
  assert.equal((await prompt(session, 'say: again').outcome).finalMessage, 'again')
  assert.equal((await engines()).includes(hung), false)
  const { ok, restarts } = await health(scene)
  assert.deepEqual({ ok, restarts }, { ok: true, restarts: 1 })
})

test('an engine that has grown gets no new work, and ends when its runs have', async (t) => {
  const { place, scene, engines } = await begin(t, { recycle: { maxDirectories: 2 } })
  const open = (sessionId: string) => scene.executor.open({ sessionId, title: sessionId }, ctx())
  const whose = 'echo $OPENCODE_GATEWAY_INSTANCE'
  const session = await open('old')
  const [first = 0] = await engines()
  const long = prompt(session, 'say: one', 'gate: door', `run: ${whose} > whose.txt`, 'say: two')
  await long.untilText('text', 'one')
  await open('more')
  await open('too-many')
  await until('a second engine takes over', async () => (await health(scene)).restarts === 1)

  const fresh = await open('new')
  const second = (await command(fresh, whose).outcome).finalMessage
  assert.ok((await engines()).includes(first), 'the first engine works on')
  place.model.release('door')
  assert.equal((await long.outcome).finalMessage, 'one\n\ntwo')
  await until('the first engine ends', async () => !(await engines()).includes(first))
  const calls = place.model.requests.filter(({ prompt }) => prompt.includes('gate: door'))
  assert.equal(calls.length, 2, 'calls of the model: nothing ran twice')

  const [ran, moved] = (await command(session, `cat whose.txt; ${whose}`).outcome).finalMessage.split('\n')
  assert.notEqual(ran, second.trim(), 'the run has stayed with the first engine')
  assert.equal(moved, second.trim(), 'the session has moved to the second')
  assert.equal((await prompt(session, 'say: after').outcome).finalMessage, 'after')
})

test('another engine that does not start is started again, sooner than anybody would wait', async (t) => {
  const place = await createPlace()
  t.after(() => place.close())
  const refusals = path.join(place.directory, 'refusals')
  const binary = path.join(place.directory, 'engine')
  await mkdir(refusals)
  const refuse = `for one in "${refusals}"/*; do [ -e "$one" ] && rm "$one" && exit 1; done`
  await writeFile(binary, `#!/bin/sh\n${refuse}\nexec "${await findEngineBinary(undefined)}" "$@"\n`, { mode: 0o755 })
  const scene = await startScene(place, { embedded: place.embedded({ binary, recycle: { maxDirectories: 1 } }) })
  for (const name of ['1', '2', '3']) await writeFile(path.join(refusals, name), '')
  for (const sessionId of ['one', 'two']) await scene.executor.open({ sessionId, title: sessionId }, ctx())
  await until('a second engine takes over', async () => (await health(scene)).restarts === 1)
  assert.deepEqual(await readdir(refusals), [])
})

test('an engine that is too large while nothing runs is replaced at once', async (t) => {
  const { scene, engines } = await begin(t, { ...watchful, recycle: { maxRssBytes: 1 } })
  const [first] = await engines()
  assert.ok(first)
  await until('the first engine ends', async () => !(await engines()).includes(first))
  const session = await scene.executor.open({ sessionId: 'one', title: 'One' }, ctx())
  assert.equal((await prompt(session, 'say: fine').outcome).finalMessage, 'fine')
})

test('a run that cannot be stopped is stopped with its engine, and the others are told', async (t) => {
  const { scene, engines } = await begin(t, {}, 500)
  const [stuck, other] = [
    await scene.executor.open({ sessionId: 'stuck', title: 'Stuck' }, ctx()),
    await scene.executor.open({ sessionId: 'other', title: 'Other' }, ctx()),
  ]
  const runs = [prompt(stuck, 'say: begun', 'gate: a'), prompt(other, 'say: begun', 'gate: b')] as const
  for (const run of runs) await run.untilText('text', 'begun')
  const [hung = 0] = await engines()
  process.kill(hung, 'SIGSTOP')
  const receipt = await stuck.cancel(ctx())
  assert.equal(receipt.escalated, true)
  assert.equal((await runs[0].outcome).status, 'cancelled')
  assert.equal((await runs[1].outcome).error?.code, 'ENGINE_LOST')
  for (const session of [stuck, other]) {
    assert.equal((await prompt(session, 'say: again').outcome).finalMessage, 'again')
  }
  assert.equal((await engines()).includes(hung), false)
})

test('a run that waits for its engine to start again is cancelled without waiting for that', async (t) => {
  const { scene, engines, place } = await begin(t, {})
  const session = await scene.executor.open({ sessionId: 'one', title: 'One' }, ctx())
  const run = prompt(session, 'say: begun', 'gate: never')
  await run.untilText('text', 'begun')
  const [first = 0] = await engines()
  process.kill(first, 'SIGKILL')
  await run.outcome
  const waiting = prompt(session, 'say: never')
  // The next engine hangs before it is ready.
  await until('the next engine starts', async () => (await engines()).some((pid) => pid !== first))
  for (const pid of await engines()) process.kill(pid, 'SIGSTOP')
  const receipt = await session.cancel(ctx())
  assert.deepEqual(receipt, { aborted_sessions: 0, killed: 0, quiet_after_ms: 0, escalated: false })
  assert.equal((await waiting.outcome).status, 'cancelled')
  for (const pid of await engines()) process.kill(pid, 'SIGCONT')
  assert.equal(place.model.requests.filter(({ prompt }) => prompt.includes('say: never')).length, 0)
})

test('after close no engine is left, one that still ends its runs included', async (t) => {
  const { scene, engines } = await begin(t, { recycle: { maxDirectories: 1 } })
  const session = await scene.executor.open({ sessionId: 'old', title: 'Old' }, ctx())
  const run = prompt(session, 'say: begun', 'gate: never')
  await run.untilText('text', 'begun')
  await scene.executor.open({ sessionId: 'too-many', title: 'Too many' }, ctx())
  await until('a second engine takes over', async () => (await health(scene)).restarts === 1)
  await scene.executor.close()
  assert.equal((await run.outcome).status, 'interrupted')
  assert.deepEqual(await engines(), [])
})
