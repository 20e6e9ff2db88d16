import assert from 'node:assert/strict'
import { watch } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { silentLog } from '@opencode-gateway/executor-testing'
import { Detached } from '@opencode-gateway/contracts'
import type { PromptInput } from '@opencode-gateway/contracts'
import { command } from '@opencode-gateway/executor-testing/running'
import { createPlace, startScene } from './scene.ts'
import type { Place, Scene } from './scene.ts'

let place: Place
let scene: Scene
const ctx = (signal = AbortSignal.timeout(30_000)) => ({ signal, log: silentLog })
before(async () => {
  place = await createPlace()
  scene = await startScene(place, { embedded: place.embedded() })
})
after(() => place.close())

test('a command that is let go of before the engine began it leaves no failure that nobody handles', async () => {
  const session = await scene.executor.open({ sessionId: 'let-go', title: 'Let go' }, ctx())
  // The engine begins no command in a session that works.
  const leavingPrompt = new AbortController()
  const input: PromptInput = { kind: 'prompt', runId: 'at-work', prompt: 'gate: never' }
  const working = gather(session.run(input, ctx(leavingPrompt.signal)))
  await place.model.waitForRequest(({ prompt }) => prompt.includes('gate: never'), ctx().signal)
  leavingPrompt.abort(new Detached())
  await working

  const leaving = new AbortController()
  const prepared = untilWritten(place.workspaceRoot, 'command.sh')
  const told = gather(session.run({ kind: 'shell', runId: 'early', command: 'true' }, ctx(leaving.signal)))
  await prepared
  await scene.executor.check(ctx().signal)
  leaving.abort(new Detached())
  assert.deepEqual(await told, [])

  await session.cancel(ctx())
  assert.equal((await command(session, 'true').outcome).exitCode, 0)
})

async function gather<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const gathered: T[] = []
  for await (const item of items) gathered.push(item)
  return gathered
}

async function untilWritten(root: string, name: string): Promise<void> {
  for await (const { filename } of watch(root, { recursive: true, ...ctx() })) if (filename?.endsWith(name)) return
}
