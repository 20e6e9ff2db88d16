import assert from 'node:assert/strict'
import { endWithoutAsk, isThere } from '../asking.ts'
import type { ConformanceCase } from '../case.ts'
import { assertCompleted, assertUsable, resultsOf } from '../checks.ts'
import { lines } from '../lines.ts'

/** Where nobody is there to answer, nothing asks and nothing waits. */
export const unattendedCases: readonly ConformanceCase[] = [
  {
    group: 'asks',
    name: 'a question that nobody is there to answer is not asked, and holds nothing up',
    async run(scene) {
      const session = await scene.open()
      const recording = scene.prompt(session, [lines.question('Shall I?'), lines.say('I went on')])
      await endWithoutAsk(recording)
      assert.equal((await assertCompleted(recording)).finalMessage, 'I went on')
      await assertUsable(scene, session)
    },
  },
  {
    group: 'asks',
    name: 'what a rule asks about is refused when nobody is there to be asked',
    needs: ['option:permissions'],
    async run(scene) {
      const session = await scene.open()
      const steps = [lines.run('echo x > unasked.txt'), lines.say('I went on')]
      const recording = scene.prompt(session, steps, { permissions: { bash: 'ask' } })
      await endWithoutAsk(recording)
      assert.equal((await assertCompleted(recording)).finalMessage, 'I went on')
      assert.ok(!resultsOf(recording, 'bash').some(({ status }) => status === 'completed'), 'it was done')
      if (scene.abilities.has('followUps')) assert.equal(await isThere(scene, session, 'unasked.txt'), false)
    },
  },
  {
    group: 'asks',
    name: 'what a rule forbids is refused, and what it does not is done',
    needs: ['option:permissions'],
    async run(scene) {
      const session = await scene.open()
      const steps = [lines.run('echo x > forbidden.txt'), lines.run('echo fine'), lines.say('I went on')]
      const permissions = { bash: { 'echo x*': 'deny' } } as const
      const recording = scene.prompt(session, steps, { permissions })
      await endWithoutAsk(recording)
      await assertCompleted(recording)
      assert.deepEqual(
        resultsOf(recording, 'bash').map(({ status }) => status),
        ['error', 'completed'],
      )
      if (scene.abilities.has('followUps')) assert.equal(await isThere(scene, session, 'forbidden.txt'), false)
    },
  },
  {
    group: 'asks',
    name: 'the rules of one run are not those of the next',
    needs: ['option:permissions', 'followUps'],
    async run(scene) {
      const session = await scene.open()
      const strict = scene.prompt(session, [lines.run('true'), lines.say('one')], { permissions: { bash: 'deny' } })
      await assertCompleted(strict)
      assert.ok(!resultsOf(strict, 'bash').some(({ status }) => status === 'completed'), 'it was done')
      const free = scene.prompt(session, [lines.run('true'), lines.say('two')])
      await assertCompleted(free)
      assert.equal(resultsOf(free, 'bash')[0]?.result.exit_code, 0)
    },
  },
  {
    group: 'asks',
    name: 'what a rule forbids is not done by a sub-agent either',
    needs: ['option:permissions', 'followUps'],
    async run(scene) {
      const session = await scene.open()
      const child = lines.task(lines.run('echo x > forbidden.txt'), lines.say('tried'))
      const permissions = { bash: { 'echo x*': 'deny' } } as const
      const recording = scene.prompt(session, [child, lines.say('done')], { permissions })
      await endWithoutAsk(recording)
      await assertCompleted(recording)
      assert.equal(await isThere(scene, session, 'forbidden.txt'), false)
    },
  },
]
