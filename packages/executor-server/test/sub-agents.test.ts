import assert from 'node:assert/strict'
import { access } from 'node:fs/promises'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { silentLog } from '@opencode-gateway/executor-testing'
import { findMarked } from '../src/marked-processes.ts'
import { prompt } from '@opencode-gateway/executor-testing/running'
import { createPlace, startScene } from './scene.ts'
import type { Place, Scene } from './scene.ts'

let place: Place
let scene: Scene
const ctx = () => ({ signal: AbortSignal.timeout(30_000), log: silentLog })
before(async () => {
  place = await createPlace()
  scene = await startScene(place, { embedded: place.embedded() })
})
after(() => place.close())

/** A line in which the model calls a sub-agent that plays these lines. */
function task(...lines: readonly string[]): string {
  return `task: ${lines.map((line) => line.replaceAll('\\', '\\\\').replaceAll('|', '\\|')).join('\\n')}`
}

test("a sub-agent's calls and files count, its words do not", async () => {
  const session = await scene.executor.open({ sessionId: 'family', title: 'Family' }, ctx())
  const run = prompt(session, task('write: child.txt | by the child', 'say: child words'), 'say: parent words')
  const { status, finalMessage, usage } = await run.outcome
  assert.equal(`${status} ${finalMessage}`, 'completed parent words')
  assert.equal(usage.model_calls, 4)
  const output = run.events.flatMap((event) => (event.type === 'output' ? [event.data.text] : []))
  assert.equal(output.join(''), 'parent words')
  const files = run.events.flatMap((event) => (event.type === 'file' ? [event.data] : []))
  assert.deepEqual(files, [{ path: 'child.txt', change: 'created' }])
})

test('cancelling ends what a sub-agent runs, although it ignores the request', async () => {
  const session = await scene.executor.open({ sessionId: 'stubborn', title: 'Stubborn' }, ctx())
  const command = "trap '' TERM; touch begun; while true; do sleep 1; done"
  const run = prompt(session, task(`run: ${command}`), 'say: never')
  await place.model.waitForRequest(
    ({ prompt }) => prompt.includes('touch begun') && !prompt.includes('task:'),
    ctx().signal,
  )
  await untilThere(path.join(session.workspacePath, 'begun'))
  const receipt = await session.cancel(ctx())
  assert.equal((await run.outcome).status, 'cancelled')
  assert.equal(receipt.aborted_sessions, 2)
  const engines = await findMarked(`OPENCODE_GATEWAY_ENGINE=${place.embedded().stateDir}`)
  assert.equal(engines.length, 1, 'only the engine itself is left')
})

async function untilThere(file: string): Promise<void> {
  const { signal } = ctx()
  for (;;) {
    signal.throwIfAborted()
    const there = await access(file).then(
      () => true,
      () => false,
    )
    if (there) return
    await new Promise((resolve) => setImmediate(resolve))
  }
}
