import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { TestContext } from 'node:test'
import { silentLog } from '@opencode-gateway/executor-testing'
import type { AgentEvent, AgentSession } from '@opencode-gateway/contracts'
import { startProxy } from './proxy.ts'
import type { Proxy } from './proxy.ts'
import { startRemoteEngine } from './remote.ts'
import type { RemoteEngine } from './remote.ts'
import { command, prompt } from '@opencode-gateway/executor-testing/running'
import { createPlace, startScene } from './scene.ts'
import type { Place, Scene } from './scene.ts'

let place: Place
let engine: RemoteEngine
let count = 0
const signal = () => AbortSignal.timeout(30_000)

before(async () => {
  place = await createPlace()
  engine = await startRemoteEngine(place)
})
after(() => place.close())

interface Opened {
  readonly proxy: Proxy
  readonly scene: Scene
  readonly session: AgentSession
  /** Of this test alone. */
  readonly gate: string
}

async function openThroughProxy(t: TestContext): Promise<Opened> {
  const proxy = await startProxy(engine.remote.url)
  const scene = await startScene(place, { remote: { ...engine.remote, url: proxy.url }, limits: { watchMs: 100 } })
  count += 1
  const spec = { sessionId: `session-${count}`, title: 'Broken' }
  const session = await scene.executor.open(spec, { signal: signal(), log: silentLog })
  t.after(async () => {
    await session.release('nothing')
    await proxy.close()
  })
  return { proxy, scene, session, gate: `gate-${count}` }
}

function joined(events: readonly AgentEvent[], kind: string): string {
  return events.map((event) => (event.type === 'output' && event.data.type === kind ? event.data.text : '')).join('')
}

test('a stream that breaks while the model writes loses and repeats nothing', async (t) => {
  const { proxy, session, gate } = await openThroughProxy(t)
  const run = prompt(session, 'say: one two', `gate: ${gate}`, 'say: three four', 'slow: 20 x 10')
  await run.untilText('text', 'one two')
  proxy.cutStreams()
  place.model.release(gate)
  const { status, finalMessage } = await run.outcome
  assert.equal(status, 'completed')
  assert.match(finalMessage, /^one two\nthree four.*tick-20$/s)
  assert.equal(joined(run.events, 'text'), finalMessage)
})

test('a tool that ended while the stream was away is told once, with its result', async (t) => {
  const { proxy, session, gate } = await openThroughProxy(t)
  const run = prompt(
    session,
    'run: echo early',
    `gate: ${gate}`,
    'write: made.txt | made',
    'run: echo late; exit 4',
    'say: done',
  )
  await run.untilText('stdout', 'early')
  await place.model.waitForGate(gate, signal())
  const letThrough = proxy.holdStreams()
  proxy.cutStreams()
  place.model.release(gate)
  await place.model.waitForRequest(({ turn }) => turn === 3, signal())
  letThrough()
  const { status, usage } = await run.outcome
  assert.equal(status, 'completed')
  const calls = run.events.flatMap((event) => (event.type === 'tool_call' ? [event.data.tool] : []))
  const results = run.events.flatMap((event) => (event.type === 'tool_result' ? [event.data.result.exit_code] : []))
  assert.deepEqual(calls, ['bash', 'write', 'bash'])
  assert.deepEqual(results, [0, undefined, 4])
  assert.equal(joined(run.events, 'stdout'), 'early\nlate\n')
  assert.deepEqual(
    run.events.flatMap((event) => (event.type === 'file' ? [event.data] : [])),
    [{ path: 'made.txt', change: 'created' }],
  )
  assert.equal(usage.model_calls, 4)
  assert.equal(run.events.filter((event) => event.type === 'usage').length, 4)
})

test('what happened while the stream was away is told when it is back, and not only in the end', async (t) => {
  const { proxy, session, gate } = await openThroughProxy(t)
  const held = `${gate}-held`
  const run = prompt(session, 'say: begun', `gate: ${gate}`, 'run: echo unseen', `gate: ${held}`, 'say: done')
  await run.untilText('text', 'begun')
  const letThrough = proxy.holdStreams()
  proxy.cutStreams()
  place.model.release(gate)
  await place.model.waitForGate(held, signal())
  letThrough()
  await run.untilText('stdout', 'unseen')
  assert.equal(run.signal.aborted, false, 'it was told while the run went on')
  place.model.release(held)
  assert.equal((await run.outcome).status, 'completed')
})

test('the end of a run is found although the stream never comes back', async (t) => {
  const { proxy, session, gate } = await openThroughProxy(t)
  const run = prompt(session, 'say: before', `gate: ${gate}`, 'say: after')
  await run.untilText('text', 'before')
  proxy.holdStreams()
  proxy.cutStreams()
  place.model.release(gate)
  const { status, finalMessage } = await run.outcome
  assert.equal(status, 'completed')
  assert.equal(joined(run.events, 'text'), finalMessage)
})

test('a command does not need the event stream', async (t) => {
  const { proxy, session } = await openThroughProxy(t)
  proxy.holdStreams()
  proxy.cutStreams()
  const outcome = await command(session, 'echo still; exit 6').outcome
  assert.equal(`${outcome.finalMessage}${outcome.exitCode}`, 'still\n6')
})

test('an engine that answers with web pages once it is in use does not complete a run', async (t) => {
  const { proxy, scene, session } = await openThroughProxy(t)
  assert.equal((await prompt(session, 'say: well').outcome).status, 'completed')
  proxy.answerWithHtml()
  const { status, error } = await prompt(session, 'say: never').outcome
  assert.equal(`${status} ${error?.code}`, 'failed ENGINE_INCOMPATIBLE')
  const health = await scene.executor.check(signal())
  assert.equal(health.ok, false)
})

test('an engine that turns into something else in mid-run ends the run as interrupted', async (t) => {
  const { proxy, session } = await openThroughProxy(t)
  const run = prompt(session, 'say: begun', 'hang')
  await run.untilText('text', 'begun')
  proxy.answerWithHtml()
  proxy.cutStreams()
  const { status } = await run.outcome
  assert.equal(status, 'interrupted')
})
