import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultLimits } from '../src/options.ts'
import { limitsIn, lowered, ofContainer, writtenLimits } from '../src/container/own-limits.ts'

const MEBIBYTE = 1024 ** 2

test('what a session says lowers the limits of its container and never raises them', () => {
  const own = { memoryBytes: 512 * MEBIBYTE, cpus: 64, pids: 100 }
  assert.deepEqual(lowered(defaultLimits, own), {
    ...defaultLimits,
    memoryBytes: 512 * MEBIBYTE,
    cpus: defaultLimits.cpus,
    pids: 100,
    tmpBytes: 128 * MEBIBYTE,
  })
  assert.deepEqual(lowered(defaultLimits, undefined), defaultLimits)
})

test('a ref keeps what a session says, and nothing where it says nothing', () => {
  const own = { memoryBytes: 512 * MEBIBYTE, cpus: 0.5 }
  const ref = { executor: 'docker', ...writtenLimits(own) }
  assert.deepEqual(limitsIn(JSON.parse(JSON.stringify(ref))), own)
  assert.deepEqual(limitsIn({ executor: 'docker', ...writtenLimits({}) }), {})
  for (const egress of [[], ['a.test'], ['a.test:8443', '*.b.test']])
    assert.deepEqual(limitsIn({ executor: 'docker', ...writtenLimits({ egress }) }), { egress })
})

test('a limit of the workspace alone is none of the container', () => {
  assert.equal(ofContainer({ diskBytes: MEBIBYTE }), undefined)
  assert.equal(ofContainer(undefined), undefined)
  assert.deepEqual(ofContainer({ diskBytes: MEBIBYTE, pids: 100 }), { pids: 100 })
})
