import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readChatRequest } from '../src/chat-request.ts'
import { readConversation } from '../src/conversation.ts'
import { decideTurn } from '../src/decide.ts'
import { writeSummary } from '../src/place.ts'
import type { Place } from '../src/place.ts'
import type { Turn } from '../src/step.ts'
import { toolRound, user } from './calls.ts'

function decide(messages: unknown[], place?: Place): Turn {
  const request = readChatRequest({ model: 'm', messages })
  return decideTurn(readConversation(request), { place, setupHint: 'Set a key.' })
}

function said(turn: Turn): string | undefined {
  const [step] = turn
  return step?.kind === 'say' ? step.text : undefined
}

const system = { role: 'system', content: 'You are opencode.' }
const script = 'run: one\nrun: two\nsay: three'

test('the number of answers after the script tells the turn', () => {
  assert.equal(decide([system, user(script)])[0]?.kind, 'tools')
  assert.equal(said(decide([system, user(script), ...toolRound('a'), ...toolRound('b')])), 'three')
  assert.deepEqual(decide([system, user(script), ...toolRound('a'), ...toolRound('b'), ...toolRound('c')]), [])
})

test('a follow-up starts its own script', () => {
  const before = [system, user(script), ...toolRound('a'), ...toolRound('b'), { role: 'assistant', content: 'three' }]
  assert.equal(said(decide([...before, user('say: again')])), 'again')
})

test('texts that the engine adds to the conversation are not the script', () => {
  const parts = [
    '<system-reminder>plan</system-reminder>',
    'say: mine',
    'Called the Read tool with the following input: {}',
  ]
  assert.equal(said(decide([system, user(parts.map((text) => ({ type: 'text', text })))])), 'mine')
  const next = user('Summarize the task tool output above and continue with your task.')
  assert.equal(said(decide([system, user(script), ...toolRound('a'), ...toolRound('b'), next])), 'three')
})

test('a loop never gets past its turn', () => {
  const messages = [system, user('run: a\nloop: run: b\nsay: never')]
  for (let round = 0; round < 5; round += 1) messages.push(...(toolRound(`call-${round}`) as typeof messages))
  assert.equal(decide(messages)[0]?.kind, 'loop')
})

test('a prompt that is no script gets one fixed answer that quotes its first line', () => {
  const text = said(decide([user('Say hello\nand more')])) ?? ''
  assert.match(text, /You said: "Say hello"/)
  assert.match(text, /Set a key\./)
  assert.deepEqual(decide([user('Say hello'), { role: 'assistant', content: text }]), [])
})

test('a title call gets the first line of the prompt', () => {
  const title = { role: 'system', content: 'You are a title generator. You output ONLY a thread title.' }
  assert.equal(said(decide([title, user('Generate a title for this conversation:\n'), user('Fix it\nnow')])), 'Fix it')
})

test('a summary carries the place in the script over a compaction', () => {
  const summarizer = { role: 'system', content: 'You are a context summarization agent.' }
  const summary = said(decide([summarizer, user('Here is the conversation so far: …')], { prompt: script, turn: 2 }))
  const compacted = [system, user('What did we do so far?'), { role: 'assistant', content: summary }]
  const next = user('Continue if you have next steps, or stop')
  assert.equal(said(decide([...compacted, next])), 'three')
  assert.equal(said(decide([...compacted, next, { role: 'assistant', content: 'three' }, user('say: new')])), 'new')
})

test('a continuation without a place ends', () => {
  const summary = { role: 'assistant', content: writeSummary(undefined) }
  const messages = [system, user('What did we do so far?'), summary, user('Continue if you have next steps, or stop')]
  assert.equal(said(decide(messages)), 'There are no next steps.')
})

test('a body that is no chat completion request is refused', () => {
  assert.throws(() => readChatRequest({ model: 'm' }), /"messages" must be an array/)
  assert.throws(() => readChatRequest('text'), /"model" must be a string/)
})
