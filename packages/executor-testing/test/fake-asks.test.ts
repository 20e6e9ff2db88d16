import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import {
  type AgentEvent,
  type AgentSession,
  type AskAnswer,
  type CallContext,
  type Log,
  type PermissionRules,
  type PromptInput,
} from '@opencode-gateway/contracts'
import { createFakeExecutor, type FakeExecutor } from '../src/index.ts'

const log: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log }

function ctx({ signal }: TestContext): CallContext {
  return { signal, log }
}

async function open(t: TestContext): Promise<{ fake: FakeExecutor; session: AgentSession }> {
  const fake = createFakeExecutor({ instant: true })
  return { fake, session: await fake.open({ sessionId: 'one', title: 'One' }, ctx(t)) }
}

function promptOf(prompt: string, options: Partial<PromptInput> = {}): PromptInput {
  return { kind: 'prompt', runId: 'run-1', prompt, interactive: true, ...options }
}

interface Played {
  readonly items: readonly AgentEvent[]
  /** How the run ended, and the results of its tools. */
  readonly end: string
}

/** Plays a prompt and answers its asks, one after the other. */
async function play(
  session: AgentSession,
  input: PromptInput,
  t: TestContext,
  answers: readonly AskAnswer[] = [],
): Promise<Played> {
  const left = [...answers]
  const items: AgentEvent[] = []
  for await (const item of session.run(input, ctx(t))) {
    items.push(item)
    const next = item.type === 'ask' ? left.shift() : undefined
    if (item.type === 'ask' && next) await session.answer(item.data.ask_id, next, ctx(t))
  }
  assert.deepEqual(left, [], 'answers that were not asked for')
  const results = items.flatMap(({ type, ...item }) =>
    type === 'tool_result' && 'data' in item && 'result' in item.data ? [item.data.result.output] : [],
  )
  const last = items.at(-1)
  const outcome = last?.type === 'outcome' ? last.outcome : undefined
  return { items, end: [outcome?.status, outcome?.error?.code, ...results].filter(Boolean).join(' | ') }
}

const asked: readonly (readonly [line: string, permission: string, pattern: string])[] = [
  ['run: echo x', 'bash', 'echo x'],
  ['write: a.txt | a', 'edit', 'a.txt'],
  ['edit: ./a.txt | a | b', 'edit', 'a.txt'],
  ['read: a.txt', 'read', 'a.txt'],
  ['task: say: x', 'task', 'general'],
  ['todo: a', 'todowrite', '*'],
]
for (const [line, permission, pattern] of asked) {
  test(`the line "${line}" needs the permission ${permission} for "${pattern}"`, async (t) => {
    const { session } = await open(t)
    const { items } = await play(session, promptOf(line, { permissions: 'ask' }), t, [{ reply: 'reject' }])
    const asks = items.flatMap((item) => (item.type === 'ask' ? [item.data] : []))
    assert.deepEqual(
      asks.map((ask) => [ask.permission, ask.patterns]),
      [[permission, [pattern]]],
    )
  })
}

const judged: readonly (readonly [rules: PermissionRules, answers: readonly AskAnswer[], end: string])[] = [
  ['allow', [], 'completed | x\n'],
  [{ edit: 'deny' }, [], 'completed | x\n'],
  ['deny', [], 'completed | a rule forbids bash "echo x"'],
  ['ask', [{ reply: 'once' }], 'completed | x\n'],
  ['ask', [{ reply: 'reject' }], 'failed | AGENT_STOPPED | The user rejected this tool call.'],
  ['ask', [{ reply: 'reject', message: 'no' }], 'completed | The user rejected this tool call: no'],
]
for (const [permissions, answers, end] of judged) {
  test(`under ${JSON.stringify(permissions)} with ${JSON.stringify(answers)} a command ends ${end}`, async (t) => {
    const { session } = await open(t)
    assert.equal((await play(session, promptOf('run: echo x\nsay: y', { permissions }), t, answers)).end, end)
  })
}

const answered: readonly (readonly [answer: AskAnswer, end: string])[] = [
  [{ answers: [['blue', 'red']] }, 'completed | The user answered: "Which?" = blue, red'],
  [{ reject: true }, 'failed | AGENT_STOPPED | The user dismissed this question'],
]
for (const [answer, end] of answered) {
  test(`a question answered ${JSON.stringify(answer)} ends ${end}`, async (t) => {
    const { session } = await open(t)
    assert.equal((await play(session, promptOf('question: Colour | Which? | red | blue'), t, [answer])).end, end)
  })
}

test('an approval for good is one of all that waits and is alike', async (t) => {
  const { session } = await open(t)
  const script = promptOf('run: echo x\n+ run: echo x\nrun: echo x', { permissions: 'ask' })
  const { end } = await play(session, script, t, [{ reply: 'always' }])
  assert.equal(end, 'completed | x\n | x\n | x\n')
})

test('a crash of the engine takes what waits with it', async (t) => {
  const { fake, session } = await open(t)
  const items: AgentEvent[] = []
  for await (const item of session.run(promptOf('run: echo x', { permissions: 'ask' }), ctx(t))) {
    items.push(item)
    if (item.type === 'ask') await fake.crash()
  }
  const last = items.at(-1)
  assert.equal(last?.type === 'outcome' && last.outcome.error?.code, 'ENGINE_LOST')
  await assert.rejects(session.answer('run-1-ask-1', { reply: 'once' }, ctx(t)), { code: 'ASK_NOT_FOUND' })
  assert.deepEqual(fake.leftovers(), [])
})

test('what an agent is told while it works is kept for tests, and played as its script', async (t) => {
  const { fake, session } = await open(t)
  const texts: string[] = []
  const script = promptOf('say: one\ngate: door\nrun: true\nsay: never')
  for await (const item of session.run(script, ctx(t))) {
    if (item.type === 'outcome') texts.push(item.outcome.finalMessage)
    if (item.type !== 'output' || item.data.text !== 'one') continue
    await session.steer('say: two\nrun: true\nsay: three', ctx(t))
    fake.release('door')
  }
  assert.deepEqual(texts, ['one\n\ntwo\n\nthree'])
  assert.deepEqual(fake.steered(), [{ sessionId: 'one', text: 'say: two\nrun: true\nsay: three' }])
})

test('an agent that does not work hears nothing', async (t) => {
  const { fake, session } = await open(t)
  await session.steer('say: x', ctx(t))
  assert.deepEqual(fake.steered(), [])
})
