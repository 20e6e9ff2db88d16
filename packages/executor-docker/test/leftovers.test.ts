import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leftoversOf } from '../src/container/leftovers.ts'

/** Init, the entry point, a relay with a connection, the engine with a tool at work. */
const atWork = [
  { pid: 100, parent: 7 },
  { pid: 101, parent: 100 },
  { pid: 102, parent: 101 },
  { pid: 103, parent: 102 },
  { pid: 104, parent: 101 },
  { pid: 105, parent: 104 },
]

test('the engine and what works for it is not left over', () => {
  assert.deepEqual(leftoversOf(atWork), [])
})

test('what has lost its parent is', () => {
  assert.deepEqual(leftoversOf([...atWork, { pid: 106, parent: 100 }, { pid: 107, parent: 106 }]), [106])
})

test('nothing is left over where nothing runs', () => {
  assert.deepEqual(leftoversOf([]), [])
})
