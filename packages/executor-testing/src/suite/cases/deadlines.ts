import type { ConformanceCase } from '../case.ts'
import { assertCancelled, assertUsable } from '../checks.ts'
import { lines } from '../lines.ts'

/** Deadlines are the caller's; an executor has to let go whatever the model does. */
export const deadlineCases: readonly ConformanceCase[] = [
  {
    group: 'deadlines',
    name: 'a model that never answers can be given up',
    async run(scene) {
      const session = await scene.open()
      const gate = scene.newGate()
      const limit = new AbortController()
      const recording = scene.prompt(session, [lines.gate(gate), lines.silence()], { signal: limit.signal })
      await scene.waitForGate(gate)
      scene.release(gate)
      limit.abort(new DOMException('the run took too long', 'TimeoutError'))
      await assertCancelled(recording)
      await assertUsable(scene, session)
    },
  },
  {
    group: 'deadlines',
    name: 'an answer that stalls half way can be given up',
    async run(scene) {
      const session = await scene.open()
      const limit = new AbortController()
      const recording = scene.prompt(session, [lines.say('half an'), lines.hang()], { signal: limit.signal })
      await recording.untilText('text', 'half an')
      limit.abort(new DOMException('the run went silent', 'TimeoutError'))
      await assertCancelled(recording)
      await assertUsable(scene, session)
    },
  },
]
