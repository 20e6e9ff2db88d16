import assert from 'node:assert/strict'
import { test } from 'node:test'
import { postMortem } from '../src/container/post-mortem.ts'
import type { Remains } from '../src/container/post-mortem.ts'

const remains: Remains = { exitCode: 0, outOfMemory: false, error: '', log: '' }
const cases: readonly [code: string, of: Partial<Remains>][] = [
  ['OUT_OF_MEMORY', { exitCode: 137, outOfMemory: true }],
  ['OUT_OF_MEMORY', { exitCode: 3, outOfMemory: true }],
  ['DISK_FULL', { exitCode: 1, log: 'Error: database or disk is full' }],
  ['DISK_FULL', { exitCode: 1, log: 'write /tmp/x: No space left on device' }],
  ['PIDS_LIMIT', { exitCode: 132, log: "sh: can't fork: Resource temporarily unavailable" }],
  ['CONTAINER_DIED', { exitCode: 137 }],
  ['CONTAINER_DIED', { exitCode: 143 }],
  ['CONTAINER_DIED', { exitCode: 70, log: 'engine: a relay ended before the engine' }],
]

for (const [code, of] of cases) {
  test(`${JSON.stringify(of)} is told as ${code}`, () => {
    assert.equal(postMortem({ ...remains, ...of }).code, code)
  })
}

test('the last lines of a container are told', () => {
  assert.match(postMortem({ ...remains, exitCode: 1, log: 'why it broke' }).message, /exit code 1.*why it broke/s)
})

test('a container that is gone was removed by somebody else', () => {
  assert.match(postMortem(undefined).message, /removed by somebody else/)
})
