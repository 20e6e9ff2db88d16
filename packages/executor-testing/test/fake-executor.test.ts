import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import {
  ExecutorError,
  type AgentEvent,
  type AgentSession,
  type CallContext,
  type Log,
} from '@opencode-gateway/contracts'
import { createFakeEngine, createFakeExecutor } from '../src/index.ts'

const log: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log }
const spec = { sessionId: 'one', title: 'One' }

function ctx({ signal }: TestContext): CallContext {
  return { signal, log }
}

function prompt(session: AgentSession, text: string, t: TestContext): AsyncIterableIterator<AgentEvent> {
  const run = session.run({ kind: 'prompt', runId: 'run-1', prompt: text }, ctx(t))
  return run as AsyncIterableIterator<AgentEvent>
}

async function collect(run: AsyncIterable<AgentEvent>): Promise<AgentEvent[]> {
  const items: AgentEvent[] = []
  for await (const item of run) items.push(item)
  return items
}

async function endOf(run: AsyncIterable<AgentEvent>): Promise<string> {
  const items = await collect(run)
  const last = items.at(-1)
  if (last?.type !== 'outcome') return 'no outcome'
  const { status, error, exitCode, finalMessage } = last.outcome
  return [status, error?.code, exitCode, JSON.stringify(finalMessage)].filter((part) => part !== undefined).join(' ')
}

test('an opening waits at its gate and can be made to fail', async (t) => {
  let attempt = 0
  const error = new ExecutorError('EXECUTOR_UNAVAILABLE', 'no room')
  const fake = createFakeExecutor({
    opening: () => {
      attempt += 1
      return attempt === 1 ? { gate: 'open', error } : undefined
    },
  })
  const opening = fake.open(spec, ctx(t))
  await fake.waitForGate('open', t.signal)
  assert.deepEqual(fake.leftovers(), ['1 calls of open wait'])
  fake.release('open')
  await assert.rejects(opening, error)
  assert.deepEqual(fake.leftovers(), [])
  await (await fake.open(spec, ctx(t))).release('nothing')
})

test('an aborted opening stops waiting at its gate', async (t) => {
  const fake = createFakeExecutor({ opening: () => ({ gate: 'open' }) })
  const leaving = new AbortController()
  const opening = fake.open(spec, { signal: leaving.signal, log })
  await fake.waitForGate('open', t.signal)
  leaving.abort(new Error('left'))
  await assert.rejects(opening, /left/)
  assert.deepEqual(fake.leftovers(), [])
})

test('a cancellation waits at its gate, and the run ends after it', async (t) => {
  const fake = createFakeExecutor({ cancelling: () => ({ gate: 'cancel' }) })
  const session = await fake.open(spec, ctx(t))
  const ended = endOf(prompt(session, 'hang', t))
  const cancelled = session.cancel(ctx(t))
  await fake.waitForGate('cancel', t.signal)
  assert.deepEqual(fake.leftovers(), ['session "one" is open', 'run "run-1" goes on'])
  fake.release('cancel')
  assert.equal((await cancelled).aborted_sessions, 1)
  assert.equal(await ended, 'cancelled RUN_CANCELLED ""')
})

test('a crash of the engine ends runs with ENGINE_LOST and takes the sessions', async (t) => {
  const fake = createFakeExecutor()
  const session = await fake.open(spec, ctx(t))
  const ended = endOf(prompt(session, 'hang', t))
  await fake.crash()
  assert.equal(await ended, 'failed ENGINE_LOST ""')
  assert.equal(await fake.attach(session.ref, ctx(t)), undefined)
  assert.equal(await endOf(prompt(session, 'say: x', t)), 'failed ENGINE_LOST ""')
  assert.deepEqual(fake.leftovers(), [])
})

test('a second executor on the same engine finds sessions and runs of the first', async (t) => {
  const engine = createFakeEngine()
  const before = createFakeExecutor({ engine })
  const session = await before.open(spec, ctx(t))
  const lost = prompt(session, 'gate: door\nsay: x', t)
  const first = lost.next()
  await before.waitForGate('door', t.signal)
  await before.close()

  const after = createFakeExecutor({ engine })
  const found = await after.attach(session.ref, ctx(t))
  assert.ok(found)
  after.release('door')
  const input = { kind: 'prompt', runId: 'run-1', prompt: '' } as const
  assert.equal(await endOf(found.resume({ input, events: [] }, ctx(t))), 'completed "x"')
  assert.equal((await first).value?.type, 'output')
  await found.release('nothing')
  assert.deepEqual(after.leftovers(), [])
})

test('a run that the engine never saw is resumed as interrupted', async (t) => {
  const session = await createFakeExecutor().open(spec, ctx(t))
  const input = { kind: 'prompt', runId: 'unknown', prompt: 'say: x' } as const
  assert.equal(await endOf(session.resume({ input, events: [] }, ctx(t))), 'interrupted RUN_INTERRUPTED ""')
})

test('what a log holds is not told again, however it merged the deltas', async (t) => {
  const session = await createFakeExecutor().open(spec, ctx(t))
  const text = 'write: a.txt | a\nwrite: a.txt | b\nsay: one two three\nthink: hm'
  const input = { kind: 'prompt', runId: 'run-1', prompt: text } as const
  const items = await collect(session.run(input, ctx(t)))
  const parts = items.flatMap((item) => (item.type === 'output' && item.data.type === 'text' ? [item.data] : []))
  const part = parts[0]
  assert.ok(part)
  const merged = { type: 'output', data: { ...part, text: 'one tw' } } as const
  const logged = items
    .slice(
      0,
      items.findIndex((item) => item.type === 'output'),
    )
    .filter((item) => item.type !== 'outcome')
  const rest = await collect(session.resume({ input, events: [...logged, merged] }, ctx(t)))
  const told = rest.map((item) => (item.type === 'output' ? item.data.text : item.type))
  assert.deepEqual(told, ['o', ' three', 'hm', 'usage', 'outcome'])
})

