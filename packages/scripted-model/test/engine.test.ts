import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { createScriptedModel } from '../src/index.ts'
import { startEngine } from './engine.ts'
import type { Engine, Message } from './engine.ts'

const model = createScriptedModel()
let engine: Engine

before(async () => {
  engine = await startEngine(await model.listen())
})
after(async () => {
  await engine?.close()
  await model.close()
})

const timeout = 60_000

function textOf(message: Message | undefined): string | undefined {
  return message?.parts.findLast((part) => part.type === 'text')?.text
}

/** The tool parts of a session, in order: tool, state, output. */
async function toolsOf(session: string): Promise<[string | undefined, string | undefined, string][]> {
  const parts = (await engine.messages(session)).flatMap((message) => message.parts)
  return parts
    .filter((part) => part.type === 'tool')
    .map(({ tool, state }) => [tool, state?.status, state?.output ?? state?.error ?? ''])
}

async function run(script: string): Promise<{ session: string; answer: Message }> {
  const session = await engine.createSession()
  return { session, answer: await engine.prompt(session, script) }
}

test('thinks, answers, and follows up', { timeout }, async () => {
  const { session, answer } = await run('think: hm hm\nsay: Hello there\nusage: 11 12')
  assert.equal(textOf(answer), 'Hello there')
  assert.equal(answer.parts.find((part) => part.type === 'reasoning')?.text, 'hm hm')
  assert.deepEqual([answer.info.tokens?.input, answer.info.tokens?.output], [11, 12])
  assert.equal(textOf(await engine.prompt(session, 'say: And again')), 'And again')
})

test('answers a plain prompt and titles its session', { timeout }, async ({ signal }) => {
  const session = await engine.createSession('')
  assert.match(textOf(await engine.prompt(session, 'Say hello')) ?? '', /You said: "Say hello"/)
  await model.waitForRequest(({ kind, sessionId }) => kind === 'title' && sessionId === session, signal)
})

test('writes, reads, edits and runs', { timeout }, async () => {
  const script = 'write: a.txt | one\nread: a.txt\nedit: a.txt | one | two\nrun: cat a.txt; exit 3\nsay: all four'
  const { session, answer } = await run(script)
  assert.equal(textOf(answer), 'all four')
  const tools = await toolsOf(session)
  assert.deepEqual(
    tools.map(([tool, status]) => `${tool} ${status}`),
    ['write completed', 'read completed', 'edit completed', 'bash completed'],
  )
  assert.match(tools[3]?.[2] ?? '', /two/)
  assert.equal(await readFile(path.join(engine.directory, 'a.txt'), 'utf8'), 'two')
})

test('calls several tools at once', { timeout }, async () => {
  const { session } = await run('write: p.txt | 1\n+ write: q.txt | 2\n+ run: echo three\nsay: together')
  const [, calling] = await engine.messages(session)
  assert.deepEqual(
    calling?.parts.filter((part) => part.type === 'tool').map((part) => part.state?.status),
    ['completed', 'completed', 'completed'],
  )
})

test('keeps a to-do list', { timeout }, async () => {
  const { session } = await run('todo: [x] first | [>] second | third')
  const todos = (await engine.call('GET', `/session/${session}/todo`)) as { content: string; status: string }[]
  assert.deepEqual(
    todos.map(({ content, status }) => `${content} ${status}`),
    ['first completed', 'second in_progress', 'third pending'],
  )
})

test('gives a sub-agent a script of its own', { timeout }, async () => {
  const { session, answer } = await run('task: write: sub.txt \\| from the child\\nsay: child says hi\nsay: parent')
  assert.equal(textOf(answer), 'parent')
  assert.match((await toolsOf(session))[0]?.[2] ?? '', /child says hi/)
  assert.equal(await readFile(path.join(engine.directory, 'sub.txt'), 'utf8'), 'from the child')
})

