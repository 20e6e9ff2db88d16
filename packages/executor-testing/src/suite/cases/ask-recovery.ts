import assert from 'node:assert/strict'
import { answer, asksOf, assertAllResolved, attended, endWithoutAsk, resolvedIn, untilAsk } from '../asking.ts'
import type { ConformanceCase } from '../case.ts'
import { assertCompleted, resultsOf } from '../checks.ts'
import { lines } from '../lines.ts'
import { findAgain, resume, startWatched, type Watched } from '../losing-sight.ts'
import type { Scene } from '../scene.ts'

async function startAsking(scene: Scene, gate?: string): Promise<Watched> {
  const steps = [...(gate === undefined ? [] : [lines.gate(gate)]), lines.run('echo x'), lines.say('done')]
  return startWatched(scene, await scene.open(), { ...attended, steps })
}

export const askRecoveryCases: readonly ConformanceCase[] = [
  {
    group: 'recovery',
    name: 'an ask that waited while nobody watched is not told again, and is answered',
    needs: ['asks'],
    async run(scene) {
      const watched = await startAsking(scene)
      const ask = await untilAsk(watched.recording)
      const lost = await findAgain(scene, watched)
      const resumed = resume(scene, lost)
      await answer(scene, lost.found, ask, { reply: 'once' })
      await endWithoutAsk(resumed)
      assert.equal((await assertCompleted(resumed)).finalMessage, 'done')
      assert.deepEqual(resolvedIn(resumed), [ask.ask_id])
      assert.equal(resultsOf(resumed, 'bash')[0]?.result.exit_code, 0)
    },
  },
  {
    group: 'recovery',
    name: 'an ask that came while nobody watched is told',
    needs: ['asks'],
    async run(scene) {
      const gate = scene.newGate()
      const watched = await startAsking(scene, gate)
      await scene.waitForGate(gate)
      const lost = await findAgain(scene, watched)
      scene.release(gate)
      const resumed = resume(scene, lost)
      await answer(scene, lost.found, await untilAsk(resumed), { reply: 'once' })
      assert.equal((await assertCompleted(resumed)).finalMessage, 'done')
      assert.equal(asksOf(resumed).length, 1)
      assertAllResolved(resumed)
    },
  },
  {
    group: 'recovery',
    name: 'an ask that was answered while nobody watched is told as answered',
    needs: ['asks'],
    async run(scene) {
      const watched = await startAsking(scene)
      const ask = await untilAsk(watched.recording)
      const lost = await findAgain(scene, watched)
      await answer(scene, lost.found, ask, { reply: 'once' })
      const resumed = resume(scene, lost)
      await endWithoutAsk(resumed)
      assert.equal((await assertCompleted(resumed)).finalMessage, 'done')
      assert.deepEqual(resolvedIn(resumed), [ask.ask_id])
    },
  },
]
