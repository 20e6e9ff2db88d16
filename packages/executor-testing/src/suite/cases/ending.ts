import assert from 'node:assert/strict'
import type { ConformanceCase } from '../case.ts'
import { lines } from '../lines.ts'

export const endingCases: readonly ConformanceCase[] = [
  {
    group: 'ending',
    name: 'an answered prompt ends with exactly one outcome, the last item',
    async run(scene) {
      const outcome = await scene.prompt(await scene.open(), [lines.say('done')]).outcome()
      assert.equal(outcome.status, 'completed')
    },
  },
  {
    group: 'ending',
    name: 'a failed prompt ends with exactly one outcome, the last item',
    async run(scene) {
      const outcome = await scene.prompt(await scene.open(), [lines.error(401)]).outcome()
      assert.equal(outcome.status, 'failed')
    },
  },
  {
    group: 'ending',
    name: 'a prompt with failing tools ends with exactly one outcome, the last item',
    async run(scene) {
      const steps = [lines.read('missing.txt'), lines.tool('no_such_tool', {}), lines.say('never mind')]
      const outcome = await scene.prompt(await scene.open(), steps).outcome()
      assert.equal(outcome.status, 'completed')
    },
  },
  {
    group: 'ending',
    name: 'a command ends with exactly one outcome, the last item',
    needs: ['shell'],
    async run(scene) {
      const outcome = await scene.command(await scene.open(), 'echo done').outcome()
      assert.equal(outcome.status, 'completed')
    },
  },
]
