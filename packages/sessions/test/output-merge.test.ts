import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AgentEventBody, EventBody } from '@opencode-gateway/contracts'
import { createOutputBudget } from '../src/run/output-budget.ts'
import { createMergeBuffer } from '../src/run/output-merge.ts'

const text = (part_id: string, value: string): AgentEventBody => ({
  type: 'output',
  data: { type: 'text', text: value, part_id },
})
const todo: EventBody = { type: 'todo', data: { todos: [] } }
const texts = (events: readonly (EventBody | undefined)[]) =>
  events.map((event) => (event?.type === 'output' ? event.data.text : event?.type))

test('neighbouring deltas of a part become one event', () => {
  const buffer = createMergeBuffer(100)
  for (const delta of ['a', 'b', 'c']) buffer.add(text('p', delta))
  assert.equal(buffer.urgent(), false)
  assert.deepEqual(texts(buffer.take()), ['abc'])
})

test('deltas of two parts keep their order', () => {
  const buffer = createMergeBuffer(100)
  for (const [part, delta] of [
    ['p', 'a'],
    ['q', 'x'],
    ['p', 'b'],
  ] as const)
    buffer.add(text(part, delta))
  assert.deepEqual(texts(buffer.take()), ['a', 'x', 'b'])
})

test('a delta is never merged across another event, which is urgent', () => {
  const buffer = createMergeBuffer(100)
  buffer.add(text('p', 'a'))
  buffer.add(todo)
  buffer.add(text('p', 'b'))
  assert.equal(buffer.urgent(), true)
  assert.deepEqual(texts(buffer.take()), ['a', 'todo', 'b'])
  assert.equal(buffer.urgent(), false)
})

test('a merged event stays within its size', () => {
  const buffer = createMergeBuffer(4)
  for (const delta of ['abc', 'de', 'f']) buffer.add(text('p', delta))
  assert.deepEqual(texts(buffer.take()), ['abc', 'def'])
})

test('output beyond the budget is cut at a whole character, marked, and the rest is dropped', () => {
  const budget = createOutputBudget(6)
  const events = [budget(text('p', 'abcd')), budget(text('p', 'é€')), budget(text('p', 'more'))]
  assert.deepEqual(texts(events), ['abcd', 'é', undefined])
  assert.equal(events[1]?.type === 'output' && events[1].data.truncated, true)
})

test('events that are not output pass an exhausted budget', () => {
  const budget = createOutputBudget(0)
  const result: AgentEventBody = { type: 'file', data: { path: 'a', change: 'created' } }
  assert.equal(budget(result), result)
})

test('a delta of many megabytes becomes several events, cut between characters', () => {
  const buffer = createMergeBuffer(100)
  const whole = 'a' + '😀'.repeat(50_000)
  buffer.add(text('p', whole))
  const parts = texts(buffer.take())
  assert.ok(parts.length > 1)
  assert.equal(parts.join(''), whole)
  assert.ok(parts.every((part) => part?.isWellFormed()))
})