test('return() stops the run while a next() is pending, which gets the outcome', async (t) => {
  const fake = createFakeExecutor()
  const session = await fake.open(spec, ctx(t))
  const run = prompt(session, 'hang', t)
  const pending = run.next()
  await run.return?.()
  assert.equal((await pending).value?.type, 'outcome')
  assert.deepEqual(await run.next(), { done: true, value: undefined })
  assert.deepEqual(fake.leftovers(), ['session "one" is open'])
})

test('a run begins when it is first read', async (t) => {
  const fake = createFakeExecutor()
  const session = await fake.open(spec, ctx(t))
  prompt(session, 'hang', t)
  assert.deepEqual(fake.inputs(), [])
  assert.equal(await endOf(prompt(session, 'say: x', t)), 'completed "x"')
  assert.deepEqual(
    fake.inputs().map((input) => input.runId),
    ['run-1'],
  )
})

const scripts: readonly (readonly [script: string, end: string])[] = [
  ['no script at all', 'completed "You said: \\"no script at all\\""'],
  ['say: one\nsay: two', 'completed "one\\ntwo"'],
  ['run: true', 'completed "done"'],
  ['slow: 3 x 50', 'completed "tick-1 tick-2 tick-3"'],
  ['long: 3', 'completed "xxx"'],
  ['error: 500 times=2\nsay: x', 'completed "x"'],
  ['error: 500 times=9', 'failed MODEL_ERROR ""'],
  ['error: 403', 'failed MODEL_AUTH ""'],
  ['overflow times=3\nsay: x', 'completed "x"'],
  ['overflow times=99', 'failed CONTEXT_OVERFLOW ""'],
  ['say: x\nfinish: tool_calls\nsay: y', 'completed "x\\n\\ny"'],
  ['say: x\nfinish: unheard_of\nsay: y', 'completed "x\\n\\ny"'],
  ['task: run: true\\nsay: x\nsay: y', 'completed "y"'],
  ['loop', `failed MODEL_LOOP ${JSON.stringify(Array.from({ length: 3 }, () => 'done').join('\n\n'))}`],
  ['nofinish\nsay: x', 'completed "done\\n\\nx"'],
  ['edit: a | b | c\nquestion: a | b | c\ntool: bash nonsense\nsay: x', 'completed "x"'],
]
for (const [script, end] of scripts) {
  test(`the script ${JSON.stringify(script)} ends ${end}`, async (t) => {
    const maxModelCalls = script === 'loop' ? 3 : 50
    const session = await createFakeExecutor({ instant: true, maxModelCalls }).open(spec, ctx(t))
    assert.equal(await endOf(prompt(session, script, t)), end)
  })
}

const commands: readonly (readonly [command: string, end: string])[] = [
  ['pwd', 'completed 0 "/fake/workspaces/one\\n"'],
  ['echo a > f; echo b >> f; cat f; ls', 'completed 0 "a\\nb\\nf\\n"'],
  [`echo 'a b' "c $HOME" d\\ e`, 'completed 0 "a b c  d e\\n"'],
  ['false && echo no; true || echo no; echo $?', 'completed 0 "0\\n"'],
  [`printf '%s-%s\\n' a b c`, 'completed 0 "a-b\\nc-\\n"'],
  ['cat missing', 'completed 1 ""'],
  ['echo $(id)', 'completed 2 ""'],
  ["echo 'open", 'completed 2 ""'],
  ['exit 300', 'completed 44 ""'],
]
for (const [command, end] of commands) {
  test(`the command ${JSON.stringify(command)} ends ${end}`, async (t) => {
    const session = await createFakeExecutor().open(spec, ctx(t))
    assert.equal(await endOf(session.run({ kind: 'shell', runId: 'run-1', command }, ctx(t))), end)
  })
}

test('a sleeping command goes on when its gate is released', async (t) => {
  const fake = createFakeExecutor()
  const session = await fake.open(spec, ctx(t))
  const ended = endOf(session.run({ kind: 'shell', runId: 'run-1', command: 'sleep 5; echo awake' }, ctx(t)))
  await fake.waitForGate('sleep 5', t.signal)
  fake.release('sleep 5')
  assert.equal(await ended, 'completed 0 "awake\\n"')
})

test('a kept workspace is found again under its session id, until it is swept', async (t) => {
  const fake = createFakeExecutor()
  const session = await fake.open(spec, ctx(t))
  await endOf(prompt(session, 'write: a.txt | kept', t))
  await session.release('workspace')
  assert.deepEqual(fake.leftovers(), [])

  const again = await fake.open(spec, ctx(t))
  const command = { kind: 'shell', runId: 'run-2', command: 'cat a.txt' } as const
  assert.equal(await endOf(again.run(command, ctx(t))), 'completed 0 "kept"')
  await again.release('workspace')

  const swept = await fake.sweep(new Set(), ctx(t))
  assert.deepEqual(swept, { removed: ['/fake/workspaces/one'], failed: [] })
  assert.equal(fake.engine.directories.size, 0)
})
