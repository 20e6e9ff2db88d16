import assert from 'node:assert/strict'
import type { ConformanceCase } from '../case.ts'
import { assertCompleted } from '../checks.ts'
import { lines } from '../lines.ts'

export const steeringCases: readonly ConformanceCase[] = [
  {
    group: 'steering',
    name: 'what the agent is told while it works reaches the model in the same run',
    needs: ['option:wrap_up'],
    async run(scene) {
      const session = await scene.open()
      const gate = scene.newGate()
      const recording = scene.prompt(session, [
        lines.say('at work'),
        lines.gate(gate),
        lines.run('true'),
        lines.say('no'),
      ])
      await scene.waitForGate(gate)
      await scene.settles('the steering', session.steer(lines.say('wrapped up'), scene.ctx()))
      scene.release(gate)
      const { finalMessage } = await assertCompleted(recording)
      assert.match(finalMessage, /^at work\s+wrapped up$/)
      assert.match(recording.text('text'), /wrapped up$/)
    },
  },
  {
    group: 'steering',
    name: 'telling an idle agent something begins no run and is no part of the next',
    needs: ['option:wrap_up', 'followUps'],
    async run(scene) {
      const session = await scene.open()
      await assertCompleted(scene.prompt(session, [lines.say('one')]))
      // Whether it is refused or overheard is the executor's affair.
      await scene.settles('the steering', Promise.allSettled([session.steer(lines.say('too late'), scene.ctx())]))
      const next = scene.prompt(session, [lines.say('two')])
      const { finalMessage, usage } = await assertCompleted(next)
      assert.equal(finalMessage, 'two')
      assert.equal(next.text('text'), 'two')
      assert.equal(usage.model_calls, 1)
    },
  },
]
