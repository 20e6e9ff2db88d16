import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSignalFilter } from '../toolchain/signal-filter.mjs'

test('what the terminal and npm both deliver counts once', () => {
  const isRepeat = createSignalFilter()
  assert.deepEqual([isRepeat('SIGINT', 1000), isRepeat('SIGINT', 1000), isRepeat('SIGINT', 1040)], [false, true, true])
})

test('a second key press counts', () => {
  const isRepeat = createSignalFilter()
  assert.deepEqual([isRepeat('SIGINT', 1000), isRepeat('SIGINT', 1600)], [false, false])
})

test('another signal counts at once', () => {
  const isRepeat = createSignalFilter()
  assert.deepEqual([isRepeat('SIGINT', 1000), isRepeat('SIGTERM', 1000)], [false, false])
})
