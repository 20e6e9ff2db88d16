import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { silentLog } from '@opencode-gateway/executor-testing'
import { Detached } from '@opencode-gateway/contracts'
import type { AgentEventBody, PermissionRules, PromptInput } from '@opencode-gateway/contracts'
import { startRemoteEngine } from './remote.ts'
import type { Followed } from '@opencode-gateway/executor-testing/running'
import { promptWith } from '@opencode-gateway/executor-testing/running'
import { createPlace, startScene } from './scene.ts'
import type { Place } from './scene.ts'

const ctx = (signal = AbortSignal.timeout(60_000)) => ({ signal, log: silentLog })

async function placeFor(t: TestContext): Promise<Place> {
  const place = await createPlace()
  t.after(() => place.close())
  return place
}

const asking: PermissionRules = { bash: 'ask' }
const attended = { interactive: true } as const
const child = String.raw`task: run: echo below > below.txt\nsay: child done`

/** How the commands ended; one of a tool that the model was not offered is none. */
const commandsOf = ({ events }: Followed): readonly string[] =>
  events.flatMap((event) => (event.type === 'tool_result' && event.data.tool === 'bash' ? [event.data.status] : []))
const asksOf = ({ events }: Followed): number => events.filter(({ type }) => type === 'ask').length

test('what a sub-agent asks is asked by the run, and where nobody is there it is refused', async (t) => {
  const place = await placeFor(t)
  // Sub-agents live by the configuration of their engine, so only one that asks there has sub-agents that ask.
  const engine = await startRemoteEngine(place, { permission: { '*': 'allow', ...asking } })
  const { executor } = await startScene(place, { remote: engine.remote, permissions: asking })
  const session = await executor.open({ sessionId: 'one', title: 'One' }, ctx())
  const run = promptWith(session, attended, child, 'run: cat below.txt', 'say: parent done')
  const first = await run.untilAsk()
  assert.deepEqual(first.patterns, ['echo below > below.txt'])
  await session.answer(first.ask_id, { reply: 'once' }, ctx())
  const second = await run.untilAsk(2)
  assert.deepEqual(second.patterns, ['cat below.txt'])
  await session.answer(second.ask_id, { reply: 'once' }, ctx())
  assert.equal((await run.outcome).finalMessage, 'parent done')
  assert.equal(run.events.filter(({ type }) => type === 'ask_resolved').length, 2)

  const unattended = promptWith(session, {}, child, 'say: parent done')
  assert.equal((await unattended.outcome).finalMessage, 'parent done')
  assert.equal(asksOf(unattended), 0)
})

test('what is granted for always is not asked again, and widens nothing the gateway forbids', async (t) => {
  const place = await placeFor(t)
  const permissions: PermissionRules = { bash: { 'git push --force*': 'deny' } }
  const { executor } = await startScene(place, { embedded: place.embedded(), permissions })
  const session = await executor.open({ sessionId: 'one', title: 'One' }, ctx())
  const run = promptWith(
    session,
    { ...attended, permissions: asking },
    'run: git push one',
    'run: git push two',
    'run: git push --force three',
    'say: done',
  )
  const ask = await run.untilAsk()
  await session.answer(ask.ask_id, { reply: 'always' }, ctx())
  assert.equal((await run.outcome).finalMessage, 'done')
  assert.equal(asksOf(run), 1)
  assert.deepEqual(commandsOf(run), ['completed', 'completed', 'error'])
})

test('what the gateway has asked about is refused where nobody is there, and asked where somebody is', async (t) => {
  const place = await placeFor(t)
  const { executor } = await startScene(place, { embedded: place.embedded(), permissions: asking })
  const session = await executor.open({ sessionId: 'one', title: 'One' }, ctx())
  const alone = promptWith(session, {}, 'run: true', 'say: went on')
  assert.equal((await alone.outcome).finalMessage, 'went on')
  assert.ok(!commandsOf(alone).includes('completed'))
  const watched = promptWith(session, attended, 'run: true', 'say: went on')
  await session.answer((await watched.untilAsk()).ask_id, { reply: 'once' }, ctx())
  assert.equal((await watched.outcome).finalMessage, 'went on')
  assert.deepEqual(commandsOf(watched), ['completed'])
  const aloneAgain = promptWith(session, {}, 'run: true', 'say: went on')
  await aloneAgain.outcome
  assert.ok(!commandsOf(aloneAgain).includes('completed'))
})

test('what one run forbids, its own sub-agents may not do, and those of the next may', async (t) => {
  const place = await placeFor(t)
  const { executor } = await startScene(place, { embedded: place.embedded() })
  const session = await executor.open({ sessionId: 'one', title: 'One' }, ctx())
  const strict = promptWith(session, { permissions: { bash: { 'echo*': 'deny' } } }, child, 'say: done')
  assert.equal((await strict.outcome).status, 'completed')
  const look = promptWith(session, {}, 'run: cat below.txt', child, 'run: cat below.txt', 'say: done')
  assert.equal((await look.outcome).status, 'completed')
  const looks = look.events.flatMap((event) =>
    event.type === 'tool_result' && event.data.tool === 'bash' ? [event.data.result.exit_code] : [],
  )
  assert.deepEqual(looks, [1, 0])
})

test('an ask that waits while the gateway starts again is not told again, and is answered', async (t) => {
  const place = await placeFor(t)
  const engine = await startRemoteEngine(place)
  const { executor } = await startScene(place, { remote: engine.remote })
  const session = await executor.open({ sessionId: 'one', title: 'One' }, ctx())
  const input: PromptInput = {
    kind: 'prompt',
    runId: 'run-one',
    prompt: 'run: true\nsay: done',
    interactive: true,
    permissions: asking,
  }
  const leaving = new AbortController()
  const before: AgentEventBody[] = []
  for await (const event of session.run(input, ctx(leaving.signal))) {
    if (event.type !== 'outcome') before.push(event)
    if (event.type === 'ask') leaving.abort(new Detached())
  }
  await executor.close()

  const next = await startScene(place, { remote: engine.remote })
  const found = await next.executor.attach(session.ref, ctx())
  assert.ok(found)
  const ask = before.find((event) => event.type === 'ask')
  assert.ok(ask)
  const types: string[] = []
  await found.answer(ask.data.ask_id, { reply: 'once' }, ctx())
  for await (const event of found.resume({ input, events: before }, ctx())) {
    types.push(event.type)
    if (event.type === 'outcome') assert.equal(event.outcome.finalMessage, 'done')
  }
  assert.equal(types.at(-1), 'outcome')
  assert.equal(types.filter((type) => type === 'ask').length, 0)
  assert.equal(types.filter((type) => type === 'ask_resolved').length, 1)
})
