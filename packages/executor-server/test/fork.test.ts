import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { silentLog } from '@opencode-gateway/executor-testing'
import { prompt } from '@opencode-gateway/executor-testing/running'
import { createPlace, leftoversIn, startScene } from './scene.ts'
import type { Place, Scene } from './scene.ts'

let place: Place
let scene: Scene
const ctx = (signal = AbortSignal.timeout(30_000)) => ({ signal, log: silentLog })
before(async () => {
  place = await createPlace()
  scene = await startScene(place, { embedded: place.embedded() })
})
after(() => place.close())

const fork = (from: string, to: string, ref?: Parameters<typeof scene.executor.attach>[0], signal?: AbortSignal) => {
  assert.ok(scene.executor.fork)
  const source = ref === undefined ? { sessionId: from } : { sessionId: from, ref }
  return scene.executor.fork(source, { sessionId: to, title: `Fork of ${from}` }, ctx(signal))
}

test('the model is told the conversation of both, and then of each its own', async () => {
  const source = await scene.executor.open({ sessionId: 'source', title: 'Source' }, ctx())
  assert.equal((await prompt(source, 'write: a.txt | one', 'say: the first answer').outcome).status, 'completed')
  const forked = await fork('source', 'forked', source.ref)
  assert.notEqual(forked.ref['engine_session_id'], source.ref['engine_session_id'])
  assert.notEqual(forked.workspacePath, source.workspacePath)
  assert.equal(await readFile(path.join(forked.workspacePath, 'a.txt'), 'utf8'), 'one')

  assert.equal((await prompt(forked, 'run: pwd > where.txt', 'say: in the fork').outcome).status, 'completed')
  assert.equal((await prompt(source, 'say: in the source').outcome).status, 'completed')
  const bodies = place.model.requests.map(({ body }) => JSON.stringify(body))
  const last = (text: string): string => bodies.findLast((body) => body.includes(text)) ?? ''
  assert.match(last('in the fork'), /the first answer/)
  assert.match(last('in the source'), /the first answer/)
  assert.doesNotMatch(last('in the source'), /in the fork/)
  assert.equal(await readFile(path.join(forked.workspacePath, 'where.txt'), 'utf8'), `${forked.workspacePath}\n`)
  assert.deepEqual(await readdir(source.workspacePath), ['a.txt'])

  const found = await scene.executor.attach(forked.ref, ctx())
  assert.ok(found, 'it is found again by its ref')
  await source.release('nothing')
  assert.equal((await prompt(found, 'say: alone').outcome).finalMessage, 'alone')
  await forked.release('nothing')
  assert.deepEqual(await leftoversIn(place.workspaceRoot), [])
})

test('a fork that cannot be made leaves nothing', async () => {
  const source = await scene.executor.open({ sessionId: 'lasting', title: 'Source' }, ctx())
  await writeFile(path.join(source.workspacePath, 'a.txt'), 'a')
  const before = await leftoversIn(place.workspaceRoot)
  await assert.rejects(fork('nobody', 'f1'), { code: 'WORKSPACE_NOT_FOUND' })
  await assert.rejects(fork('lasting', 'f2', { ...source.ref, engine_session_id: 'ses_0000' }), { code: 'ENGINE_LOST' })
  await assert.rejects(fork('lasting', 'f3', source.ref, AbortSignal.abort(new Error('not wanted'))), /not wanted/)
  await assert.rejects(fork('lasting', 'lasting', source.ref), { code: 'WORKSPACE_ERROR' })
  assert.deepEqual(await leftoversIn(place.workspaceRoot), before)
  assert.equal(await readFile(path.join(source.workspacePath, 'a.txt'), 'utf8'), 'a')
  await source.release('nothing')
})
