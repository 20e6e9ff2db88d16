import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { TestContext } from 'node:test'
import { createFaultProxy, silentLog } from '@opencode-gateway/executor-testing'
import type { FaultMode, FaultProxy } from '@opencode-gateway/executor-testing'
import { prompt } from '@opencode-gateway/executor-testing/running'
import type { Followed } from '@opencode-gateway/executor-testing/running'
import type { AgentSession } from '@opencode-gateway/contracts'
import type { EngineLimits } from '@opencode-gateway/opencode'
import { startRemoteEngine } from './remote.ts'
import type { RemoteEngine } from './remote.ts'
import { createPlace, startScene } from './scene.ts'
import type { Place } from './scene.ts'

const LIMIT = { timeout: 120_000 }
const signal = () => AbortSignal.timeout(60_000)
const stream = { request: /^GET \/global\/event/ }

let place: Place
let engine: RemoteEngine
let count = 0
before(async () => {
  place = await createPlace()
  engine = await startRemoteEngine(place)
})
after(() => place.close())

interface Opened {
  readonly proxy: FaultProxy
  readonly session: AgentSession
  /** Of this test alone. */
  readonly gate: string
}

/** A session whose engine is reached through a proxy that spoils TCP. */
async function open(t: TestContext, patience: Partial<EngineLimits> = {}): Promise<Opened> {
  count += 1
  const gate = `network-${count}`
  const proxy = createFaultProxy({ target: engine.remote.url })
  const remote = { ...engine.remote, url: await proxy.listen() }
  const limits = { watchMs: 500, silenceTimeoutMs: 2_000, maxBackoffMs: 100, lostAfterMs: 30_000, ...patience }
  const scene = await startScene(place, { remote, limits })
  const spec = { sessionId: gate, title: 'Network' }
  const session = await scene.executor.open(spec, { signal: signal(), log: silentLog })
  t.after(async () => {
    proxy.set({ kind: 'pass' })
    proxy.cut()
    await session.release('nothing')
    await proxy.close()
  })
  return { proxy, session, gate }
}

function begin({ session, gate }: Opened): Followed {
  const steps = ['run: echo early; exit 3', 'say: one two', `gate: ${gate}`, 'write: made.txt | made']
  return prompt(session, ...steps, 'run: echo late', 'slow: 10 x 10', 'say: the end')
}

/** All of it was told, in order, and nothing twice. */
async function assertWhole({ events, outcome }: Followed): Promise<void> {
  const { status, finalMessage, error, usage } = await outcome
  assert.equal(status, 'completed', error?.message)
  const text = events.map((event) => (event.type === 'output' && event.data.type === 'text' ? event.data.text : ''))
  const squeezed = (value: string): string => value.replaceAll(/\s/g, '')
  assert.match(finalMessage, /^one two.*tick-1 .*tick-10.*the end$/s)
  assert.equal(squeezed(text.join('')), squeezed(finalMessage))
  assert.deepEqual(
    events.flatMap((event) => (event.type === 'tool_result' ? [[event.data.tool, event.data.result.exit_code]] : [])),
    [
      ['bash', 3],
      ['write', undefined],
      ['bash', 0],
    ],
  )
  assert.equal(events.filter(({ type }) => type === 'tool_call').length, 3)
  assert.equal(events.filter(({ type }) => type === 'file').length, 1)
  assert.equal(events.filter(({ type }) => type === 'usage').length, usage.model_calls)
}

describe('a run over a network', () => {
  for (const [what, mode, scope] of [
    ['is cut into single bytes', { kind: 'slice' }, {}],
    ['comes late', { kind: 'delay', delayMs: 20 }, {}],
    ['has garbage in its events', { kind: 'garbage' }, stream],
    ['loses its events and stays open', { kind: 'half-open' }, stream],
    ['ends in the midst of an event', { kind: 'stop', afterBytes: 700, by: 'cut' }, stream],
  ] as const satisfies readonly (readonly [string, FaultMode, { request?: RegExp }])[]) {
    test(`that ${what} loses and repeats nothing`, LIMIT, async (t) => {
      const opened = await open(t)
      const run = begin(opened)
      await run.untilText('text', 'one two')
      opened.proxy.set(mode, scope)
      place.model.release(opened.gate)
      await assertWhole(run)
    })
  }

  test('that is cut again and again loses and repeats nothing', LIMIT, async (t) => {
    const opened = await open(t)
    const run = begin(opened)
    const { proxy, gate } = opened
    for (const piece of ['one two', 'tick-3', 'tick-7']) {
      await run.untilText('text', piece)
      assert.ok(proxy.cut() > 0, 'nothing was cut')
      place.model.release(gate)
    }
    await assertWhole(run)
  })

  test('whose answers break off asks again, and does not end by it', LIMIT, async (t) => {
    const opened = await open(t)
    const run = begin(opened)
    await run.untilText('text', 'one two')
    const { proxy, gate } = opened
    const asked = proxy.counts().requests
    proxy.set({ kind: 'stop', afterBytes: 40, by: 'cut' })
    proxy.cut()
    await proxy.until(({ requests }) => requests > asked + 5, signal())
    proxy.set({ kind: 'pass' })
    place.model.release(gate)
    await assertWhole(run)
  })

  test('that lets nothing through is neither completed nor for ever at work', LIMIT, async (t) => {
    const opened = await open(t, { lostAfterMs: 5_000, callTimeoutMs: 5_000, stopTimeoutMs: 1_000 })
    const run = begin(opened)
    await run.untilText('text', 'one two')
    opened.proxy.set({ kind: 'half-open' })
    place.model.release(opened.gate)
    const { status, error } = await run.outcome
    assert.match(
      `${status} ${error?.code} ${error?.retryable}`,
      /^interrupted (ENGINE_LOST|EXECUTOR_UNAVAILABLE) true$/,
    )
  })
})
