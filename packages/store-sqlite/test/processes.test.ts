import type { LogEvent, Store } from '@opencode-gateway/contracts'
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { it } from 'node:test'
import { makeTempDir, openStore } from './harness.ts'
import { startProcess } from './processes/start.ts'

async function wholeLog(store: Store): Promise<LogEvent[]> {
  const events: LogEvent[] = []
  for (;;) {
    const page = await store.readEvents({ sessionId: 's1', after: events.length, limit: 1_000 })
    assert.equal(page.status, 'ok')
    if (page.events.length === 0) return events
    events.push(...page.events)
  }
}

it('a second process learns which one has the database, and gets it when that one is dead', async () => {
  await using dir = await makeTempDir()
  const file = join(dir.path, 'gateway.db')
  await using first = startProcess('hold', file)
  assert.deepEqual(await first.lines.next(), { done: false, value: 'open' })

  await assert.rejects(openStore({ file }), {
    code: 'STORE_UNAVAILABLE',
    message: `the database "${file}" cannot be used: it is in use by another gateway (pid ${first.pid}, first). Stop that one, or give this one a data directory of its own`,
  })
  await first.kill()
  await using heir = await openStore({ file })
  await heir.check()
})

it('a second store of the same process is refused like a second process', async () => {
  await using dir = await makeTempDir()
  const file = join(dir.path, 'gateway.db')
  await using first = await openStore({ file })
  await assert.rejects(openStore({ file }), new RegExp(`in use by another gateway \\(pid ${process.pid}\\)`))
  await first.check()
})

it('every append that was acknowledged before a kill -9 is there, without a gap', async () => {
  await using dir = await makeTempDir()
  const file = join(dir.path, 'gateway.db')
  await using child = startProcess('append-forever', file)
  let acknowledged = 0
  let acknowledgements = 0
  const count = (line: string): void => {
    acknowledged = Math.max(acknowledged, Number(line))
    acknowledgements += 1
  }
  for await (const line of child.lines) {
    count(line)
    if (acknowledgements === 500) await child.kill()
  }

  await using store = await openStore({ file })
  const events = await wholeLog(store)
  assert.ok(acknowledgements >= 500)
  assert.ok(events.length >= acknowledged, `${events.length} events, ${acknowledged} acknowledged`)
  assert.deepEqual(
    events.map(({ seq }) => seq),
    events.map((_, index) => index + 1),
  )
  // Two status events come first; then each batch is whole: two times the same text.
  const texts = events.slice(2).map((event) => (event.type === 'output' ? event.data.text : undefined))
  for (let index = 0; index < texts.length; index += 2) assert.equal(texts[index], texts[index + 1])
})
