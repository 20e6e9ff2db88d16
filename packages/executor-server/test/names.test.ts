import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { silentLog } from '@opencode-gateway/executor-testing'
import { promptWith } from '@opencode-gateway/executor-testing/running'
import { createPlace, startScene } from './scene.ts'
import type { Place, Scene } from './scene.ts'

let place: Place
let scene: Scene
before(async () => {
  place = await createPlace()
  scene = await startScene(place, { embedded: place.embedded() })
})
after(() => place.close())

/** What every object of a JavaScript engine has, and a table of names may be one. */
const INHERITED = ['__proto__', 'constructor', 'toString', 'hasOwnProperty']
const cases: [code: string, options: { agent?: string; model?: string }][] = [
  ...['nobody', ...INHERITED].map((agent): (typeof cases)[number] => ['AGENT_NOT_FOUND', { agent }]),
  ...['nothing', ...INHERITED].flatMap((name): typeof cases => [
    ['MODEL_NOT_FOUND', { model: `script/${name}` }],
    ['MODEL_NOT_FOUND', { model: `${name}/scripted` }],
  ]),
]

for (const [index, [code, options]] of cases.entries()) {
  test(`${JSON.stringify(options)} is a name the engine does not know`, async () => {
    const ctx = { signal: AbortSignal.timeout(60_000), log: silentLog }
    const session = await scene.executor.open({ sessionId: `names-${index}`, title: 'Names' }, ctx)
    const { status, error } = await promptWith(session, options, 'say: hi').outcome
    assert.deepEqual([status, error?.code, error?.retryable], ['failed', code, false], error?.message)
  })
}
