import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { graceAfter } from '../src/waiting/grace-after.ts'

const LIMIT = { timeout: 20_000 }

test('what is stopped before or meanwhile has its grace, and then ends', LIMIT, async () => {
  for (const early of [true, false]) {
    const stop = new AbortController()
    if (early) stop.abort(new Error('stopped'))
    using grace = graceAfter(stop.signal, 1)
    assert.ok(!grace.signal.aborted)
    const over = once(grace.signal, 'abort')
    if (!early) stop.abort(new Error('stopped'))
    await over
    assert.match(String(grace.signal.reason), /stopped/)
  }
})
