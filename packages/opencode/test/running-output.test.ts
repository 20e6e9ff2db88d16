import assert from 'node:assert/strict'
import { test } from 'node:test'
import { continueOutput } from '../src/running-output.ts'

/** What the engine shows of an output: all of it, or its last 30 000 characters after three dots. */
function shown(output: string): string {
  return output.length > 30_000 ? `...\n\n${output.slice(-30_000)}` : output
}

function tell(outputs: readonly string[]): string | undefined {
  let seen = { total: 0, window: '' }
  let told = ''
  for (const output of outputs) {
    const next = continueOutput(seen, shown(output))
    if (!next) return undefined
    told += next.text
    seen = next.seen
  }
  return told
}

const counted = Array.from({ length: 20_000 }, (_, index) => `line ${index}\n`).join('')
const steps = (output: string, size: number): string[] =>
  Array.from({ length: Math.ceil(output.length / size) }, (_, index) => output.slice(0, (index + 1) * size))

test('a short output is told as it grows', () => {
  assert.equal(tell(['one\n', 'one\ntwo\n', 'one\ntwo\n']), 'one\ntwo\n')
})

test('an output that slides through the window is told whole', () => {
  assert.equal(tell(steps(counted, 997)), counted)
  assert.equal(tell(steps(counted, 29_000)), counted)
})

test('an output that begins like the sign of a window is told as it is', () => {
  assert.equal(tell(['...\n\na', '...\n\nab']), '...\n\nab')
})

test('a jump past the window is said to be one', () => {
  assert.equal(tell([counted.slice(0, 20_000), counted]), undefined)
})