test('asks a question and goes on with the answer', { timeout }, async ({ signal }) => {
  const session = await engine.createSession()
  const answer = engine.prompt(session, 'question: Colour | Which one? | red | blue\nsay: thanks')
  await model.waitForRequest((request) => request.sessionId === session && request.state === 'answered', signal)
  let asked: { id: string; sessionID: string }[] = []
  while (!asked.some((question) => question.sessionID === session)) {
    signal.throwIfAborted()
    asked = (await engine.call('GET', '/question')) as typeof asked
  }
  await engine.call('POST', `/question/${asked.at(-1)?.id}/reply`, { answers: [['blue']] })
  assert.equal(textOf(await answer), 'thanks')
  assert.match((await toolsOf(session))[0]?.[2] ?? '', /blue/)
})

test('makes tool calls that cannot work', { timeout }, async () => {
  const { session, answer } = await run('tool: nosuch {}\ntool: write {bad\ntool: write {"x":1}\nsay: still here')
  assert.equal(textOf(answer), 'still here')
  assert.deepEqual(
    (await toolsOf(session)).map(([tool, status]) => `${tool} ${status}`),
    ['invalid completed', 'invalid completed', 'write error'],
  )
})

test('the engine retries an error and a drop of the same turn', { timeout }, async () => {
  const { session, answer } = await run('error: 429 retry-after=1 later\nsay: half\ndrop\nsay: whole')
  assert.equal(textOf(answer), 'half\nwhole')
  const calls = model.requests.filter((request) => request.sessionId === session)
  assert.deepEqual(
    calls.map(({ state, turn }) => `${state} ${turn}`),
    ['failed 0', 'failed 0', 'answered 0'],
  )
})

// The second one is what the model proxy says of a provider that is not there.
for (const error of ['401 wrong key', '424 the provider "acme" could not be reached: nothing listens at its address']) {
  test(`the engine gives up at once on "${error}", and the next prompt works`, { timeout }, async () => {
    const { session, answer } = await run(`error: ${error}`)
    assert.equal(answer.info.error?.name, 'APIError')
    assert.equal(textOf(await engine.prompt(session, 'say: better')), 'better')
  })
}

test('goes on after the engine compacts, from where it was', { timeout }, async () => {
  const overflowed = await run('write: c.txt | x\noverflow\nrun: echo after\nsay: recovered')
  assert.equal(textOf(overflowed.answer), 'recovered')
  const full = await run('usage: 300000 10\nrun: true\nsay: after compaction')
  assert.equal(textOf(full.answer), 'after compaction')
  const sessions = [overflowed.session, full.session]
  const summaries = model.requests.filter(
    ({ kind, sessionId }) => kind === 'summary' && sessions.includes(sessionId ?? ''),
  )
  assert.equal(summaries.length, 2)
})

test('ends a compaction after the last line with done', { timeout }, async () => {
  const { session, answer } = await run('say: the answer\nusage: 300000 10')
  assert.equal(textOf(answer), 'done')
  assert.ok((await engine.messages(session)).some((message) => textOf(message) === 'the answer'))
})

test('an answer without a finish_reason makes the engine call again', { timeout }, async () => {
  const { session, answer } = await run('say: one\nnofinish\nsay: two')
  assert.equal(textOf(answer), 'two')
  assert.equal(model.requests.filter((request) => request.sessionId === session).length, 2)
})

for (const script of ['loop', 'loop: nofinish', 'loop: run: true']) {
  test(`"${script}" goes on until the engine is told to abort`, { timeout }, async ({ signal }) => {
    const session = await engine.createSession()
    const answer = engine.prompt(session, script)
    await model.waitForRequest((request) => request.sessionId === session && request.turn === 6, signal)
    await engine.call('POST', `/session/${session}/abort`, {})
    await answer
    assert.equal(textOf(await engine.prompt(session, 'say: free again')), 'free again')
  })
}

for (const script of ['say: some\nhang', 'hangbefore', 'gate: nobody opens']) {
  test(`sees the engine leave "${script.replace('\n', ' ')}" when it aborts`, { timeout }, async ({ signal }) => {
    const session = await engine.createSession()
    const answer = engine.prompt(session, script)
    await model.waitForRequest((request) => request.sessionId === session, signal)
    await engine.call('POST', `/session/${session}/abort`, {})
    await model.waitForRequest((request) => request.sessionId === session && request.state === 'aborted', signal)
    assert.equal((await answer).info.error?.name, 'MessageAbortedError')
  })
}
