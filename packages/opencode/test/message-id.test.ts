import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMessageId, isPromptOf } from '../src/message-id.ts'

const engineNow = 1_795_167_736_387

test('an id has the form of the engine, and its time', () => {
  const id = createMessageId({ runId: 'run-1', engineNow, newest: undefined })
  assert.match(id, /^msg_1f855d243001[0-9A-Za-z]{14}$/)
})

test('an id sorts after the newest message, however far behind our reading of the clock is', () => {
  const newest = 'msg_1f855d450001SRnu1yha4ktWWb'
  const id = createMessageId({ runId: 'run-1', engineNow: engineNow - 60_000, newest })
  assert.ok(id > newest)
  assert.match(id, /^msg_1f855d450002/)
})

test('an id sorts before what the engine makes a millisecond later', () => {
  const id = createMessageId({ runId: 'run-1', engineNow, newest: 'msg_1f855d000001SRnu1yha4ktWWb' })
  const later = createMessageId({ runId: 'run-2', engineNow: engineNow + 1, newest: undefined })
  assert.ok(id < later)
})

test('the prompt of a run is known again by its id', () => {
  const id = createMessageId({ runId: 'run-1', engineNow, newest: undefined })
  assert.equal(isPromptOf(id, 'run-1'), true)
  assert.equal(isPromptOf(id, 'run-2'), false)
  assert.equal(isPromptOf('', 'run-1'), false)
})
