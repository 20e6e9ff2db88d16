import assert from 'node:assert/strict'
import { test } from 'node:test'
import { outgrown, readRssBytes } from '../src/engine-growth.ts'

const limits = { maxRssBytes: 100, maxAgeMs: 1_000, maxDirectories: 2 }
const engine = (ageMs: number, directories: number) => ({ ageMs: () => ageMs, directories: () => directories })

test('an engine at its limits stays, and one beyond any of them goes', () => {
  assert.equal(outgrown(engine(1_000, 2), 100, limits), undefined)
  assert.equal(outgrown(engine(1_000, 2), undefined, limits), undefined)
  assert.match(outgrown(engine(0, 0), 101, limits) ?? '', /101 bytes/)
  assert.match(outgrown(engine(1_001, 0), 0, limits) ?? '', /has run/)
  assert.match(outgrown(engine(0, 3), 0, limits) ?? '', /3 directories/)
})

test('the memory of a process is read where it can be', async () => {
  assert.ok(((await readRssBytes(process.pid)) ?? 0) > 1_000_000)
  assert.equal(await readRssBytes(0), undefined)
})
